"""Calls in a form that only a newer version of zato reads: left alone, told of, and run by one that reads it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import msgspec
import pytest

from tests.contract.calls import DEPLOYED, HOLDER, accept, ask, call_id, finish, lease, look, make_call
from zato.broker.base import Announce, Backend, Cancel, Find, Lease, Look
from zato.broker.clock import SystemClock
from zato.broker.open import Location
from zato.broker.redis import wire
from zato.broker.redis.backend import RedisBackend
from zato.broker.redis.scripts import MODEL, Script, load_scripts
from zato.core import stored
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import Outcome, Status

KNOWN = "local KNOWN_VERSION = 1\n"
TOLD = "Calls left alone, because a newer version of zato has stored them: {}. Start a server of that version"


@contextmanager
def _open(location: Location) -> Iterator[Backend]:
    backend = RedisBackend(location, SystemClock())
    try:
        ask(backend, Announce(DEPLOYED, server=HOLDER.server))
        yield backend
    finally:
        backend.close()


@contextmanager
def _next_version() -> Iterator[None]:
    """Have everything that is opened meanwhile be of the version after this one, which adds something to each call."""
    right = wire.load_scripts  # type: ignore[attr-defined]

    def load() -> dict[str, Script]:
        return {
            name: Script.of(name, script.text.replace(KNOWN, KNOWN.replace("1", "2")))
            for name, script in right().items()
        }

    with mock.patch.object(wire, "load_scripts", load), mock.patch.object(stored, "RECORD_VERSION", 2):
        yield


def _accept_newer(backend: Backend, *numbers: int) -> None:
    with mock.patch.object(stored, "RECORD_VERSION", 2):
        accept(backend, *map(make_call, numbers))


def test_scripts_and_records_are_of_one_version() -> None:
    """What a script takes for new is what this version cannot read."""
    scripts = load_scripts()

    assert stored.RECORD_VERSION == 1
    assert MODEL not in scripts
    assert all(KNOWN in script.text for script in scripts.values())


def test_what_is_newer_is_left_alone(backend: Backend, caplog: pytest.LogCaptureFixture) -> None:
    """All else is leased, however many there are of it; people are told once."""
    _accept_newer(backend, *range(1, 1200))
    accept(backend, make_call(2000))
    with caplog.at_level(logging.WARNING, "zato.server"):
        leased = [delivery.invocation.id for _ in range(3) for delivery in lease(backend)]

    assert leased == [call_id(2000)]
    assert [TOLD.format(number) in caplog.text for number in (1000, 1199)] == [True, False]


def test_a_lease_that_found_nothing_it_can_read_asks_again_at_once(backend: Backend) -> None:
    """Redis does nothing else meanwhile, so that each looks at so many alone."""
    _accept_newer(backend, *range(1, 1200))
    operation = Lease(holder=HOLDER, limits=dict.fromkeys(DEPLOYED.values(), 10), token=b"t", seconds=15)

    assert [ask(backend, operation).next_in for _ in range(2)] == [0, None]


def test_what_was_left_alone_is_told_of_at_the_start(
    backend: Backend, location: Location, caplog: pytest.LogCaptureFixture
) -> None:
    """By every server that cannot run it."""
    _accept_newer(backend, 1, 2)
    lease(backend)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "zato.server"), _open(location):
        pass

    assert caplog.text.count(TOLD.format(2)) == 1


def test_who_reads_it_runs_it(backend: Backend, location: Location) -> None:
    """In its place; also when it began before anything was left alone."""
    accept(backend, make_call(2))
    with _next_version(), _open(location) as newer:
        _accept_newer(backend, 1)
        kept = [each.invocation.id for each in lease(backend)]
        (delivery,) = lease(newer)
        finish(newer)
        status = look(newer).status

    assert (kept, delivery.invocation.id, status) == ([call_id(2)], call_id(1), Status.DONE)


def test_who_cannot_read_it_says_so(backend: Backend, caplog: pytest.LogCaptureFixture) -> None:
    """A list is of all others."""
    _accept_newer(backend, 1)
    accept(backend, make_call(2))
    with pytest.raises(BrokerUnavailable, match="is of version 2, and this version of zato reads up to 1"):
        ask(backend, Look(id=call_id(1)))

    assert [each.invocation.id for each in ask(backend, Find()).records] == [call_id(2)]
    assert "Not in the list: A call cannot be read here" in caplog.text


def test_what_was_left_alone_can_be_cancelled(backend: Backend, location: Location) -> None:
    """Whoever asked for it does not need it any more."""
    _accept_newer(backend, 1)
    lease(backend)
    cancelled = ask(backend, Cancel(call_id(1), Outcome(status=Status.CANCELLED, ended=5)))
    with _next_version(), _open(location) as newer:
        assert (cancelled, lease(newer)) == (True, [])


def test_later_forms_may_have_more_at_their_end() -> None:
    """What is added behind the known fields of a head is passed over."""
    packed = stored.pack_call(make_call())
    length = int.from_bytes(packed[:4], "big")
    head = msgspec.msgpack.decode(packed[4 : 4 + length])
    longer = msgspec.msgpack.encode([*head, "more"])

    assert stored.unpack_call(len(longer).to_bytes(4, "big") + longer + packed[4 + length :]) == make_call()
