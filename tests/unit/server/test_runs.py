"""Runs that nobody waits for any more: cancelled, out of time, taken over, given back. Their slots come back."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.support.workers import LEASE, Bench, run_with_worker
from zato.broker.base import Finish, Look
from zato.core.errors import InvocationCancelled
from zato.core.invocation import Record, Status
from zato.core.retry import Retry
from zato.server.service import AsyncService, Service

PAUSE = 0.002
seen: list[str] = []
gate = threading.Event()


class Watches(Service):
    """Blocks until it should stop."""

    name = "watches"

    def handle(self) -> str:
        seen.append("begun")
        while not (self.cancelled or gate.wait(PAUSE)):
            pass
        seen.append("stopped" if self.cancelled else "ended")
        return "partial"


class Deaf(Service):
    """Blocks until the gate opens, whoever wants it to stop."""

    name = "deaf"

    def handle(self) -> str:
        seen.append("begun")
        gate.wait(30)
        return "late"


class Sleeper(AsyncService):
    """Waits until it is cancelled, and tidies up, which takes a few turns of the loop."""

    name = "sleeper"

    async def handle(self) -> None:
        seen.append("begun")
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(PAUSE)
            seen.append(f"tidied {self.cancelled}")


class Stubborn(AsyncService):
    """Will not be cancelled: it goes on until the gate opens."""

    name = "stubborn"

    async def handle(self) -> str:
        seen.append("begun")
        while not gate.is_set():
            try:
                await asyncio.sleep(PAUSE)
            except asyncio.CancelledError:
                seen.append("refused")
        return "late"


class Swallows(AsyncService):
    """Returns at once what it has, when it is cancelled."""

    name = "swallows"

    async def handle(self) -> str:
        seen.append("begun")
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            seen.append("swallowed")
        return "partial"


class EndsItself(AsyncService):
    """Cancels its own task, as a library with a bug may."""

    name = "ends-itself"

    async def handle(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(30)


class Quick(Service):
    name = "quick"

    def handle(self) -> str:
        return "done"


class QuickOnLoop(AsyncService):
    name = "quick-on-loop"

    async def handle(self) -> str:
        return "done"


class Fails(AsyncService):
    name = "fails"

    async def handle(self) -> None:
        raise KeyError("no")


class Above(Service):
    """Waits for the service it is told to, in the way it is told to, and notes how that ended."""

    name = "above"

    def handle(self) -> None:
        try:
            self.invoke(self.request.payload["below"], **self.request.payload["options"])
        except InvocationCancelled as error:
            seen.append(str(error))


class AboveOnLoop(AsyncService):
    name = "above-on-loop"

    async def handle(self) -> None:
        await self.invoke(self.request.payload["below"], **self.request.payload["options"])


KINDS = (Watches, Deaf, Sleeper, Stubborn, Swallows, EndsItself, Quick, QuickOnLoop, Fails, Above, AboveOnLoop)
QUICK = {
    "watches": "quick",
    "deaf": "quick",
    "sleeper": "quick-on-loop",
    "stubborn": "quick-on-loop",
    "swallows": "quick-on-loop",
}
STOPPED = {"watches": ["stopped"], "sleeper": ["tidied True"], "swallows": ["swallowed"]}
Scenario = Callable[[Bench], Coroutine[Any, Any, Any]]


def run(folder: Path, scenario: Scenario, *, lease: float = LEASE, slots: int = 1) -> Any:
    """Run a scenario with a worker that has one slot in each lane."""
    seen.clear()
    gate.clear()
    return run_with_worker(folder, scenario, KINDS, on_exit=gate.set, lease=lease, slots=slots)


async def begun(bench: Bench, name: str, **options: Any) -> str:
    """Return the id of a call that runs."""
    before = seen.count("begun")
    call_id = await bench.publish(name, **options)
    await bench.until(lambda: seen.count("begun") > before)
    return call_id


@pytest.mark.parametrize("name", ["watches", "sleeper", "swallows"])
def test_cancelled_run(tmp_path: Path, name: str) -> None:
    """It is told to stop, nothing of it is recorded, nobody is called, and its slot is free for the next call."""

    async def scenario(bench: Bench) -> tuple[bool, Record, Status]:
        call_id = await begun(bench, name, callback=("quick",), on_failure=("quick",), retry=Retry(3))
        cancelled = await bench.cancel(call_id)
        after = await bench.ended(await bench.publish(QUICK[name]))
        await bench.until(lambda: bench.worker.running == 0)
        return cancelled, await bench.look(call_id), after.status

    cancelled, record, after = run(tmp_path, scenario)

    assert (cancelled, record.status, after) == (True, Status.CANCELLED, Status.DONE)
    assert seen == ["begun", *STOPPED[name]]
    assert record.outcome.response is None


@pytest.mark.parametrize("name", ["deaf", "stubborn"])
def test_cancelled_run_that_goes_on(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """It keeps its slot until it ends; the log names it, and only then the next call runs."""

    async def scenario(bench: Bench) -> list[object]:
        call_id = await begun(bench, name)
        await bench.cancel(call_id)
        await bench.until(lambda: f"{name} was stopped; its slot is taken until it ends" in caplog.text)
        following = await bench.publish(QUICK[name])
        bench.worker.pull()
        waiting, stuck = (await bench.look(following)).status, bench.worker.stuck
        gate.set()
        done = (await bench.ended(following)).status
        return [waiting, stuck, done, bench.worker.stuck, (await bench.look(call_id)).status]

    with caplog.at_level("INFO", "zato.server"):
        found = run(tmp_path, scenario)

    assert found == [Status.WAITING, name == "deaf", Status.DONE, False, Status.CANCELLED]
    assert f"{name} has ended; its slot is free" in caplog.text
    named = "All 1 background slots are held by calls nobody waits for any more: deaf"
    assert (named in caplog.text) is (name == "deaf")


def test_run_that_is_cancelled_before_its_first_step(tmp_path: Path) -> None:
    """A task that never began gives its slot back like any other."""

    async def scenario(bench: Bench) -> tuple[Status, Status]:
        bench.worker.stop_leasing()
        call_id = await bench.publish("sleeper")
        bench.store.told.clear()
        bench.store.asked.clear()
        looking = asyncio.ensure_future(bench.look(call_id))
        await bench.until(bench.store.asked.is_set)
        bench.worker.start()
        cancelling = asyncio.ensure_future(bench.cancel(call_id))
        await asyncio.sleep(0)
        bench.store.told.set()
        for _ in range(2):
            # Holds up the loop until it is to hear of the lease and of the cancellation in one turn.
            bench.batcher.wait(Look(id=call_id))
        await asyncio.gather(looking, cancelling)
        after = await bench.ended(await bench.publish("quick-on-loop"))
        return (await bench.look(call_id)).status, after.status

    assert run(tmp_path, scenario) == (Status.CANCELLED, Status.DONE)
    assert seen == []


def test_run_that_cancels_itself(tmp_path: Path) -> None:
    """That is a failure like any other, and costs no slot."""

    async def scenario(bench: Bench) -> list[Record]:
        return [await bench.ended(await bench.publish("ends-itself")) for _ in range(3)]

    records = run(tmp_path, scenario)

    assert [(each.status, each.outcome.error.code) for each in records] == [(Status.FAILED, "service_exited")] * 3


@pytest.mark.parametrize("name", ["watches", "sleeper", "deaf", "stubborn", "swallows"])
def test_run_over_its_time_limit(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """The attempt has failed, whatever the service does then; its slot comes back when it has ended."""

    async def scenario(bench: Bench) -> tuple[Record, Status]:
        record = await bench.ended(await bench.publish(name, time_limit=0.05))
        gate.set()
        return record, (await bench.ended(await bench.publish(QUICK[name]))).status

    record, after = run(tmp_path, scenario)

    message = f"'{name}' did not end within its time limit of 0.05 s."
    assert (record.status, record.outcome.attempts, after) == (Status.FAILED, 1, Status.DONE)
    assert record.outcome.error.public() == {"code": "timeout", "type": "InvocationTimeout", "message": message}
    assert seen[1:2] == {**STOPPED, "deaf": [], "stubborn": ["refused"]}[name]
    assert (f"{name} ran out of time; its slot is taken until it ends" in caplog.text) is (
        name not in ("sleeper", "swallows")
    )


def test_slots_that_are_held_by_calls_somebody_waits_for(tmp_path: Path) -> None:
    """As long as one of them is wanted, the worker is busy and not stuck."""

    async def scenario(bench: Bench) -> list[bool]:
        unwanted = await begun(bench, "deaf")
        free = bench.worker.stuck
        await bench.cancel(unwanted)
        half = bench.worker.stuck
        wanted = await begun(bench, "deaf")
        busy = bench.worker.stuck
        await bench.cancel(wanted)
        await bench.until(lambda: bench.worker.stuck)
        return [free, half, busy]

    assert run(tmp_path, scenario, slots=2) == [False, False, False]


@pytest.mark.parametrize("name", ["quick", "quick-on-loop"])
def test_run_within_its_time_limit(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A limit changes nothing for those that keep it: when its time comes, nothing happens."""

    async def scenario(bench: Bench) -> Record:
        record = await bench.ended(await bench.publish(name, time_limit=0.2))
        loop = asyncio.get_running_loop()
        later = loop.time() + 0.25
        await bench.until(lambda: loop.time() > later)
        return record

    record = run(tmp_path, scenario)

    assert (record.status, record.outcome.response) == (Status.DONE, b'"done"')
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["deaf", "sleeper"])
def test_attempts_over_their_time_limit(tmp_path: Path, name: str) -> None:
    """Each one is tried again as the policy says, and each one stands in the record."""

    async def scenario(bench: Bench) -> Record:
        return await bench.ended(await bench.publish(name, time_limit=0.03, retry=Retry(3, backoff=0.0)))

    record = run(tmp_path, scenario, slots=3)

    assert (record.status, record.outcome.attempts, seen.count("begun")) == (Status.FAILED, 3, 3)
    assert [(each.attempt, each.error.code, each.server) for each in record.failures] == [
        (1, "timeout", "here"),
        (2, "timeout", "here"),
    ]
    assert all(each.started <= each.ended for each in record.failures)


