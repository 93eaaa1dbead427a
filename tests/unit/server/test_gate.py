"""Places for requests: as many as the limit says, and none for who only waits."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from zato.core.errors import Overloaded
from zato.server.gate import Gate

Run = Callable[[Gate, asyncio.Event], Coroutine[Any, Any, None]]


async def work(gate: Gate, end: asyncio.Event) -> None:
    """Hold a place."""
    place = gate.enter()
    try:
        await end.wait()
    finally:
        gate.leave(place)


async def wait(gate: Gate, end: asyncio.Event) -> None:
    """Hold a place and lend it."""
    place = gate.enter()
    try:
        with gate.aside():
            await end.wait()
        assert len(gate) > 0
    finally:
        gate.leave(place)


async def pass_by(gate: Gate, end: asyncio.Event) -> None:
    """Wait without ever having had a place."""
    with gate.aside():
        await end.wait()


async def counts(*runs: Run) -> tuple[int, int]:
    """Return how many are inside while these run at the same time, and after them."""
    gate, end = Gate(2), asyncio.Event()
    tasks = [asyncio.create_task(run(gate, end)) for run in runs]
    await asyncio.sleep(0)
    inside = len(gate)
    end.set()
    await asyncio.gather(*tasks)
    return inside, len(gate)


@pytest.mark.parametrize(
    ("runs", "inside"),
    [
        pytest.param([work, work], 2, id="all-work"),
        pytest.param([wait, wait, wait, wait], 0, id="all-wait"),
        pytest.param([wait, wait, work, wait], 1, id="one-works"),
        pytest.param([work, pass_by, pass_by], 1, id="background-calls-wait-too"),
    ],
)
def test_places(runs: list[Run], inside: int) -> None:
    """Only who works is inside, and at the end nobody is."""
    assert asyncio.run(counts(*runs)) == (inside, 0)


def test_gate_that_is_full() -> None:
    """One more is refused, and told which setting says so."""
    with pytest.raises(Overloaded, match=r"^2 requests are in progress \(setting max_requests\)\. Try again later\.$"):
        asyncio.run(counts(work, work, work))
