"""The parts of a server, in the memory of the test's process.

Real are: the registry, the dispatcher, the publisher, the locks, the threads and the store, which is SQLite without a
file. There is no port, no process, no log of its own, and nobody who runs background calls unless the test says so
(`zato.testing.background`).
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from zato.broker.base import Announce, Applied, Operation
from zato.broker.batcher import Batcher
from zato.broker.sqlite import SQLiteBackend
from zato.core.invocation import Holder, Lane
from zato.server.builtin.basic import Echo, InputLogger, Ping
from zato.server.builtin.checking import CheckInput
from zato.server.builtin.deployed import Describe, GetList, GetSource
from zato.server.builtin.invocation import Cancel, Count, Get, GetTree, List, Replay
from zato.server.counts import Counting
from zato.server.deployment import Deployment
from zato.server.gate import Gate
from zato.server.holdings import Holdings
from zato.server.locks import Locks
from zato.server.publisher import Publisher
from zato.server.recorder import Recorder
from zato.server.records import Records
from zato.server.registry import Deployed, Registry, Services
from zato.server.threads import Budget, Threads
from zato.server.waiters import Waiters
from zato.testing.clock import Clock
from zato.testing.surroundings import KitFacilities
from zato.testing.watching import WatchedDispatcher

__all__ = ["HERE", "LEASE", "Memory"]

HERE = Holder("testing")
# Seconds that a lease lasts: longer than any test turns its clock.
LEASE = 10.0**9
# As the settings have it by default.
MAX_DEPTH = 32
MAX_STORED = 10_000_000
SLOTS = 32

Came = TypeVar("Came")


class _Store:
    """A store in memory, made when it is needed first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._backend: SQLiteBackend | None = None

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        if self._backend is None:
            self._backend = SQLiteBackend(Path(":memory:"), self._clock)
        return self._backend.apply(batch)

    def close(self) -> None:
        if self._backend is not None:
            self._backend.close()


class Memory:
    """A server without its doors. Coroutines run on an event loop that has a thread of its own.

    Attributes:
        services: what is deployed.
        facilities: what services have around them.
        dispatcher: what runs services.
        recorder: what says how a background call ended.
        budget: the slots for blocking services that have a time limit.
        running: the background call that runs now, by its id, and what stops it.
    """

    def __init__(self, clock: Clock) -> None:
        """Build everything, and start the two threads."""
        self._loop = loop = asyncio.new_event_loop()
        self._loop_thread = threading.Thread(target=loop.run_forever, name="zato-testing", daemon=True)
        self._batcher = batcher = Batcher(_Store(clock), loop)
        self._threads = Threads(loop, keep=1)
        self.services = Services()
        publisher = Publisher(self.services, batcher, max_stored=MAX_STORED, wall=clock.wall)
        self._waiters = Waiters()
        records = Records(batcher, batcher, self._waiters, Gate(SLOTS), wall=clock.wall)
        self.budget = Budget(self._threads, SLOTS, name="slots of the test")
        counts = Counting(self.services, batcher, batcher, HERE, is_alone=True)
        deployment = Deployment(self.services, counts, batcher, self.budget, server=HERE.server)
        self._builtins = _builtins(deployment, self.budget, records, publisher)
        self.facilities = KitFacilities(self.services, self._threads, clock)
        self.dispatcher = WatchedDispatcher(
            self.services,
            self._threads,
            publisher,
            Locks(batcher, HERE),
            loop=loop,
            facilities=self.facilities,
            max_depth=MAX_DEPTH,
        )
        self.running: dict[str, Callable[[], object]] = {}
        batcher.on_ended = self._ended
        self._announced: Registry | None = None
        batcher.start()
        self._loop_thread.start()
        self.recorder: Recorder = self.run(partial(_recorder, batcher, self.services, clock))
        self.deploy(())

    def deploy(self, deployed: Sequence[Deployed]) -> None:
        """Put services in force, beside the built-in ones and instead of all others."""
        self.services.current = Registry([*self._builtins, *deployed])

    def run(self, work: Callable[[], Coroutine[Any, Any, Came]]) -> Came:
        """Run a coroutine on the event loop, and return what it returns.

        Raises:
            RuntimeError: this is the event loop's own thread, which would wait for itself; or all is stopped.
        """
        if self._loop.is_closed():
            raise RuntimeError("This Zato is closed, so it runs nothing any more. Make a new one.")
        if threading.current_thread() is self._loop_thread:
            raise RuntimeError(
                "An asynchronous function cannot use the kit, whose event loop it is on. Use 'self.invoke' of the "
                "service, or a function that is not asynchronous."
            )
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    def ask(self, operation: Operation[Came]) -> Came:
        """Have the store carry out an operation, and return its result."""
        current = self.services.current
        if self._announced is not current:
            self._announced = current
            # All in one lane: what was accepted first runs first, whichever kind of service it is for.
            lanes = dict.fromkeys(current.lanes(), Lane.THREAD)
            self._batcher.wait(Announce(lanes, terms=current.terms()))
        return self._batcher.wait(operation)

    def close(self) -> None:
        """Stop everything. A blocking service that still runs keeps its thread to its end."""
        self._threads.close()
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
            self._batcher.close()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop_thread.join()
            self._loop.close()

    def _ended(self, ids: Sequence[str]) -> None:
        """Tell who waits for an outcome that it is there, and who runs the call that nobody needs it any more."""
        self._waiters.announce(ids)
        for call_id in ids:
            stop = self.running.get(call_id)
            if stop is not None:
                stop()


def _builtins(deployment: Deployment, slots: Budget, records: Records, publisher: Publisher) -> list[Deployed]:
    """Return the built-in services that services may invoke."""
    return [
        Deployed.builtin(Ping, Ping),
        Deployed.builtin(InputLogger, InputLogger),
        Deployed.builtin(Echo, Echo),
        *(Deployed.builtin(partial(kind, deployment), kind) for kind in (GetList, Describe, GetSource)),
        Deployed.builtin(partial(CheckInput, deployment, slots), CheckInput),
        Deployed.builtin(partial(Get, records, tracebacks=False), Get),
        Deployed.builtin(partial(List, records, tracebacks=False), List),
        *(Deployed.builtin(partial(kind, records), kind) for kind in (Count, GetTree)),
        Deployed.builtin(partial(Cancel, records, tracebacks=False), Cancel),
        Deployed.builtin(partial(Replay, records, publisher), Replay),
    ]


async def _recorder(batcher: Batcher, services: Services, clock: Clock) -> Recorder:
    holdings = Holdings(batcher, lease=LEASE, lost=_nothing)
    return Recorder(
        HERE.server, batcher, services, holdings, max_stored=MAX_STORED, caught_up=_nothing, wall=clock.wall
    )


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


def _nothing(*_: object) -> None:
    """Stand in for what a worker would do."""
