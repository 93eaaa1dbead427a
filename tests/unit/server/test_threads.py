"""Threads that grow with the work, and budgets that limit what begins."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from tests.support.waiting import wait_until
from zato.core.errors import InvocationTimeout
from zato.server.threads import Budget, Threads

KEEP = 2


class Gate:
    """Work that begins and does not end before it is let through."""

    def __init__(self) -> None:
        self.begun: list[object] = []
        self.opened = threading.Event()

    def work(self, result: object = "done") -> Callable[[], object]:
        """Return work with that result; an exception is raised."""

        def wait() -> object:
            self.begun.append(result)
            self.opened.wait(30)
            if isinstance(result, BaseException):
                raise result
            return result

        return wait


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate that is open at the end, whatever happens."""
    made = Gate()
    yield made
    made.opened.set()


def run(scenario: Callable[[Threads], Coroutine[Any, Any, Any]]) -> Any:
    """Run a scenario on an event loop, with threads that are closed after it."""

    async def main() -> Any:
        threads = Threads(asyncio.get_running_loop(), keep=KEEP)
        try:
            return await scenario(threads)
        finally:
            threads.close()
            await until(lambda: threads.count == 0)

    return asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    """Return once a condition is true, and let the event loop run meanwhile."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- threads change it
            await asyncio.sleep(0)


def test_result() -> None:
    """What work returns comes back to the event loop."""
    assert run(lambda threads: threads.run(lambda: threading.current_thread().name)) == "zato-service"


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_error(error: BaseException) -> None:
    """What work raises comes back too, and the thread lives on, even where it would end a process."""

    def fail() -> None:
        raise error

    async def scenario(threads: Threads) -> list[object]:
        found: list[object] = []
        threads.start(fail, lambda result, raised: found.append(raised))
        await until(lambda: bool(found))
        return [*found, await threads.run(lambda: "alive")]

    assert run(scenario) == [error, "alive"]


def test_threads_grow_with_the_work_and_shrink_after_it(gate: Gate) -> None:
    """Work never waits for a thread; after it, only as many threads are kept as was wished."""

    async def scenario(threads: Threads) -> list[int]:
        running = [asyncio.ensure_future(threads.run(gate.work())) for _ in range(10)]
        await until(lambda: len(gate.begun) == 10)
        counts = [threads.count, threads.busy]
        gate.opened.set()
        await asyncio.gather(*running)
        return [*counts, threads.count, threads.busy]

    assert run(scenario) == [10, 10, KEEP, 0]


def test_idle_thread_is_used_again() -> None:
    """Work after work runs on the same thread."""

    async def scenario(threads: Threads) -> int:
        for _ in range(20):
            await threads.run(lambda: None)
        return threads.count

    assert run(scenario) <= KEEP


def test_caller_that_does_not_wait(gate: Gate) -> None:
    """A cancelled caller changes nothing for the work; its result is dropped."""

    async def scenario(threads: Threads) -> str:
        waiting = asyncio.ensure_future(threads.run(gate.work()))
        await until(lambda: len(gate.begun) == 1)
        waiting.cancel()
        await asyncio.wait((waiting,))
        gate.opened.set()
        return await threads.run(lambda: "next")

    assert run(scenario) == "next"


def test_work_after_the_end() -> None:
    """Closing ends idle threads only: what is asked for later still runs, all of it."""

    async def scenario(threads: Threads) -> tuple[int, int]:
        for _ in range(4):
            await threads.run(lambda: None)
        threads.close()
        async with asyncio.timeout(20):
            done = await asyncio.gather(*(threads.run(lambda: 1) for _ in range(300)))
        await until(lambda: not threads.busy)
        return sum(done), threads.count

    assert run(scenario) == (300, 0)


def test_work_that_outlives_the_loop(gate: Gate) -> None:
    """Work that ends after its event loop has nobody to tell, and tells nobody."""
    loop = asyncio.new_event_loop()
    threads = Threads(loop, keep=0)
    threads.start(gate.work(), lambda *_: None)
    wait_until(lambda: gate.begun)
    loop.close()
    gate.opened.set()

    wait_until(lambda: threads.count == 0)


def test_budget_limits_what_begins(gate: Gate) -> None:
    """As many calls run as there are slots; the others begin in the order of their arrival."""

    async def scenario(threads: Threads) -> list[object]:
        budget = Budget(threads, 1, name="slots")
        calls = [asyncio.ensure_future(budget.run(gate.work(number), label="x")) for number in range(4)]
        await until(lambda: len(gate.begun) == 1)
        counts = (budget.running, budget.waiting)
        gate.opened.set()
        return [counts, await asyncio.gather(*calls), gate.begun, (budget.running, budget.waiting)]

    assert run(scenario) == [(1, 3), [0, 1, 2, 3], [0, 1, 2, 3], (0, 0)]


def test_budget_of_a_call_that_fails(gate: Gate) -> None:
    """A slot is free again after an error, which its caller gets."""
    gate.opened.set()

    async def scenario(threads: Threads) -> str:
        budget = Budget(threads, 1, name="slots")
        with pytest.raises(ValueError, match="no such thing"):
            await budget.run(gate.work(ValueError("no such thing")), label="x")
        return str(await budget.run(gate.work("next"), label="x"))

    assert run(scenario) == "next"


def test_budget_of_a_call_that_raises_a_timeout_of_its_own(gate: Gate) -> None:
    """A `TimeoutError` of a service is its own, also if the call has a limit."""
    gate.opened.set()

    async def scenario(threads: Threads) -> bool:
        budget = Budget(threads, 1, name="slots")
        with pytest.raises(TimeoutError, match="of its own"):
            await budget.run(gate.work(TimeoutError("of its own")), label="x", timeout=30)
        return budget.stuck

    assert run(scenario) is False


def test_late_call_keeps_its_slot(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    """A call that ran out of time holds its slot to its end; all slots held so are reported once, by name."""

    async def scenario(threads: Threads) -> list[object]:
        budget = Budget(threads, 2, name="slots")
        found: list[object] = []
        for name in ("first", "second"):
            with pytest.raises(InvocationTimeout, match=f"'{name}' did not answer within 0.01 s"):
                await budget.run(gate.work(), label=name, timeout=0.01)
            found.append((budget.stuck, budget.running))
        gate.opened.set()
        await until(lambda: budget.running == 0)
        return [*found, budget.stuck]

    assert run(scenario) == [(False, 1), (True, 2), False]
    assert caplog.messages == ["All 2 slots are held by calls nobody waits for any more: first, second"]


def test_call_that_leaves_the_line(gate: Gate) -> None:
    """A call that is cancelled or out of time before it has a slot never begins."""

    async def scenario(threads: Threads) -> list[object]:
        budget = Budget(threads, 1, name="slots")
        first = asyncio.ensure_future(budget.run(gate.work("first"), label="x"))
        await until(lambda: len(gate.begun) == 1)
        cancelled = asyncio.ensure_future(budget.run(gate.work("cancelled"), label="x"))
        with pytest.raises(InvocationTimeout):
            await budget.run(gate.work("late"), label="x", timeout=0.01)
        cancelled.cancel()
        await asyncio.wait((cancelled,))
        gate.opened.set()
        return [budget.waiting, await first, gate.begun, budget.stuck]

    assert run(scenario) == [0, "first", ["first"], False]


def test_cancellation_in_the_moment_of_the_end(gate: Gate) -> None:
    """A call that is cancelled when it has just ended holds no slot, or readiness would say no for ever."""
    gate.opened.set()

    async def scenario(threads: Threads) -> list[object]:
        budget = Budget(threads, 1, name="slots")
        call = asyncio.ensure_future(budget.run(gate.work(), label="x"))
        await until(lambda: budget.running == 1)
        # `until` is woken before the call is, so the call has ended and does not know it yet.
        await until(lambda: budget.running == 0)
        call.cancel()
        await asyncio.wait((call,))
        return [call.cancelled(), budget.stuck]

    assert run(scenario) == [True, False]
