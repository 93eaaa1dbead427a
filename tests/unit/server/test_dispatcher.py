"""Calls through a door that run out of time, and what becomes of the services below them."""

import asyncio
import concurrent.futures
import gc
import threading
import weakref
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from tests.support.workers import Bench, run_with_worker
from zato.core.call import Call
from zato.core.errors import InvocationTimeout
from zato.core.invocation import Holder
from zato.server.dispatcher import Dispatcher
from zato.server.locks import Locks
from zato.server.scope import running
from zato.server.service import AsyncService, Service
from zato.server.threads import Budget

PAUSE = 0.002
seen: list[str] = []
at_hand: "list[weakref.ref[Large]]" = []
gate = threading.Event()
customer: ContextVar[str] = ContextVar("customer", default="nobody")


class Large:
    """What takes much memory."""


class Watches(Service):
    """Blocks until it should stop, or the gate opens."""

    name = "watches"

    def handle(self) -> str:
        while not (self.cancelled or gate.wait(PAUSE)):
            pass
        seen.append("stopped" if self.cancelled else "ended")
        return "through"


class Limited(Watches):
    name = "limited"
    time_limit = 0.05


class Sleeper(AsyncService):
    name = "sleeper"

    async def handle(self) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            seen.append("cancelled")


class LimitedSleeper(Sleeper):
    name = "limited-sleeper"
    time_limit = 0.05


class Above(Service):
    name = "above"

    def handle(self) -> Any:
        return self.invoke(self.request.payload["below"], **self.request.payload.get("options", {}))


class AboveOnLoop(AsyncService):
    name = "above-on-loop"

    async def handle(self) -> Any:
        return await self.invoke(self.request.payload["below"], **self.request.payload.get("options", {}))


class Impatient(AsyncService):
    """Waits by means of its own."""

    name = "impatient"

    async def handle(self) -> None:
        try:
            await asyncio.wait_for(self.invoke("watches"), 0.05)
        except TimeoutError:
            seen.append("went on")


class Tidy(Service):
    """Tidies up by means of other services after it was stopped."""

    name = "tidy"

    def handle(self) -> None:
        while not self.cancelled:
            gate.wait(PAUSE)
        seen.append(self.invoke("tidies"))


class Tidies(AsyncService):
    name = "tidies"

    async def handle(self) -> str:
        await asyncio.sleep(PAUSE)
        return f"tidied, cancelled: {self.cancelled}"


class OtherPool(Service):
    """Meets an error of the same name as the one that stops services."""

    name = "other-pool"

    def handle(self) -> None:
        raise concurrent.futures.CancelledError("a job of mine")


class Heavy(Service):
    """Fails while it has something large at hand."""

    name = "heavy"

    def handle(self) -> None:
        large = Large()
        at_hand.append(weakref.ref(large))
        raise ValueError("as planned")


class HeavyOnLoop(AsyncService):
    name = "heavy-on-loop"

    async def handle(self) -> None:
        large = Large()
        at_hand.append(weakref.ref(large))
        raise ValueError("as planned")


class Remembers(Service):
    name = "remembers"

    def __init__(self) -> None:
        seen.append(f"made for {running.get()}")

    def handle(self) -> str:
        before = customer.get()
        customer.set(self.request.payload["customer"])
        return before


KINDS = (
    Remembers,
    Heavy,
    HeavyOnLoop,
    Watches,
    Limited,
    Sleeper,
    LimitedSleeper,
    Above,
    AboveOnLoop,
    Impatient,
    Tidy,
    Tidies,
    OtherPool,
)
Ask = Callable[..., Coroutine[Any, Any, Any]]


def run(folder: Path, scenario: Callable[[Bench, Ask], Coroutine[Any, Any, Any]]) -> Any:
    """Run a scenario with what asks for a service as a door does."""
    seen.clear()
    gate.clear()

    async def with_door(bench: Bench) -> Any:
        loop = asyncio.get_running_loop()
        dispatcher = Dispatcher(
            bench.services,
            bench.threads,
            bench.publisher,
            Locks(bench.batcher, Holder("server1")),
            facilities=bench.facilities,
            loop=loop,
            max_depth=5,
        )
        budget = Budget(bench.threads, 2, name="slots")

        async def ask(name: str, timeout: float | None = None, **payload: Any) -> Any:
            call = Call(cid="c", service=name, payload=payload)
            return await dispatcher.run_root(call, lambda response: response.payload, budget, timeout)

        return await scenario(bench, ask)

    return run_with_worker(folder, with_door, KINDS, on_exit=gate.set)


def test_call_has_a_context_of_its_own(tmp_path: Path) -> None:
    """What a service puts into a context variable is gone with it, though its thread runs others."""

    async def scenario(bench: Bench, ask: Ask) -> list[str]:
        return [await ask("remembers", customer=name) for name in ("ada", "grace", "joan")]

    assert run(tmp_path, scenario) == ["nobody"] * 3
    assert seen == ["made for ('c', 'remembers', 'invoke')"] * 3


