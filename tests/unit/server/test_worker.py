"""The worker on a broker whose clock can be set: what real processes show only on bad days."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from zato.broker.base import Announce, Applied, Finish, Lease, Look, Operation, Reclaim, Release, Unstorable
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.open import open_backend
from zato.core.call import AsyncCall
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import Lane, Outcome, Record, Status
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
    """Ends when the gate of its turn is open: the first run at `1`, and so on."""

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


class Fatal(Exception):
    """An error whose own code is worse than itself."""

    def with_traceback(self, trace: object) -> "Fatal":
        raise SystemExit("no traceback")


class FatalHere(Service):
    name = "fatal-here"

    def handle(self) -> None:
        begun.append(self.name)
        raise Fatal


class FatalOnLoop(AsyncService):
    name = "fatal-on-loop"

    async def handle(self) -> None:
        begun.append(self.name)
        raise Fatal


class Clock(SystemClock):
    """The machine's clock, which a test sets forward."""

    ahead = 0

    def boot(self) -> int:
        return super().boot() + self.ahead


class Store:
    """A real backend that can be away for a while, and that may find outcomes too large."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._backend = open_backend("sqlite", folder, clock)
        self.away: tuple[type[Operation[Any]], ...] = ()
        self.too_large: tuple[Status, ...] = ()

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
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
    """A worker with everything it needs, for the time of a `with`."""

    def __init__(self, folder: Path, lease: float) -> None:
        loop = asyncio.get_running_loop()
        self.clock = Clock()
        self.store = Store(folder, self.clock)
        self.batcher = Batcher(self.store, loop)
        self.threads = Threads(loop, keep=0)
        self.services = Services(Registry(map(Deployed.of, (Slow, OnLoop, Broken, FatalHere, FatalOnLoop))))
        self.publisher = Publisher(self.services, self.batcher, max_stored=1_000)
        dispatcher = Dispatcher(self.services, self.threads, self.publisher, loop=loop, max_depth=5)
        limits = Limits(threads=4, tasks=4, lease=lease, max_takeovers=3, max_stored=1_000, retention=60)
        self.worker = Worker("here", self.batcher, self.services, dispatcher, self.threads, limits=limits)

    async def __aenter__(self) -> "Bench":
        begun.clear()
        gates.update({turn: threading.Event() for turn in map(str, range(1, 13))})
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

    async def publish(self, name: str, **options: Any) -> str:
        """Accept a call and return its id."""
        return (await self.publisher.publish(AsyncCall(service=name, **options))).id

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


async def lease_elsewhere(bench: Bench, token: bytes = b"another!", room: int = 9) -> None:
    """Lease what there is, as another server."""
    await bench.batcher.ask(Lease(server="there", limits={Lane.THREAD: room}, token=token, seconds=LEASE))


def test_lease_that_ended_while_the_machine_slept(tmp_path: Path) -> None:
    """A worker that wakes up before anybody took over its calls goes on with them, and runs none twice."""

    async def scenario(bench: Bench) -> Record:
        call_id = await bench.publish("slow")
        await bench.until(lambda: len(begun) == 1)
        bench.clock.ahead += int(LEASE * 1000) + 1
        bench.worker.pull()
        await bench.look(call_id)
        gates["1"].set()
        return await bench.ended(call_id)

    record = run(tmp_path, scenario)

    assert (record.outcome.response, record.takeovers, begun) == (b'"run 1"', 0, ["slow"])


def test_lease_that_somebody_else_took_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that wakes up after another server took over its call records nothing, and says so."""

    async def scenario(bench: Bench) -> Record:
        call_id = await bench.publish("slow")
        await bench.until(lambda: len(begun) == 1)
        bench.clock.ahead += int(LEASE * 1000) + 1
        await lease_elsewhere(bench)
        gates["1"].set()
        await bench.until(lambda: bench.worker.running == 0)
        await bench.batcher.ask(Finish(call_id, b"another!", Outcome(status=Status.DONE, ended=1, response=b'"there"')))
        return await bench.ended(call_id)

    record = run(tmp_path, scenario)

    assert (record.outcome.response, record.takeovers, begun) == (b'"there"', 1, ["slow"])
    assert "The outcome of slow was not recorded" in caplog.text


def test_no_more_is_leased_than_there_are_slots(tmp_path: Path) -> None:
    """Calls that are given up at once do not make room for more than fits beside the rest of their batch."""

    async def scenario(bench: Bench) -> tuple[int, int]:
        bench.worker.stop_leasing()
        doomed = [await bench.publish("slow") for _ in range(2)]
        for _ in range(4):
            await lease_elsewhere(bench)
            await bench.batcher.ask(Reclaim())
        for _ in range(8):
            await bench.publish("slow")
        bench.worker.start()
        for call_id in doomed:
            await bench.ended(call_id)
        await bench.until(lambda: len(begun) >= 4)
        await bench.look(doomed[0])
        return len(begun), bench.worker.running

    assert run(tmp_path, scenario) == (4, 4)


@pytest.mark.parametrize("name", ["fatal-here", "fatal-on-loop"])
def test_error_whose_own_code_ends_processes(tmp_path: Path, name: str) -> None:
    """Each call gets its outcome after one run, and gives its slot back."""

    async def scenario(bench: Bench) -> list[Record]:
        return [await bench.ended(await bench.publish(name)) for _ in range(6)]

    records = run(tmp_path, scenario)

    assert [(each.status, each.outcome.error.code) for each in records] == [(Status.FAILED, "unrecordable")] * 6
    assert begun == [name] * 6


def test_outcome_that_can_never_be_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is too large for the store ends the call as failed, with a reason that is small; leasing goes on."""

    async def scenario(bench: Bench) -> Record:
        bench.store.too_large = (Status.DONE,)
        return await bench.ended(await bench.publish("on-loop"))

    record = run(tmp_path, scenario)

    assert (record.status, record.outcome.error.code, begun) == (Status.FAILED, "unrecordable", ["on-loop"])
    assert record.outcome.started is not None
    assert "How on-loop ended cannot be recorded: Unstorable: too big" in caplog.text


def test_store_that_refuses_every_outcome(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A delivery for which even the small reason is refused is let go, with a line in the log."""

    async def scenario(bench: Bench) -> Status:
        bench.store.too_large = (Status.DONE, Status.FAILED)
        call_id = await bench.publish("on-loop")
        await bench.until(lambda: "on-loop has no outcome" in caplog.text)
        assert bench.worker.running == 0
        return (await bench.look(call_id)).status

    assert run(tmp_path, scenario) is Status.RUNNING


def test_call_that_could_not_be_started_in_time(tmp_path: Path) -> None:
    """A delivery that is put off because its service went away expires, although it was leased."""

    async def scenario(bench: Bench) -> Record:
        bench.worker.stop_leasing()
        call_id = await bench.publish("on-loop", expiration=0.5)
        bench.services.current = Registry()
        bench.worker.start()
        return await bench.ended(call_id)

    record = run(tmp_path, scenario)

    assert (record.status, record.started, begun) == (Status.EXPIRED, None, [])


def test_stop_while_the_store_is_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be given back is let go with one line in the log: the stop goes on."""

    async def scenario(bench: Bench) -> int:
        for _ in range(3):
            await bench.publish("slow")
        await bench.until(lambda: len(begun) == 3)
        bench.store.away = (Release,)
        await bench.worker.release_all()
        return bench.worker.running

    assert run(tmp_path, scenario) == 0
    assert caplog.text.count("could not be given back") == 1
    assert "3. The disk is full." in caplog.text


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
        await bench.until(lambda: caplog.text.count("waits to be recorded") >= 4)
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
