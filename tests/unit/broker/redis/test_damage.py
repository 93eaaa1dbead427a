"""A Redis that is full, has lost a key, or lacks its replica: one fault does not spread to other calls."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.calls import DEPLOYED, HOLDER, SUCCESSOR, accept, ask, call_id, finish, lease, lease_all, make_call
from tests.support.clocks import TurnableClock
from tests.support.redis import RedisServer
from zato.broker.base import Accept, Announce, Backend, Beat, Find, Purge
from zato.broker.clock import SystemClock
from zato.broker.open import Location
from zato.broker.redis.backend import RedisBackend
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import Lane

TOKEN, OTHER = b"token--1", b"token--2"


def test_leases_are_kept_alive_in_a_full_redis() -> None:
    """Whoever lives keeps what it has, or the work of the living would be taken over until it is given up."""
    clock = TurnableClock()
    with (
        RedisServer() as server,
        closing(RedisBackend(Location(server.url, Path()), clock, tells_time=True)) as backend,
    ):
        ask(backend, Announce(DEPLOYED, server=HOLDER.server))
        accept(backend, make_call(1))
        lease(backend)
        server.fill()
        clock.turn(10)
        lost = ask(backend, Beat(((call_id(1), TOKEN),), 15))
        clock.turn(10)
        taken = lease_all(backend, token=OTHER, holder=SUCCESSOR).deliveries

        assert (lost, taken, finish(backend)) == ([], [], True)


@pytest.mark.parametrize("state", ["waiting", "delayed", "running", "done"])
def test_a_call_whose_record_is_gone_holds_up_no_other(
    redis_server: RedisServer, cluster_name: str, far: Backend, state: str
) -> None:
    """Somebody has deleted it, or Redis has dropped it: leasing and purging go on, and nothing of it is left."""
    ask(far, Announce(DEPLOYED, server=HOLDER.server))
    delay = {"not_before": 1} if state == "delayed" else {}
    accept(far, make_call(1, **delay))
    if state in {"running", "done"}:
        lease_all(far, limits={Lane.THREAD: 1}, seconds=0.001)
    if state == "done":
        finish(far)
    accept(far, make_call(2))
    with redis_server.client() as client:
        client.delete(f"{{zato:{cluster_name}}}:d:{call_id(1)}")

    found = [delivery.invocation.id for _ in range(2) for delivery in lease(far, token=OTHER)]
    finish(far, 2, token=OTHER)
    ask(far, Purge(-10_000_000_000))

    assert found == [call_id(2)]
    assert ask(far, Find()).records == []


def test_calls_that_replicas_must_have_are_refused_together() -> None:
    """Each of them alone would wait for a replica that is not there."""
    with RedisServer(min_replicas_to_write=1) as server:
        server.config_set(min_replicas_to_write=0)
        with closing(RedisBackend(Location(server.url, Path(), replicas=1), SystemClock())) as backend:
            server.config_set(min_replicas_to_write=1)
            began = time.monotonic()
            results = backend.apply([Accept(make_call(number)) for number in range(20)]).results

    assert time.monotonic() - began < 10
    assert all(isinstance(result, BrokerUnavailable) for result in results)