@pytest.mark.parametrize(
    ("name", "timeout", "message"),
    [
        pytest.param("watches", 0.05, "'watches' did not answer within 0.05 s", id="timeout-of-a-thread"),
        pytest.param("sleeper", 0.05, "'sleeper' did not answer within 0.05 s", id="timeout-of-a-task"),
        pytest.param("limited", None, "'limited' did not answer within 0.05 s", id="limit-of-a-thread"),
        pytest.param("limited-sleeper", None, "'limited-sleeper' did not answer within 0.05 s", id="limit-of-a-task"),
        pytest.param("limited", 30, "'limited' did not answer within 0.05 s", id="limit-is-shorter"),
        pytest.param("limited", 0.01, "'limited' did not answer within 0.01 s", id="timeout-is-shorter"),
    ],
)
def test_call_that_runs_out_of_time(tmp_path: Path, name: str, timeout: float | None, message: str) -> None:
    """The caller is answered when the shorter of timeout and time limit ends; the service is told to stop."""

    async def scenario(bench: Bench, ask: Ask) -> None:
        with pytest.raises(InvocationTimeout, match=message):
            await ask(name, timeout)
        await bench.until(lambda: bool(seen))

    run(tmp_path, scenario)

    assert seen == ["cancelled" if "sleeper" in name else "stopped"]


@pytest.mark.parametrize("above", ["above", "above-on-loop"])
@pytest.mark.parametrize("below", ["limited", "limited-sleeper"])
def test_time_limit_of_an_invoked_service(tmp_path: Path, above: str, below: str) -> None:
    """Its caller gets the timeout, and is not stopped itself."""

    async def scenario(bench: Bench, ask: Ask) -> Any:
        with pytest.raises(InvocationTimeout, match=f"'{below}' did not answer within 0.05 s"):
            await ask(above, below=below)
        quiet = await ask(above, below=below, options={"raise_timeout": False, "timeout": 30})
        await bench.until(lambda: len(seen) == 2)
        return quiet

    assert run(tmp_path, scenario) is None
    assert seen == ["cancelled" if below == "limited-sleeper" else "stopped"] * 2


@pytest.mark.parametrize("above", ["above", "above-on-loop"])
@pytest.mark.parametrize("below", ["watches", "sleeper"])
def test_services_below_a_call_that_runs_out_of_time(tmp_path: Path, above: str, below: str) -> None:
    """They are stopped with it, whichever kind they are of."""

    async def scenario(bench: Bench, ask: Ask) -> None:
        with pytest.raises(InvocationTimeout, match=f"'{above}' did not answer"):
            await ask(above, 0.05, below=below)
        await bench.until(lambda: bool(seen))

    run(tmp_path, scenario)

    assert seen == ["cancelled" if below == "sleeper" else "stopped"]


def test_request_that_is_cancelled(tmp_path: Path) -> None:
    """A blocking service learns that the server ends its request."""

    async def scenario(bench: Bench, ask: Ask) -> None:
        asking = asyncio.ensure_future(ask("watches"))
        await bench.until(lambda: bench.threads.busy == 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await bench.until(lambda: bool(seen))

    run(tmp_path, scenario)

    assert seen == ["stopped"]


def test_service_that_stops_waiting_by_itself(tmp_path: Path) -> None:
    """What it waited for is stopped, and it goes on."""

    async def scenario(bench: Bench, ask: Ask) -> None:
        await ask("impatient")
        await bench.until(lambda: len(seen) == 2)

    run(tmp_path, scenario)

    assert sorted(seen) == ["stopped", "went on"]


def test_service_that_tidies_up_by_others(tmp_path: Path) -> None:
    """After a stop it can still invoke services, which know what they are in."""

    async def scenario(bench: Bench, ask: Ask) -> None:
        with pytest.raises(InvocationTimeout):
            await ask("tidy", 0.05)
        await bench.until(lambda: bool(seen))

    run(tmp_path, scenario)

    assert seen == ["tidied, cancelled: True"]


def test_service_that_nobody_stops(tmp_path: Path) -> None:
    """While somebody waits, `self.cancelled` is False to the end."""

    async def scenario(bench: Bench, ask: Ask) -> Any:
        asking = asyncio.ensure_future(ask("above-on-loop", 30, below="watches"))
        await bench.until(lambda: bench.threads.busy == 1)
        gate.set()
        return await asking

    assert (run(tmp_path, scenario), seen) == ("through", ["ended"])


def test_error_that_only_looks_like_a_stop(tmp_path: Path) -> None:
    """An error of the service's own comes through as it is."""

    async def scenario(bench: Bench, ask: Ask) -> None:
        with pytest.raises(concurrent.futures.CancelledError, match="a job of mine"):
            await ask("above", below="other-pool", options={"timeout": 30})

    run(tmp_path, scenario)


@pytest.mark.parametrize("name", ["heavy", "heavy-on-loop"])
def test_failed_service_leaves_nothing_to_the_garbage_collector(tmp_path: Path, name: str) -> None:
    """What it had at hand goes with its error, not some time later."""
    at_hand.clear()

    async def scenario(_: Bench, ask: Ask) -> None:
        with pytest.raises(ValueError, match="as planned"):
            await ask(name)

    gc.disable()
    try:
        run(tmp_path, scenario)
        left = [reference() for reference in at_hand]
    finally:
        gc.enable()
    assert left == [None]
