"""Servers of one cluster, the Redis they share, and what that has of their calls in the end."""

import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.chaos.breakings import chaos_environment
from tests.chaos.history import History, Recorded, Told, journal, run_of
from tests.chaos.server import BreakableServer
from tests.chaos.traps import Traps
from tests.support.networks import Network
from tests.support.redis import RedisServer
from tests.support.relay import Relay
from tests.support.waiting import wait_until
from zato.broker.base import Find, Found, Look
from zato.broker.clock import SystemClock
from zato.broker.cluster import Queues, QueueState
from zato.broker.open import Location, open_reader
from zato.core.invocation import Record, Status
from zato.environment import Environment

__all__ = ["LEASE", "Arena", "Durability"]

CLUSTER = "chaos"
LEASE = 2.0
# Seconds that everything may take to end once nothing is broken any more.
CALM = 40.0
PAGE = 500
BUSY = 2
# What is empty, by the data model in `model.lua`, when no call is without an outcome.
OF_OPEN_CALLS = ("lease", "due", "exp", "ne", "parked", "delayed", "h:open")


@dataclass(frozen=True, slots=True)
class Durability:
    """How sure a Redis is of what it has, and what servers want of it.

    Attributes:
        name: of it, in the table.
        program: which server Redis is.
        redis: its options.
        settings: of the servers.
        is_copied: a replica has what the master has, and calls count as accepted when it has them.
        forgets: Redis may forget its last seconds when it is killed.
    """

    name: str
    program: str = "redis-server"
    redis: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    is_copied: bool = False
    forgets: bool = False


