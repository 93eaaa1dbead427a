"""Whoever waits for an outcome is woken by its id."""

import asyncio

from zato.server.waiters import Waiters


def test_announcement_wakes_whoever_waits_for_that_id() -> None:
    """All who wait for an id are woken, and nobody else is."""

    async def scenario() -> list[bool]:
        waiters = Waiters()
        futures = [waiters.enter(call_id) for call_id in ("a", "a", "b")]
        waiters.announce(["a", "nobody-waits"])
        return [*(future.done() for future in futures), len(waiters) == 1]

    assert asyncio.run(scenario()) == [True, True, False, True]


def test_who_leaves_is_forgotten() -> None:
    """Nothing is kept of those who wait no more, in whatever order they leave."""

    async def scenario() -> list[int]:
        waiters = Waiters()
        first, second = waiters.enter("a"), waiters.enter("a")
        counts = [len(waiters)]
        for future in (first, second, second):
            waiters.leave("a", future)
            counts.append(len(waiters))
        return counts

    assert asyncio.run(scenario()) == [2, 1, 0, 0]


def test_release_wakes_everybody_for_good() -> None:
    """A server that stops makes nobody wait: neither those who do, nor those who come later."""

    async def scenario() -> list[bool]:
        waiters = Waiters()
        futures = [waiters.enter(call_id) for call_id in ("a", "a", "b")]
        waiters.release_all()
        late = waiters.enter("c")
        waiters.leave("c", late)
        return [*(future.done() for future in (*futures, late)), len(waiters) == 0, waiters.released]

    assert asyncio.run(scenario()) == [True] * 6


def test_everybody_may_be_woken_to_look() -> None:
    """When it is not known what has ended all are woken; who comes later waits as before."""

    async def scenario() -> list[bool]:
        waiters = Waiters()
        futures = [waiters.enter(call_id) for call_id in ("a", "b")]
        waiters.wake_all()
        late = waiters.enter("a")
        return [*(future.done() for future in (*futures, late)), waiters.released]

    assert asyncio.run(scenario()) == [True, True, False, False]


def test_announcement_after_a_waiter_gave_up() -> None:
    """A cancelled waiter that has not left yet does no harm."""

    async def scenario() -> bool:
        waiters = Waiters()
        future = waiters.enter("a")
        future.cancel()
        waiters.announce(["a"])
        return future.cancelled()

    assert asyncio.run(scenario())
