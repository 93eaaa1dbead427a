"""A Redis that goes away, stands still, or starts again while a backend uses it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

from tests.contract.calls import DEPLOYED, HOLDER, accept, ask, call_id, finish, lease, look, make_call
from tests.support.cutting import Cutter
from tests.support.redis import RedisServer
from zato.broker.base import Accept, Announce, Applied, Backend, Find, Look, Operation
from zato.broker.clock import SystemClock
from zato.broker.cluster import Queues
from zato.broker.open import Location
from zato.broker.redis import connection
from zato.broker.redis.backend import MOST_AT_ONCE, RedisBackend
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import Status

MEGABYTE = 1_000_000


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis that finds everything again when it was killed."""
    with RedisServer(appendonly="yes", appendfsync="no") as started:
        yield started


@pytest.fixture
def backend(server: RedisServer) -> Iterator[Backend]:
    """A backend that is connected, with services announced."""
    with closing(RedisBackend(Location(server.url, Path(), tag="t"), SystemClock())) as opened:
        ask(opened, Announce(DEPLOYED, server=HOLDER.server))
        yield opened


def test_while_redis_is_away_everything_is_refused(server: RedisServer, backend: Backend) -> None:
    """And when it is back everything is there, without anybody's doing."""
    accept(backend, make_call(1))
    lease(backend)
    server.kill()
    for _ in range(2):
        with pytest.raises(BrokerUnavailable, match=f"Redis at 127.0.0.1:{server.port} cannot be reached: Connection"):
            accept(backend, make_call(2))
    server.start()

    assert (finish(backend), ask(backend, Look(id=call_id(2)))) == (True, None)


def test_a_restart_between_two_questions_is_not_noticed(server: RedisServer, backend: Backend) -> None:
    """The connection was lost, and is made anew; scripts are gone, and loaded again."""
    accept(backend, make_call(1))
    server.restart()

    assert [each.invocation.id for each in lease(backend)] == [call_id(1)]


def test_a_redis_that_stands_still_is_waited_for_a_while(server: RedisServer, backend: Backend) -> None:
    """Then it counts as away; what it was asked for meanwhile and refused does not run when it goes on."""
    location = Location(server.url, Path(), tag="hasty")
    with (
        mock.patch.object(connection, "ANSWERS_WITHIN", 0.2),
        closing(RedisBackend(location, SystemClock())) as hasty,
    ):
        server.pause()
        for reason in (r"did not answer within 0\.2 s", "cannot be reached: it does not answer"):
            with pytest.raises(BrokerUnavailable, match=f"Redis at 127.0.0.1:{server.port} {reason}"):
                accept(hasty, make_call(1))
        server.resume()
        ask(hasty, Queues())

    assert ask(backend, Look(id=call_id(1))) is None


def test_what_a_full_redis_takes_of_a_batch_is_told(server: RedisServer, backend: Backend) -> None:
    """Some of it found room, and the rest alone is refused."""
    server.config_set(maxmemory=80 * MEGABYTE)

    _check_partly_stored(backend)


def test_what_was_stored_before_redis_went_away_is_told(cutter: Cutter, near: Backend) -> None:
    """Of a batch of several messages those that were answered count, and the rest alone is refused."""
    cutter.lose_questions("accept", 2, after=2)

    _check_partly_stored(near)


def _check_partly_stored(backend: Backend) -> None:
    """What is told to be stored is there, and nothing else, as soon as Redis is asked again."""
    numbers = range(1, 8)
    large = [Accept(make_call(number, payload=b"x" * (MOST_AT_ONCE // 3))) for number in numbers]
    stored = [not isinstance(result, Exception) for result in backend.apply(large).results]

    assert 0 < sum(stored) < len(stored)
    assert [ask(backend, Look(id=call_id(number))) is not None for number in numbers] == stored


def test_calls_of_several_batches_come_in_their_order(near: Backend) -> None:
    """Whatever their services."""
    for number in range(1, 5):
        accept(near, make_call(number, service="crm.sync" if number % 3 else "crm.answer"))

    assert [int(each.invocation.id) for each in lease(near)] == [1, 2, 3, 4]


def test_a_batch_of_everything(backend: Backend) -> None:
    """Five hundred operations of several kinds are carried out in their order."""
    batch: list[Operation[object]] = []
    for number in range(100):
        batch += [
            Accept(make_call(number)),
            Look(id=call_id(number)),
            Queues(),
            Find(limit=1),
            Accept(make_call(number)),
        ]
    applied = backend.apply(batch)

    assert isinstance(applied, Applied)
    assert len(applied.results) == 500
    for number in range(100):
        accepted, record, queues, found, again = applied.results[5 * number : 5 * number + 5]
        assert (record.invocation.id, queues[0].waiting) == (accepted.id, number + 1)  # type: ignore[attr-defined,index]
        assert found.records[0].invocation.id == again.id  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [0, 10 * MEGABYTE])
def test_a_payload_of_any_size(backend: Backend, size: int) -> None:
    """There and back again."""
    payload = b"x" * size
    accept(backend, make_call(1, payload=payload))
    (delivery,) = lease(backend)
    finish(backend, response=payload)
    outcome = look(backend).outcome

    assert delivery.invocation.payload == payload
    assert outcome is not None
    assert outcome.response == payload


def test_many_large_payloads_in_one_batch(backend: Backend) -> None:
    """They are sent in several messages, and leased one after the other."""
    calls = [make_call(number, payload=b"x" * 10 * MEGABYTE) for number in range(1, 6)]
    results = backend.apply([Accept(call) for call in calls]).results
    leased = [len(lease(backend)) for _ in range(4)]

    assert [type(result).__name__ for result in results] == ["Accepted"] * 5
    assert (sum(leased), max(leased)) == (5, 2)
    assert look(backend).status is Status.RUNNING
