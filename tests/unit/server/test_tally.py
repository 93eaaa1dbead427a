"""What is counted of services where they run, and what is known to run now."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import wait_until
from tests.support.workers import Bench, run_with_worker
from zato.core.call import Call
from zato.core.errors import InvocationTimeout
from zato.core.invocation import Holder
from zato.server.dispatcher import Dispatcher
from zato.server.locks import Locks
from zato.server.service import AsyncService, Service
from zato.server.threads import Budget

gate = threading.Event()
LIMIT = 0.05


class Empty(Service):
    name = "empty"

    def handle(self) -> None:
        pass


class EmptyOnLoop(AsyncService):
    name = "empty-on-loop"

    async def handle(self) -> None:
        pass


class Fails(Service):
    name = "fails"

    def handle(self) -> None:
        raise ValueError("as planned")


class FailsOnLoop(AsyncService):
    name = "fails-on-loop"

    async def handle(self) -> None:
        raise ValueError("as planned")


class Blocks(Service):
    """Goes on until the gate opens, whatever it is told."""

    name = "blocks"

    def handle(self) -> None:
        gate.wait(30)
        if self.request.payload == "fail":
            raise ValueError("late")


class Limited(Blocks):
    name = "limited"
    time_limit = LIMIT


class Sleeps(AsyncService):
    name = "sleeps"

    async def handle(self) -> None:
        await asyncio.sleep(30)


class LimitedOnLoop(Sleeps):
    name = "limited-on-loop"
    time_limit = LIMIT


class Above(Service):
    name = "above"

    def handle(self) -> None:
        self.invoke(self.request.payload, timeout=LIMIT if self.request.payload in ("blocks", "sleeps") else None)


class AboveOnLoop(AsyncService):
    name = "above-on-loop"

    async def handle(self) -> None:
        await self.invoke(self.request.payload, timeout=LIMIT)


KINDS = (
    *(Empty, EmptyOnLoop, Fails, FailsOnLoop, Blocks, Limited),
    *(Sleeps, LimitedOnLoop, Above, AboveOnLoop),
)


class Door:
    """Asks for services as a door does."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.budget = Budget(bench.threads, 2, name="slots")
        self.dispatcher = Dispatcher(
            bench.services,
            bench.threads,
            bench.publisher,
            Locks(bench.batcher, Holder("server1")),
            facilities=bench.facilities,
            loop=asyncio.get_running_loop(),
            max_depth=5,
        )

    async def ask(self, name: str, payload: object = "", timeout: float | None = None) -> Exception | None:
        """Run a service, and return what it raised."""
        call = Call(cid=f"of-{name}", service=name, payload=payload)
        try:
            await self.dispatcher.run_root(call, lambda response: response.payload, self.budget, timeout)
        except Exception as error:
            return error
        return None

    def ran(self, name: str) -> tuple[int, int]:
        """Return how often a service ran, and how often with an error."""
        tally = self.bench.services.get(name).tally
        return tally.calls, tally.errors

    def running(self) -> list[str]:
        """Return the services that run now."""
        return sorted(call.service for call, _ in self.dispatcher.roots())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when something is so."""
        await asyncio.to_thread(wait_until, condition)


def run(folder: Path, scenario: Callable[[Door], Coroutine[Any, Any, Any]]) -> Any:
    """Run a scenario with what asks for services."""
    gate.clear()
    return run_with_worker(folder, lambda bench: scenario(Door(bench)), KINDS, on_exit=gate.set)


@pytest.mark.parametrize(
    ("name", "payload", "expected"),
    [
        pytest.param("empty", "", {"empty": (1, 0)}, id="thread"),
        pytest.param("empty-on-loop", "", {"empty-on-loop": (1, 0)}, id="loop"),
        pytest.param("fails", "", {"fails": (1, 1)}, id="thread-that-fails"),
        pytest.param("fails-on-loop", "", {"fails-on-loop": (1, 1)}, id="loop-that-fails"),
        pytest.param("above", "empty", {"above": (1, 0), "empty": (1, 0)}, id="nested"),
        pytest.param("above", "fails-on-loop", {"above": (1, 1), "fails-on-loop": (1, 1)}, id="nested-that-fails"),
        pytest.param("above-on-loop", "fails", {"above-on-loop": (1, 1), "fails": (1, 1)}, id="nested-on-a-thread"),
        pytest.param("limited-on-loop", "", {"limited-on-loop": (1, 1)}, id="loop-out-of-time"),
        pytest.param("above", "sleeps", {"above": (1, 1), "sleeps": (1, 1)}, id="nested-on-the-loop-out-of-time"),
        pytest.param("above-on-loop", "sleeps", {"above-on-loop": (1, 1), "sleeps": (1, 1)}, id="both-on-the-loop"),
    ],
)
def test_calls_and_errors(tmp_path: Path, name: str, payload: str, expected: dict[str, tuple[int, int]]) -> None:
    """Every run is counted once, whoever asked for it; an error counts wherever it came through."""

    async def scenario(door: Door) -> dict[str, tuple[int, int]]:
        await door.ask(name, payload)
        return {each: door.ran(each) for each in expected}

    assert run(tmp_path, scenario) == expected


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        pytest.param("limited", "", id="ends-well"),
        pytest.param("limited", "fail", id="fails-later"),
        pytest.param("above", "blocks", id="below-a-thread"),
        pytest.param("above-on-loop", "blocks", id="below-the-loop"),
    ],
)
def test_thread_that_ran_out_of_time(tmp_path: Path, name: str, payload: str) -> None:
    """It is one error at once, and stays one however the thread ends later."""
    below = payload if payload == "blocks" else name

    async def scenario(door: Door) -> list[tuple[int, int]]:
        assert isinstance(await door.ask(name, payload), InvocationTimeout)
        found = [door.ran(below)]
        gate.set()
        await door.until(lambda: not door.bench.threads.busy)
        return [*found, door.ran(below), door.ran(name)]

    assert run(tmp_path, scenario) == [(1, 1)] * 3


@pytest.mark.parametrize("name", ["sleeps", "blocks"], ids=["loop", "thread"])
def test_call_that_was_cancelled_is_no_error(tmp_path: Path, name: str) -> None:
    """Its service did nothing wrong, whatever it does when it is told to stop."""

    async def scenario(door: Door) -> tuple[int, int]:
        asking = asyncio.ensure_future(door.ask(name, "fail"))
        await door.until(lambda: door.running() == [name])
        asking.cancel()
        await asyncio.wait((asking,))
        gate.set()
        await door.until(lambda: not door.running())
        return door.ran(name)

    assert run(tmp_path, scenario) == (1, 0)


def test_call_that_never_began_is_not_counted(tmp_path: Path) -> None:
    """Time that ran out in the line is the server's fault, not the service's."""

    async def scenario(door: Door) -> tuple[tuple[int, int], tuple[int, int]]:
        first = [asyncio.ensure_future(door.ask("blocks")) for _ in range(2)]
        await door.until(lambda: door.running() == ["blocks", "blocks"])
        assert isinstance(await door.ask("limited"), InvocationTimeout)
        gate.set()
        await asyncio.wait(first)
        return door.ran("blocks"), door.ran("limited")

    assert run(tmp_path, scenario) == ((2, 0), (0, 0))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("empty", (1, 0)), ("fails-on-loop", (1, 1)), ("limited", (1, 1)), ("limited-on-loop", (1, 1))],
)
def test_background_calls_are_counted(tmp_path: Path, name: str, expected: tuple[int, int]) -> None:
    """As calls through a door are."""

    async def scenario(door: Door) -> tuple[int, int]:
        call_id = await door.bench.publish(name)
        await door.until(lambda: door.ran(name) == expected)
        assert call_id
        gate.set()
        await door.until(lambda: not door.bench.worker.is_busy and not door.bench.threads.busy)
        return door.ran(name)

    assert run(tmp_path, scenario) == expected


def test_what_runs_now(tmp_path: Path) -> None:
    """A service that another one invoked is not told of, one that nobody waits for any more is, until it ends."""

    async def scenario(door: Door) -> tuple[list[str], list[str], float]:
        await door.ask("limited")
        above = asyncio.ensure_future(door.ask("above", "limited"))
        await door.until(lambda: len(door.running()) == 2)
        running = door.running()
        [since] = [since for call, since in door.dispatcher.roots() if call.cid == "of-above"]
        gate.set()
        await asyncio.wait((above,))
        await door.until(lambda: not door.running())
        return running, door.running(), since

    running, after, since = run(tmp_path, scenario)
    assert (running, after, since > 1_700_000_000) == (["above", "limited"], [], True)
