"""The worker on a broker whose clock can be set: what real processes show only on bad days."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from zato.broker.base import Announce, Applied, Finish, Lease, Look, Operation, Reclaim
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.open import open_backend
from zato.core.call import AsyncCall
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import Record, Status
from zato.server.dispatcher import Dispatcher
from zato.server.publisher import Publisher
from zato.server.registry import Deployed, Registry, Services
from zato.server.service import AsyncService, Service
from zato.server.threads import Threads
from zato.server.worker import Limits, Worker

LEASE = 15.0
begun: list[str] = []
gates: dict[str, threading.Event] = {}


class Slow(Service):
    """Ends when the gate of its turn is open: the first run at `1`, the second at `2`."""

    name = "slow"

    def handle(self) -> str:
        begun.append(self.name)
        turn = str(len(begun))
        gates[turn].wait(30)
        return f"run {turn}"


class OnLoop(AsyncService):
    name = "on-loop"

    async def handle(self) -> str:
        begun.append(self.name)
        return "done"


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class Broken(AsyncService):
    name = "broken"

    async def handle(self) -> None:
        raise Unprintable


class Clock(SystemClock):
    """The machine's clock, which a test sets forward."""

    ahead = 0

    def boot(self) -> int:
        return super().boot() + self.ahead


class Store:
    """A real backend that can be away for a while."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._backend = open_backend("sqlite", folder, clock)
        self.away: tuple[type[Operation[Any]], ...] = ()

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        if any(isinstance(operation, self.away) for operation in batch):
            raise BrokerUnavailable("The disk is full.")
        return self._backend.apply(batch)

    def close(self) -> None:
        self._backend.close()


class Bench:
    """A worker with everything it needs, for the time of a `with`."""

    def __init__(self, folder: Path, lease: float) -> None:
        loop = asyncio.get_running_loop()
        self.clock = Clock()
        self.store = Store(folder, self.clock)
        self.batcher = Batcher(self.store, loop)
        self.threads = Threads(loop, keep=0)
        self.services = Services(Registry(map(Deployed.of, (Slow, OnLoop, Broken))))
        self.publisher = Publisher(self.services, self.batcher, max_stored=1_000)
        dispatcher = Dispatcher(self.services, self.threads, self.publisher, loop=loop, max_depth=5)
        limits = Limits(threads=4, tasks=4, lease=lease, max_takeovers=3, max_stored=1_000, retention=60)
        self.worker = Worker("here", self.batcher, self.services, dispatcher, self.threads, limits=limits)

    async def __aenter__(self) -> "Bench":
        begun.clear()
        gates.update({turn: threading.Event() for turn in "123"})
        self.batcher.start()
        await self.batcher.ask(Announce(self.services.current.lanes()))
        self.worker.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        for gate in gates.values():
            gate.set()
        self.worker.stop_leasing()
        await self.worker.release_all()
        self.threads.close()
        await self.until(lambda: self.threads.count == 0)
        self.batcher.close()

    async def publish(self, name: str) -> str:
        """Accept a call and return its id."""
        return (await self.publisher.publish(AsyncCall(service=name))).id

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


def run(folder: Path, scenario: Callable[[Bench], Coroutine[Any, Any, Any]], lease: float = LEASE) -> Any:
    """Run a scenario with a worker on an event loop of its own."""

    async def main() -> Any:
        async with Bench(folder, lease) as bench:
            return await scenario(bench)

    return asyncio.run(main())


def test_lease_that_ended_while_the_machine_slept(tmp_path: Path) -> None:
    """A worker that leases again what it still runs records one outcome, of the run that holds the lease."""

    async def scenario(bench: Bench) -> Record:
        call_id = await bench.publish("slow")
        await bench.until(lambda: len(begun) == 1)
        bench.clock.ahead += int(LEASE * 1000) + 1
        bench.worker.pull()
        await bench.until(lambda: len(begun) == 2)
        gates["1"].set()
        await bench.until(lambda: bench.worker.running == 1)
        gates["2"].set()
        return await bench.ended(call_id)

    record = run(tmp_path, scenario)

    assert record.outcome.response == b'"run 2"'
    assert (record.status, record.takeovers) == (Status.DONE, 1)


def test_work_that_outlasts_its_lease(tmp_path: Path) -> None:
    """A call keeps its lease for as long as it runs, however short the lease is."""

    async def scenario(bench: Bench) -> Record:
        call_id = await bench.publish("slow")
        await bench.until(lambda: len(begun) == 1)
        later = bench.clock.boot() + 2_000
        await bench.until(lambda: bench.clock.boot() > later)
        bench.worker.pull()
        await bench.look(call_id)
        gates["1"].set()
        return await bench.ended(call_id)

    record = run(tmp_path, scenario, lease=1.0)

    assert (record.status, record.takeovers, begun) == (Status.DONE, 0, ["slow"])


def test_outcome_that_cannot_be_recorded_now(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While the store is away the outcome is kept and nothing is leased; then it is recorded, after one run."""

    async def scenario(bench: Bench) -> tuple[Record, Record]:
        call_id = await bench.publish("slow")
        await bench.until(lambda: len(begun) == 1)
        bench.store.away = (Finish,)
        gates["1"].set()
        await bench.until(lambda: "waits to be recorded" in caplog.text)
        other = await bench.publish("on-loop")
        bench.worker.pull()
        waiting = await bench.look(other)
        bench.store.away = ()
        await bench.ended(other)
        assert waiting.status is Status.WAITING
        return await bench.ended(call_id), await bench.ended(other)

    first, second = run(tmp_path, scenario)

    assert [record.status for record in (first, second)] == [Status.DONE, Status.DONE]
    assert begun == ["slow", "on-loop"]


def test_lease_that_cannot_be_had_now(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker whose store is away asks again, and work goes on when the store is back."""

    async def scenario(bench: Bench) -> Record:
        bench.store.away = (Lease,)
        bench.worker.pull()
        await bench.until(lambda: "Cannot lease work: The disk is full." in caplog.text)
        call_id = await bench.publish("on-loop")
        bench.store.away = ()
        return await bench.ended(call_id)

    assert run(tmp_path, scenario).status is Status.DONE


def test_error_that_cannot_be_printed(tmp_path: Path) -> None:
    """An error whose own code fails is an outcome all the same."""

    async def scenario(bench: Bench) -> Record:
        return await bench.ended(await bench.publish("broken"))

    record = run(tmp_path, scenario)

    assert (record.status, record.outcome.error.type) == (Status.FAILED, "Unprintable")


def test_service_that_went_away_after_it_was_leased(tmp_path: Path) -> None:
    """A delivery whose service is not deployed any more is given back, for whoever has it."""

    async def scenario(bench: Bench) -> list[object]:
        deployed = bench.services.current
        call_id = await bench.publish("slow")
        await bench.until(lambda: len(begun) == 1)
        released = await bench.batcher.ask(Reclaim())
        bench.services.current = Registry()
        bench.worker.pull()
        await bench.batcher.ask(Look(id=call_id))
        bench.services.current = deployed
        await bench.until(lambda: len(begun) == 2)
        gates["2"].set()
        record = await bench.ended(call_id)
        return [released, record.status, record.takeovers]

    assert run(tmp_path, scenario) == [1, Status.DONE, 1]