@pytest.mark.parametrize(
    ("options", "attempts"),
    [
        pytest.param({}, 3, id="every-error"),
        pytest.param({"on": KeyError}, 3, id="named"),
        pytest.param({"not_on": "LookupError"}, 1, id="excluded"),
        pytest.param({"on": ConnectionError}, 1, id="not-named"),
    ],
)
def test_which_failures_are_tried_again(tmp_path: Path, options: dict[str, Any], attempts: int) -> None:
    """An error that the policy leaves out ends the call at once."""

    async def scenario(bench: Bench) -> Record:
        return await bench.ended(await bench.publish("fails", retry=Retry(3, backoff=0.0, **options)))

    record = run(tmp_path, scenario)

    assert (record.status, record.outcome.attempts, len(record.failures)) == (Status.FAILED, attempts, attempts - 1)


def test_record_between_two_attempts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is delayed until the next attempt, and says why the last one failed; so does the log."""

    async def scenario(bench: Bench) -> Record:
        call_id = await bench.publish("fails", retry=Retry(5, backoff=60.0, jitter=0.0))
        await bench.until(lambda: "is tried again" in caplog.text and bench.worker.running == 0)
        return await bench.look(call_id)

    with caplog.at_level("INFO", "zato.server"):
        record = run(tmp_path, scenario)

    (failure,) = record.failures
    assert (record.status, record.attempts, record.not_before) == (Status.DELAYED, 1, failure.ended + 60_000)
    assert (failure.error.type, failure.error.message) == ("KeyError", "'no'")
    assert "fails is tried again in 60.0 s, after 1 of 5 attempts" in caplog.text


@pytest.mark.parametrize("name", ["watches", "sleeper"])
def test_run_that_was_taken_over(tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A holder that stood still learns from its next beat that it lost a lease, and stops the run."""

    async def scenario(bench: Bench) -> Record:
        call_id = await begun(bench, name)
        await bench.take_over()
        await bench.until(lambda: len(seen) == 2 and bench.worker.running == 0)
        return await bench.look(call_id)

    record = run(tmp_path, scenario, lease=1.0)

    assert (record.status, record.server, record.takeovers) == (Status.RUNNING, "there", 1)
    assert seen == ["begun", *STOPPED[name]]
    assert f"{name} is held no more: it was cancelled, or taken over" in caplog.text


