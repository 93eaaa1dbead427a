"""The worker on a broker whose clock can be set: what real processes show only on bad days."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.contract.calls import accept, make_call
from tests.support.workers import HERE, LEASE, TAKEN_OVER, THERE, Bench, run_with_worker
from zato.broker.audit import Note, Notes
from zato.broker.base import Cancel, Finish, Lease, Look, Reclaim, Release
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.core.audit import AuditEntry
from zato.core.invocation import Outcome, Record, Status
from zato.server import worker as background
from zato.server.recorder import STORE_RETRY
from zato.server.registry import Registry
from zato.server.service import AsyncService, Service

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


def run(folder: Path, scenario: Callable[[Bench], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    """Run a scenario with a worker; the gates of `slow` are closed at first, and open at the end."""
    begun.clear()
    gates.update({turn: threading.Event() for turn in map(str, range(1, 13))})

    def open_all() -> None:
        for gate in gates.values():
            gate.set()

    kinds = (Slow, OnLoop, Broken, FatalHere, FatalOnLoop)
    return run_with_worker(folder, scenario, kinds, on_exit=open_all, **options)


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
        await bench.take_over()
        gates["1"].set()
        await bench.until(lambda: bench.worker.running == 0)
        await bench.batcher.ask(Finish(call_id, TAKEN_OVER, Outcome(status=Status.DONE, ended=1, response=b'"there"')))
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
            await bench.take_over()
            await bench.batcher.ask(Reclaim(THERE))
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
        await bench.until(lambda: "waits to be recorded" in caplog.text)
        # It is tried again meanwhile, without another word.
        await asyncio.sleep(2.5 * STORE_RETRY)
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
    assert caplog.text.count("waits to be recorded") == 1


def test_outcome_that_waits_when_the_server_stops(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is recorded, if the store is back by then, and not given back to be run again."""

    async def scenario(bench: Bench) -> Record:
        call_id = await bench.publish("on-loop")
        bench.store.away = (Finish,)
        await bench.until(lambda: "waits to be recorded" in caplog.text)
        bench.store.away = ()
        await bench.worker.release_all()
        return await bench.look(call_id)

    assert run(tmp_path, scenario).status is Status.DONE


def test_memory_that_running_calls_take(tmp_path: Path) -> None:
    """While their payloads are too large together, no more are leased, though there are slots."""

    async def scenario(bench: Bench) -> list[Status]:
        first = await bench.publish("slow", payload="x" * 950)
        await bench.until(lambda: len(begun) == 1)
        second = await bench.publish("slow")
        bench.worker.pull()
        before = await bench.look(second)
        gates["1"].set()
        gates["2"].set()
        return [before.status, *[(await bench.ended(each)).status for each in (first, second)]]

    assert run(tmp_path, scenario, held=900) == [Status.WAITING, Status.DONE, Status.DONE]


def test_lease_that_cannot_be_had_now(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A worker whose store is away asks again, and work goes on when the store is back."""

    async def scenario(bench: Bench) -> Record:
        bench.store.away = (Lease,)
        bench.worker.pull()
        await bench.until(lambda: "goes on trying: The disk is full." in caplog.text)
        call_id = await bench.publish("on-loop")
        bench.store.away = ()
        return await bench.ended(call_id)

    assert run(tmp_path, scenario).status is Status.DONE


def test_purge_goes_on_until_nothing_old_is_left(tmp_path: Path) -> None:
    """Large calls go one by one, and none waits for the next round."""
    calls = [make_call(number, payload=bytes(9_000_000)) for number in range(3)]
    with closing(open_backend(Location("sqlite", tmp_path), SystemClock())) as backend:
        accept(backend, *calls)
        backend.apply([Cancel(call.id, Outcome(status=Status.CANCELLED, ended=1)) for call in calls])

    async def scenario(bench: Bench) -> None:
        async with asyncio.timeout(10):
            for call in calls:
                while await bench.batcher.ask(Look(id=call.id)):  # noqa: ASYNC110 -- time purges
                    await asyncio.sleep(0.001)

    run(tmp_path, scenario)


def test_what_is_kept_too_long_is_purged_until_nothing_is_left(tmp_path: Path) -> None:
    """Documents and entries of the audit go in more than one slice, and none waits for the next round."""
    entry = AuditEntry(time=1, user="anna", action="a")
    with closing(open_backend(Location("sqlite", tmp_path), SystemClock())) as backend:
        backend.apply([Note(entry)] * 250 + [Note(AuditEntry(time=10**14, user="anna", action="a"))])

    async def scenario(bench: Bench) -> None:
        async with asyncio.timeout(10):
            while len((await bench.batcher.ask(Notes(limit=300))).entries) > 1:  # noqa: ASYNC110 -- time purges
                await asyncio.sleep(0.001)

    run(tmp_path, scenario)


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
        released = await bench.batcher.ask(Reclaim(HERE))
        bench.services.current = Registry()
        bench.worker.pull()
        await bench.batcher.ask(Look(id=call_id))
        bench.services.current = deployed
        await bench.until(lambda: len(begun) == 2)
        gates["2"].set()
        record = await bench.ended(call_id)
        return [released, record.status, record.takeovers]

    assert run(tmp_path, scenario) == [1, Status.DONE, 1]


def test_draining_worker_takes_nothing_and_ends_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs keeps its lease and is recorded; what came meanwhile begins as soon as that is undone."""
    monkeypatch.setattr(background, "LOOK_AGAIN", 60.0)

    async def scenario(bench: Bench) -> list[Any]:
        first = await bench.publish("slow")
        await bench.until(lambda: len(begun) == 1)
        bench.worker.drain(draining=True)
        second = await bench.publish("on-loop")
        await bench.until(lambda: not bench.worker.is_busy or len(begun) == 1)
        gates["1"].set()
        ended = (await bench.ended(first)).status
        waits = (await bench.look(second)).status
        bench.worker.drain(draining=False)
        return [ended, waits, (await bench.ended(second)).status]

    assert run(tmp_path, scenario) == [Status.DONE, Status.WAITING, Status.DONE]


def test_draining_worker_sees_to_what_time_changes(tmp_path: Path) -> None:
    """Somebody has to end what expires; a server that drains alone still does."""

    async def scenario(bench: Bench) -> Status:
        bench.worker.drain(draining=True)
        call_id = await bench.publish("slow", expiration=0.05)
        return (await bench.ended(call_id)).status

    assert run(tmp_path, scenario) is Status.EXPIRED


def test_look_of_a_draining_worker_keeps_it_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks every second and tells of itself every second: if both fell together, it would never seem drained."""
    monkeypatch.setattr(background, "LOOK_AGAIN", 0.01)

    async def scenario(bench: Bench) -> bool:
        bench.worker.drain(draining=True)
        await bench.until(lambda: not bench.worker.is_busy)
        bench.store.asked.clear()
        bench.store.told.clear()
        await bench.until(bench.store.asked.is_set)
        return bench.worker.is_busy

    assert run(tmp_path, scenario) is False
