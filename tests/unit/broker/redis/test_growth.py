"""Nothing grows without bound: what has ended and is purged leaves neither a key nor memory behind.

With `GROWTH=100000` in the environment it is that many calls.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.contract.calls import HOLDER, ask
from tests.support.redis import RedisServer
from zato.broker.audit import Note
from zato.broker.base import Accept, Announce, Backend, Beat, Cancel, Finish, Lease, Operation, Postpone, Purge, Release
from zato.broker.clock import SystemClock
from zato.broker.cluster import Lock, Pause, Queues, Unlock
from zato.broker.documents import Forget, ForgetAll, Keep, PurgeKept
from zato.broker.open import Location
from zato.broker.redis.backend import RedisBackend
from zato.core.audit import AuditEntry
from zato.core.invocation import Delivery, ErrorInfo, Failure, Invocation, Lane, Outcome, Status, Terms

CALLS = int(os.environ.get("GROWTH", "25000"))
WARM_UP = 2_000
BATCH = 500
SERVICES = {f"service.{number}": (Lane.THREAD, Lane.TASK)[number % 2] for number in range(10)}
TERMS = {"service.3": Terms(max_concurrency=400)}
# Of what allocators keep, and of tables that shrink later.
SLACK = 250_000


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis whose memory is this test's alone."""
    with RedisServer() as started:
        yield started


class _Life:
    """Calls of all kinds, from their acceptance to their end."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._number = 0
        self._returned: set[str] = set()

    def live(self, calls: int) -> None:
        """Accept and end so many, follow-ups among them, and delete what is left of them."""
        until = self._number + calls
        while self._number < until:
            token = self._number.to_bytes(8, "big")
            self._backend.apply([Accept(self._call()) for _ in range(BATCH - BATCH // 10)])
            lock = f"lock.{self._number}"
            ask(self._backend, Lock(lock, token, 20))
            for _ in range(3):
                self._run(token)
            ask(self._backend, Unlock(lock, token))
        for _ in range(3):
            self._run(b"last")
        self._keep(calls // 20)
        for purge in (Purge(-60, 500), PurgeKept(-60, 500)):
            while ask(self._backend, purge).more:
                pass
        assert ask(self._backend, Queues()) == []

    def _keep(self, documents: int) -> None:
        """Keep documents that end, are replaced or forgotten, and note who did that."""
        for number in range(documents):
            owner, key = f"owner.{number % 50}", f"{number % 999}"
            entry = AuditEntry(time=_now(), user=owner, action="keep", object=key, cid=f"{number}")
            kept = Keep("session", key, b"x" * 100, owner=owner, seconds=0, only_new=number % 3 == 0)
            call = Keep("call", f"{number}", b"x" * 100, owner=owner, at_most=5)
            self._backend.apply([kept, call, Note(entry), Forget("session", f"{number % 7}")])
        for number in range(50):
            ask(self._backend, ForgetAll("call", f"owner.{number}"))

    def _run(self, token: bytes) -> None:
        limits = {Lane.THREAD: BATCH, Lane.TASK: BATCH}
        leased = ask(self._backend, Lease(holder=HOLDER, limits=limits, token=token, seconds=60)).deliveries
        if leased:
            ask(self._backend, Beat(tuple((each.invocation.id, token) for each in leased), 60))
            self._backend.apply(self._ends(leased))

    def _ends(self, leased: Sequence[Delivery]) -> list[Operation[object]]:
        ends = [self._end(delivery, int(delivery.invocation.id)) for delivery in leased]
        # What stands together goes together, which takes less time.
        return sorted(ends, key=lambda end: type(end).__name__)

    def _end(self, delivery: Delivery, number: int) -> Operation[object]:
        call, token = delivery.invocation, delivery.token
        failed = ErrorInfo("error", "ValueError", "No")
        if number % 20 == 3 and not delivery.attempts:
            failure = Failure(attempt=1, started=1, ended=2, server="a", error=failed)
            return Postpone(call.id, token, 1, 1, failure=failure)
        if number % 97 == 5:
            return Cancel(call.id, Outcome(status=Status.CANCELLED, ended=_now()))
        if number % 101 == 7 and call.id not in self._returned:
            self._returned.add(call.id)
            return Release(call.id, token) if number % 2 else Postpone(call.id, token, 1, 0, started=False)
        status = Status.FAILED if number % 10 == 4 else Status.DONE
        outcome = Outcome(status=status, ended=_now(), response=b"x" * 100, attempts=1)
        follow_ups = (self._call(parent=call.cid),) if number % 10 == 0 and call.parent is None else ()
        return Finish(call.id, token, outcome, follow_ups)

    def _call(self, **fields: object) -> Invocation:
        self._number += 1
        number, now = self._number, _now()
        call = Invocation(
            id=f"{number:026}",
            cid=f"cid-{number - number % 3}",
            service=f"service.{number % 10}",
            payload=b"x" * (number % 500),
            created=now,
            queue=f"queue.{number % 3}",
            priority=(1, 5, 9)[number % 3],
            not_before=now if number % 15 == 1 else None,
            expires=now + 60_000 if number % 15 == 2 else None,
            idempotency_key=f"key-{number}" if number % 4 == 0 else None,
        )
        return msgspec.structs.replace(call, **fields)


def _now() -> int:
    return int(time.time() * 1000)


@pytest.mark.no_cover
@pytest.mark.timeout(900)
def test_many_calls_leave_nothing(server: RedisServer) -> None:
    """Whatever their priority, queue and service, with keys, delays, retries, follow-ups, and however they end."""
    with (
        closing(RedisBackend(Location(server.url, Path(), tag="t"), SystemClock())) as backend,
        server.client() as client,
    ):
        ask(backend, Announce(SERVICES, terms=TERMS, server=HOLDER.server))
        ask(backend, Pause("queue.never", paused=True))
        ask(backend, Pause("queue.never", paused=False))
        life = _Life(backend)
        life.live(WARM_UP)
        keys, used = client.dbsize(), client.info("memory")["used_memory"]
        life.live(CALLS)

        assert client.dbsize() == keys, list(client.scan_iter(count=1000))
        grown = client.info("memory")["used_memory"] - used
        print(f"{CALLS} calls: {grown} bytes")
        assert grown < SLACK
