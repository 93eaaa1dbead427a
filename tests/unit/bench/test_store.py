"""Files that are filled without a server, and what is read from them while a server writes."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.store import SERVICE, Store, done, is_pending, reading, responses

AN_HOUR = 3600.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where a broker's file may be."""
    return tmp_path / "broker.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    """Give a store whose calls are an hour old."""
    opened = Store(file, behind=AN_HOUR, batch=10)
    yield opened
    opened.close()


def test_accepted_calls_wait(store: Store, file: Path) -> None:
    """They are pending, and none is done."""
    store.accept(20)

    with reading(file) as connection:
        assert is_pending(connection)
        assert done(connection) == 0
        assert connection.execute("SELECT count(*) FROM pending").get == 20


def test_leased_calls_can_be_recorded(store: Store, file: Path) -> None:
    """All of them end as done, once, and nothing is pending then."""
    store.accept(20)

    leased = store.lease(20)
    store.finish(leased)

    assert len({delivery.invocation.id for delivery in leased}) == 20
    with reading(file) as connection:
        assert not is_pending(connection)
        assert done(connection) == 20
        assert responses(connection, SERVICE) == [None] * 20


def test_records_are_as_old_as_was_asked_for(store: Store, file: Path) -> None:
    """A server whose retention is shorter deletes them at its start."""
    store.accept(10)
    store.finish(store.lease(10))

    with reading(file) as connection:
        newest = connection.execute("SELECT max(ended) FROM outcome").get
    assert time.time() - AN_HOUR - 60 < newest / 1000 < time.time() - AN_HOUR + 1


def test_more_than_waits_cannot_be_leased(store: Store) -> None:
    """A run that found too little measures something else, and ends."""
    store.accept(10)

    with pytest.raises(AssertionError):
        store.lease(20)


def test_two_finishes_of_a_delivery_are_noticed(store: Store) -> None:
    """What was not recorded must not be counted."""
    store.accept(10)
    leased = store.lease(10)
    store.finish(leased)

    with pytest.raises(AssertionError):
        store.finish(leased)
