"""The broker's file, or its Redis: how calls ended, and stores that are full before a server starts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import apsw

from bench.servers import CLUSTER, ZatoServer
from bench.work import Redis, payload
from zato.broker.base import Accept, Accepted, Announce, Finish, Lease, Leased
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.broker.sqlite import SQLiteBackend
from zato.core.invocation import Delivery, Holder, Invocation, Lane, Outcome, Status
from zato.core.payload import encode
from zato.server.identity import new_cid, new_invocation_id, new_token

__all__ = ["SERVICE", "Outcomes", "Store", "done", "is_pending", "outcomes", "reading", "responses"]

BATCH = 100
SERVICE = "bench.empty"
HOLDER = Holder("bench")
LEASE = 3600.0


class _Clock(SystemClock):
    """The system's clocks, the wall clock some seconds behind."""

    def __init__(self, behind: float) -> None:
        super().__init__()
        self._behind = round(behind * 1000)

    def wall(self) -> int:
        return super().wall() - self._behind


class Store:
    """A broker without a server: calls are put in, taken out and ended, so many in a batch.

    It is used through the same `apply` as by a server's store thread. Numbers of calls are multiples of `batch`.

    Attributes:
        batch: how many operations go together.
    """

    def __init__(self, place: Path | Location, *, behind: float = 0, batch: int = BATCH) -> None:
        """Open the place, or make the file. What is written there is `behind` seconds old."""
        self.batch = batch
        self._clock = _Clock(behind)
        self._backend = (
            open_backend(place, self._clock) if isinstance(place, Location) else SQLiteBackend(place, self._clock)
        )
        self._backend.apply([Announce({SERVICE: Lane.THREAD}, server=HOLDER.server)])

    def accept(self, calls: int) -> None:
        """Accept a number of calls."""
        for _ in range(calls // self.batch):
            results = self._backend.apply([Accept(self._call(number)) for number in range(self.batch)]).results
            assert all(isinstance(result, Accepted) for result in results), results

    def lease(self, calls: int) -> list[Delivery]:
        """Lease a number of calls, of which there are enough."""
        found: list[Delivery] = []
        for _ in range(calls // self.batch):
            lease = Lease(holder=HOLDER, limits={Lane.THREAD: self.batch}, token=new_token(), seconds=LEASE)
            (leased,) = self._backend.apply([lease]).results
            assert isinstance(leased, Leased), leased
            assert len(leased.deliveries) == self.batch, len(leased.deliveries)
            found += leased.deliveries
        return found

    def finish(self, deliveries: Sequence[Delivery]) -> None:
        """Record that these are done."""
        for start in range(0, len(deliveries), self.batch):
            now = self._clock.wall()
            outcome = Outcome(status=Status.DONE, ended=now, attempts=1, started=now, server=HOLDER.server)
            some = deliveries[start : start + self.batch]
            results = self._backend.apply([Finish(each.invocation.id, each.token, outcome) for each in some]).results
            assert all(result is True for result in results), results

    def close(self) -> None:
        """Close the file."""
        self._backend.close()

    def _call(self, number: int) -> Invocation:
        now = self._clock.wall()
        return Invocation(
            id=new_invocation_id(now), cid=new_cid(), service=SERVICE, payload=encode(payload(number)), created=now
        )


class Outcomes(Protocol):
    """How the calls of a server, or of its cluster, stand."""

    def is_pending(self) -> bool:
        """Tell whether a call has no outcome yet."""

    def done(self) -> int:
        """Return how many calls are done."""


class _InFile:
    def __init__(self, file: apsw.Connection) -> None:
        self._file = file

    def is_pending(self) -> bool:
        return is_pending(self._file)

    def done(self) -> int:
        return done(self._file)


class _InRedis:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def is_pending(self) -> bool:
        return bool(self._size("h:open"))

    def done(self) -> int:
        return self._size("h:all") - self._size("h:open") - self._size("h:failed")

    def _size(self, kind: str) -> int:
        return int(self._redis.ask("ZCARD", f"{{zato:{CLUSTER}}}:{kind}")[1:])


@contextmanager
def outcomes(server: ZatoServer) -> Iterator[Outcomes]:
    """Look at the calls of a server, wherever they are."""
    if server.shared:
        redis = Redis(server.redis_port)
        try:
            yield _InRedis(redis)
        finally:
            redis.close()
    else:
        with reading(server.store) as file:
            yield _InFile(file)


@contextmanager
def reading(file: Path) -> Iterator[apsw.Connection]:
    """Read a file that a server writes."""
    connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        yield connection
    finally:
        connection.close()


def is_pending(file: apsw.Connection) -> bool:
    """Tell whether a call has no outcome yet."""
    return bool(file.execute("SELECT EXISTS (SELECT 1 FROM pending)").get)


def done(file: apsw.Connection) -> int:
    """Return how many calls are done."""
    return int(file.execute("SELECT count(*) FROM outcome WHERE status = 'done'").get)


def responses(file: apsw.Connection, service: str) -> list[bytes | None]:
    """Return what a service has returned, from its first call to its last; None is nothing."""
    rows = file.execute(
        "SELECT response FROM outcome JOIN invocation USING (seq) WHERE service = ? ORDER BY seq", (service,)
    )
    return [response for (response,) in rows]