def test_ending_that_waits_for_the_store_and_was_taken_over(tmp_path: Path) -> None:
    """It is dropped, and the worker leases again: it does not wait for ever for what cannot be recorded."""

    async def scenario(bench: Bench) -> Status:
        await begun(bench, "watches")
        bench.store.away = (Finish,)
        gate.set()
        await bench.until(lambda: seen[-1] == "ended")
        await bench.take_over()
        await bench.until(lambda: bench.worker.running == 0)
        bench.store.away = ()
        return (await bench.ended(await bench.publish("quick"))).status

    assert run(tmp_path, scenario, lease=1.0) is Status.DONE


@pytest.mark.parametrize("name", ["watches", "sleeper", "deaf", "stubborn"])
def test_run_that_is_given_back(tmp_path: Path, name: str) -> None:
    """At a stop it is told so and may tidy up; what it does then is not recorded, and it counts as no attempt."""

    async def scenario(bench: Bench) -> tuple[Record, list[str]]:
        call_id = await begun(bench, name)
        bench.worker.stop_leasing()
        await bench.worker.release_all()
        tidied = list(seen) if name == "sleeper" else []
        gate.set()
        await bench.until(lambda: bench.threads.busy == 0)
        return await bench.look(call_id), tidied

    record, tidied = run(tmp_path, scenario)

    assert (record.status, record.attempts, record.takeovers) == (Status.WAITING, 0, 0)
    assert name != "watches" or seen == ["begun", "stopped"]
    assert name != "sleeper" or tidied == ["begun", "tidied True"]


