"""A worker on an event loop of its own, with a real store whose clock can be set and that can be away."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.facilities import make_facilities
from zato.broker.base import Announce, Applied, Cancel, Finish, Lease, Look, Operation, Unstorable
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.core.call import AsyncCall
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import Holder, Lane, Outcome, Record, Status
from zato.server.dispatcher import Dispatcher
from zato.server.locks import Locks
from zato.server.publisher import Publisher
from zato.server.registry import Deployed, Registry, Services
from zato.server.service import ServiceBase
from zato.server.threads import Threads
from zato.server.worker import Limits, Worker

__all__ = ["HERE", "LEASE", "TAKEN_OVER", "THERE", "Bench", "run_with_worker"]

LEASE = 15.0
HERE, THERE = Holder("here"), Holder("there")
TAKEN_OVER = b"another!"


class Clock(SystemClock):
    """The machine's clock, which a test sets forward."""

    ahead = 0

    def boot(self) -> int:
        return super().boot() + self.ahead


class Store:
    """A real backend that can be away for a while, and that may find outcomes too large.

    Attributes:
        away: operations that make their batch fail.
        too_large: outcomes that are refused.
        told: batches wait for it. It is set at first.
        asked: set when a batch has come, before it waits.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._backend = open_backend(Location("sqlite", folder), clock)
        self.away: tuple[type[Operation[Any]], ...] = ()
        self.too_large: tuple[Status, ...] = ()
        self.told, self.asked = threading.Event(), threading.Event()
        self.told.set()

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        self.asked.set()
        self.told.wait(30)
        if any(isinstance(operation, self.away) for operation in batch):
            raise BrokerUnavailable("The disk is full.")
        if not self.too_large:
            return self._backend.apply(batch)
        whole = Applied()
        for operation in batch:
            refused = isinstance(operation, Finish) and operation.outcome.status in self.too_large
            part = Applied(results=[Unstorable("too big")]) if refused else self._backend.apply([operation])
            whole = Applied(whole.results + part.results, whole.ready or part.ready, whole.ended + part.ended)
        return whole

    def close(self) -> None:
        self._backend.close()


class Bench:
    """A worker with everything it needs, for the time of a `with`.

    Attributes:
        on_exit: called before the worker is ended, so that what waits for a test can end.
    """

    def __init__(
        self, folder: Path, kinds: Sequence[type[ServiceBase]], *, lease: float, slots: int, held: int
    ) -> None:
        loop = asyncio.get_running_loop()
        self._lease = lease
        self.clock = Clock()
        self.store = Store(folder, self.clock)
        self.batcher = Batcher(self.store, loop)
        self.threads = Threads(loop, keep=0)
        self.services = Services(Registry(map(Deployed.of, kinds)))
        self.publisher = Publisher(self.services, self.batcher, max_stored=1_000)
        self.facilities = make_facilities(self.services, self.threads, folder)
        dispatcher = Dispatcher(
            self.services,
            self.threads,
            self.publisher,
            Locks(self.batcher, Holder("server1")),
            facilities=self.facilities,
            loop=loop,
            max_depth=5,
        )
        limits = Limits(
            threads=slots, tasks=slots, lease=lease, max_takeovers=3, max_stored=1_000, retention=60, held=held
        )
        self.worker = Worker(HERE, self.batcher, self.services, dispatcher, self.threads, limits=limits)
        self.on_exit: Callable[[], object] = list

    async def __aenter__(self) -> "Bench":
        self.batcher.on_ended = self.worker.ended
        self.batcher.start()
        await self.batcher.ask(Announce(self.services.current.lanes()))
        self.worker.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.on_exit()
        self.store.told.set()
        self.worker.stop_leasing()
        await self.worker.release_all()
        self.threads.close()
        await self.until(lambda: self.threads.count == 0)
        self.batcher.close()

    async def publish(self, name: str, **options: Any) -> str:
        """Accept a call and return its id."""
        return (await self.publisher.publish(AsyncCall(service=name, **options))).id

    async def cancel(self, call_id: str) -> bool:
        """Cancel a call, and return whether it was."""
        return await self.batcher.ask(Cancel(call_id, Outcome(status=Status.CANCELLED, ended=1)))

    async def take_over(self) -> None:
        """Lease what runs, as another server, when its lease has ended and the worker has not noticed yet."""
        lease = Lease(holder=THERE, limits={Lane.THREAD: 9, Lane.TASK: 9}, token=TAKEN_OVER, seconds=LEASE)
        while True:
            # Refused if it is in one batch with what the store is away for.
            with suppress(BrokerUnavailable):
                if (await self.batcher.ask(lease)).deliveries:
                    return
                self.clock.ahead += round(self._lease * 1000) + 1

    async def look(self, call_id: str) -> Record:
        """Return a call's record as it is now."""
        record = await self.batcher.ask(Look(id=call_id))
        assert record is not None
        return record

    async def ended(self, call_id: str) -> Record:
        """Return a call's record once it has an outcome."""
        async with asyncio.timeout(10):
            while (record := await self.look(call_id)).outcome is None:  # noqa: ASYNC110 -- a thread changes it
                await asyncio.sleep(0.001)
        return record

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once a condition is true."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 -- threads change it
                await asyncio.sleep(0.001)


def run_with_worker(
    folder: Path,
    scenario: Callable[[Bench], Coroutine[Any, Any, Any]],
    kinds: Sequence[type[ServiceBase]],
    *,
    on_exit: Callable[[], object] = list,
    lease: float = LEASE,
    slots: int = 4,
    held: int = 100_000,
) -> Any:
    """Run a scenario with a worker that has these services, and return what it returns."""

    async def main() -> Any:
        async with Bench(folder, kinds, lease=lease, slots=slots, held=held) as bench:
            bench.on_exit = on_exit
            return await scenario(bench)

    return asyncio.run(main())
