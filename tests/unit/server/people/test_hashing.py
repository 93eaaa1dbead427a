"""The thread that hashes passwords."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable

import pytest

from tests.support.waiting import wait_until
from zato.core.people_errors import HashingBusy
from zato.server.people.hashing import MOST_A_SECOND, Hashing


def run(scenario: Callable[[Hashing], Awaitable[object]]) -> object:
    """Play a scenario with such a thread."""

    async def main() -> object:
        hashing = Hashing(asyncio.get_running_loop())
        try:
            return await scenario(hashing)
        finally:
            hashing.close()

    return asyncio.run(main())


def test_one_after_the_other_on_a_thread_that_gives_way() -> None:
    """What is done there has one thread, whose priority is the least."""

    async def scenario(hashing: Hashing) -> list[tuple[str, int]]:
        def work() -> tuple[str, int]:
            return threading.current_thread().name, os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

        return list(await asyncio.gather(hashing.run(work), hashing.run(work)))

    assert run(scenario) == [("zato-hashing", 19)] * 2
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19


def test_few_wait_and_fewer_of_one_address() -> None:
    """The third of one address is told so, and the sixth of all; a place that is given back is free."""

    async def scenario(hashing: Hashing) -> None:
        with hashing.place("a"), hashing.place("a"), hashing.place("b"):
            with pytest.raises(HashingBusy, match="Try again in a moment"), hashing.place("a"):
                pass
            with hashing.place("c"), hashing.place("d"), pytest.raises(HashingBusy), hashing.place("e"):
                pass
            with hashing.place("e"):
                pass
        with hashing.place("a"), hashing.place("a"):
            pass

    run(scenario)


def test_what_fails_is_raised_where_it_was_asked_for() -> None:
    """And the thread goes on."""

    async def scenario(hashing: Hashing) -> str:
        with pytest.raises(ValueError, match=r"^no$"):
            await hashing.run(_fail)
        return await hashing.run(lambda: "yes")

    assert run(scenario) == "yes"


def test_so_many_a_second_and_no_more() -> None:
    """A flood takes its share of the processor, and the rest waits; the end of the server does not."""

    async def scenario(hashing: Hashing) -> int:
        done: list[int] = []
        asking = [asyncio.ensure_future(hashing.run(lambda: done.append(1))) for _ in range(MOST_A_SECOND + 1)]
        await asyncio.wait(asking[:-1])
        await asyncio.wait(asking, timeout=0.2)
        asking[-1].cancel()
        return len(done)

    assert run(scenario) == MOST_A_SECOND


def test_whoever_waits_no_more_is_not_told() -> None:
    """A client may leave while a password is hashed."""
    gate = threading.Event()

    async def scenario(hashing: Hashing) -> bool:
        asking = asyncio.ensure_future(hashing.run(lambda: gate.wait(10)))
        await asyncio.wait((asking,), timeout=0.05)
        asking.cancel()
        gate.set()
        return await hashing.run(lambda: True)

    assert run(scenario) is True
    wait_until(lambda: "zato-hashing" not in {thread.name for thread in threading.enumerate()}, 5, what="its end")


def test_nobody_waits_for_whom_nobody_waits_for() -> None:
    """Many who gave up take no part of what is done in a second."""

    async def scenario(hashing: Hashing) -> bool:
        gave_up = [asyncio.ensure_future(hashing.run(lambda: True)) for _ in range(10 * MOST_A_SECOND)]
        await asyncio.sleep(0)
        for each in gave_up:
            each.cancel()
        return await asyncio.wait_for(hashing.run(lambda: True), 5)

    assert run(scenario) is True


def _fail() -> None:
    raise ValueError("no")