def test_work_that_is_leased_while_the_server_stops(tmp_path: Path) -> None:
    """What arrives after leasing has stopped is put off, for the next start, and expires as before."""

    async def scenario(bench: Bench) -> Record:
        bench.worker.stop_leasing()
        call_id = await bench.publish("quick", expiration=60)
        bench.store.told.clear()
        bench.worker.start()
        bench.worker.stop_leasing()
        bench.store.told.set()
        await bench.until(lambda: bench.worker.running == 0)
        await bench.look(call_id)
        return await bench.look(call_id)

    record = run(tmp_path, scenario)

    assert (record.status, record.attempts, record.takeovers, record.started) == (Status.DELAYED, 0, 0, None)


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()], ids=["limit", "memory"])
def test_system_without_another_thread(tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is put off, for as long as there is no thread, and costs no slot."""

    def refuse(_: threading.Thread) -> None:
        raise error

    async def scenario(bench: Bench) -> Record:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            call_id = await bench.publish("quick")
            async with asyncio.timeout(10):
                while (await bench.look(call_id)).status is not Status.DELAYED:  # noqa: ASYNC110 -- a thread does it
                    await asyncio.sleep(PAUSE)
        return await bench.ended(call_id)

    record = run(tmp_path, scenario)

    assert (record.status, record.outcome.attempts) == (Status.DONE, 1)


@pytest.mark.parametrize("above", ["above", "above-on-loop"])
@pytest.mark.parametrize("options", [{}, {"timeout": 30}], ids=["plain", "with-timeout"])
@pytest.mark.parametrize("below", ["watches", "sleeper"])
def test_services_below_a_cancelled_one(tmp_path: Path, above: str, below: str, options: dict[str, Any]) -> None:
    """Whoever it waits for is stopped too: a blocking service sees it, a task is cancelled."""

    async def scenario(bench: Bench) -> Status:
        call_id = await begun(bench, above, payload={"below": below, "options": options})
        await bench.cancel(call_id)
        await bench.until(lambda: STOPPED[below][0] in seen)
        after = "quick" if above == "above" else "quick-on-loop"
        return (await bench.ended(await bench.publish(after))).status

    assert run(tmp_path, scenario) is Status.DONE
    told = "'sleeper' was stopped before it ended: nobody waits for it any more."
    assert (told in seen) is ((above, below) == ("above", "sleeper"))