class Arena:
    """The servers, each with a folder of its own. Use it in a `with`; leaving kills them.

    Attributes:
        redis: what they share.
        environments: of the servers, in their order.
        servers: those that run now, in the same order.
        network: the namespace in which the last one runs, if it has one.
        relay: stands between the first one and Redis, if there is one.
    """

    def __init__(
        self,
        folder: Path,
        redis: RedisServer,
        url: str | None = None,
        *,
        servers: int = 3,
        network: Network | None = None,
        relay: Relay | None = None,
        **settings: object,
    ) -> None:
        """Make the environments.

        Args:
            folder: an empty one.
            redis: what they share.
            url: where it is, unless that follows from `redis`.
            servers: how many there are.
            network: a namespace for the last one.
            relay: what the first one reaches Redis through.
            settings: of all of them.
        """
        self.redis = redis
        self.network = network
        self.relay = relay
        self.environments: list[Environment] = []
        self.servers: list[BreakableServer] = []
        self._stack = ExitStack()
        self._url = url or redis.url
        given = {"cluster": CLUSTER, "lease": LEASE, "log_level": "ERROR", "access_log": False, "grace": 2.0}
        for number in range(servers):
            named = {"name": f"server{number}", **self._place(number, servers)}
            self.environments.append(chaos_environment(folder / f"server{number}", **{**given, **named, **settings}))
        self._share_journal()

    def __enter__(self) -> Self:
        try:
            self.servers = [self._started(number) for number in range(len(self.environments))]
            for server in self.servers:
                server.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        for server in self.servers:
            # One that stands still cannot be asked to end.
            server.kill()

    def start_dead(self) -> None:
        """Start again whatever is dead."""
        for number, server in enumerate(self.servers):
            if server.process.poll() is not None:
                self.servers[number] = self._started(number)
        for server in self.servers:
            server.wait_ready()

    def traps(self, number: int) -> Traps:
        """Return the traps of a server."""
        return Traps(self.environments[number].path)

    def pids(self, number: int) -> frozenset[int]:
        """Return the processes of a server."""
        return frozenset(process.pid for process in self.servers[number].processes())

    def send(self, number: int, what: signal.Signals) -> None:
        """Send a signal to all processes of a server."""
        os.killpg(self.servers[number].process.pid, what)

    def wait_busy(self, number: int) -> None:
        """Return when a server runs several calls at once."""
        wait_until(lambda: self._running(number) >= BUSY, CALM, what=f"{BUSY} calls that run on server {number}")

    def wait_calm(self) -> list[str]:
        """Return when every call has its outcome; else, after a while, what is known of those that have none."""
        with suppress(AssertionError):
            wait_until(lambda: not self.open(), CALM)
        waiting: Found = self._ask(Find(limit=PAGE))[0] if self.open() else Found([], None)
        return [_described(record) for record in waiting.records if record.outcome is None]

    def open(self) -> int:
        """Return how many calls have no outcome yet."""
        states: list[QueueState] = self._ask(Queues())[0]
        return sum(state.waiting + state.delayed + state.running + state.stranded for state in states)

    def history(self, told: Iterable[Told]) -> History:
        """Return the history of these calls, and of their callbacks."""
        started = journal(self.environments[0].path)
        whole = History([], started, self._recorded(), refused_may_run=True)
        return whole.only(told)

    def strangers(self, told: Iterable[Told]) -> list[str]:
        """Return the calls that are stored, and that nobody made."""
        known = {each.cid for each in told}
        return sorted({each.cid for each in self._recorded() if (each.in_reply_to or each.cid) not in known})

    def leftovers(self) -> list[str]:
        """Return the keys in Redis that must not be there when every call has its outcome, and what is in them."""
        prefix = f"{{zato:{CLUSTER}}}:"
        with self.redis.client() as client:
            keys = [f"{prefix}{name}" for name in OF_OPEN_CALLS]
            for kind in ("i", "r", "run"):
                keys += [str(key) for key in client.scan_iter(f"{prefix}{kind}:*", count=PAGE)]
            return [key for key in keys if client.exists(key)]

    def _place(self, number: int, servers: int) -> dict[str, str]:
        """Return where a server listens, and where it finds Redis."""
        if self.network is not None and number == servers - 1:
            return {"host": self.network.front.there, "broker": f"redis://{self.network.back.here}:{self.redis.port}"}
        if self.relay is not None and number == 0:
            return {"broker": f"redis://127.0.0.1:{self.relay.port}"}
        return {"broker": self._url}

    def _running(self, number: int) -> int:
        found: Found = self._ask(Find(status=Status.RUNNING, limit=PAGE))[0]
        return sum(record.server == f"server{number}" for record in found.records)

    def _started(self, number: int) -> BreakableServer:
        is_far = self.network is not None and number == len(self.environments) - 1
        within = self.network.within if self.network and is_far else ()
        return BreakableServer(self.environments[number], within=within)

    def _share_journal(self) -> None:
        """Have all services write to one journal: some look into it, to see how often they were started."""
        first, *others = (Traps(environment.path).folder / "journal" for environment in self.environments)
        for other in others:
            other.symlink_to(first)

    def _recorded(self) -> list[Recorded]:
        """Return what Redis has, as servers read it."""
        found: list[Recorded] = []
        cursor: int | None = None
        while True:
            page: Found = self._ask(Find(limit=PAGE, cursor=cursor))[0]
            looks = [Look(id=record.invocation.id) for record in page.records]
            found += [_recorded(record) for record in self._ask(*looks) if record is not None]
            cursor = page.cursor
            if cursor is None:
                return found

    def _ask(self, *operations: Any) -> Sequence[Any]:
        location = Location(self._url, self.environments[0].data, cluster=CLUSTER)
        with closing(open_reader(location, SystemClock())) as backend:
            results = backend.apply(operations).results
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results


def _described(record: Record) -> str:
    call = record.invocation
    wait = 0.0 if record.not_before is None else record.not_before / 1000 - time.time()
    return f"{call.cid} {call.service} {record.status} on {record.server}, attempts {record.attempts}, in {wait:.1f} s"


def _recorded(record: Record) -> Recorded:
    outcome, invocation = record.outcome, record.invocation
    return Recorded(
        invocation.cid,
        invocation.service,
        invocation.in_reply_to,
        outcome.status.value if outcome else None,
        run_of(outcome.response) if outcome else None,
        waits=outcome is None,
        attempts=max(1, record.attempts),
        takeovers=record.takeovers,
    )
