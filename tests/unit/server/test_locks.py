"""Locks of services, on a real store."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.cluster import Lock, Unlock
from zato.broker.open import Location, open_backend
from zato.core.errors import BrokerUnavailable, InvocationCancelled, LockTimeout
from zato.core.invocation import Holder
from zato.core.lock import LockWish
from zato.core.stop import StopSign
from zato.server.locks import Locks

OTHER = b"another!"


class Clock(SystemClock):
    ahead = 0

    def boot(self) -> int:
        return super().boot() + self.ahead


def run(folder: Path, scenario: Callable[[Locks, Batcher, Clock], Awaitable[Any]]) -> Any:
    """Run a scenario with locks, their store, and its clock."""

    async def main() -> Any:
        clock = Clock()
        batcher = Batcher(open_backend(Location("sqlite", folder), clock), asyncio.get_running_loop())
        batcher.start()
        try:
            return await scenario(Locks(batcher, Holder("server1")), batcher, clock)
        finally:
            batcher.close()

    return asyncio.run(main())


def wish(name: str = "a", timeout: float = 0, expires: float = 20) -> LockWish:
    """Return what a service asks for."""
    return LockWish(name, expires, timeout, "crm.sync")


async def held(locks: Locks, kind: str, wanted: LockWish, *, stop: StopSign | None = None) -> str:
    """Hold a lock for a moment, as one kind of service or the other does."""
    sign = stop or StopSign()
    if kind == "loop":
        async with locks.hold(wanted, sign):
            return "held"

    def block() -> str:
        with locks.hold_here(wanted, sign):
            return "held"

    return await asyncio.to_thread(block)


@pytest.mark.parametrize("kind", ["thread", "loop"])
def test_lock_is_free_again_after_it(tmp_path: Path, kind: str) -> None:
    """It can be taken once more at once, and others do not hinder it."""

    async def scenario(locks: Locks, batcher: Batcher, _: Clock) -> list[str]:
        await batcher.ask(Lock("b", OTHER, 20))
        return [await held(locks, kind, wish()) for _ in range(2)]

    assert run(tmp_path, scenario) == ["held", "held"]


@pytest.mark.parametrize("kind", ["thread", "loop"])
@pytest.mark.parametrize("timeout", [0, 0.05])
def test_lock_that_somebody_has(tmp_path: Path, kind: str, timeout: float) -> None:
    """After the timeout the service learns which lock it was, and how long it waited."""

    async def scenario(locks: Locks, batcher: Batcher, _: Clock) -> None:
        await batcher.ask(Lock("a", OTHER, 20))
        with pytest.raises(LockTimeout, match=f"The lock 'a' was not free within {timeout:g} s") as caught:
            await held(locks, kind, wish(timeout=timeout))
        assert (caught.value.code, caught.value.status, caught.value.exit_code) == ("lock_timeout", 503, 7)

    run(tmp_path, scenario)


@pytest.mark.parametrize("kind", ["thread", "loop"])
def test_lock_that_becomes_free(tmp_path: Path, kind: str) -> None:
    """Whoever waits gets it."""

    async def scenario(locks: Locks, batcher: Batcher, _: Clock) -> str:
        await batcher.ask(Lock("a", OTHER, 20))
        waiting = asyncio.ensure_future(held(locks, kind, wish(timeout=10)))
        await asyncio.wait((waiting,), timeout=0.03)
        assert not waiting.done()
        await batcher.ask(Unlock("a", OTHER))
        return await waiting

    assert run(tmp_path, scenario) == "held"


@pytest.mark.parametrize("kind", ["thread", "loop"])
def test_service_that_is_stopped_while_it_waits(tmp_path: Path, kind: str) -> None:
    """It waits no more."""

    async def scenario(locks: Locks, batcher: Batcher, _: Clock) -> None:
        await batcher.ask(Lock("a", OTHER, 20))
        stop = StopSign()
        waiting = asyncio.ensure_future(held(locks, kind, wish(timeout=60), stop=stop))
        await asyncio.wait((waiting,), timeout=0.03)
        stop.set()
        with pytest.raises(InvocationCancelled, match="The lock 'a' is waited for no more"):
            await asyncio.wait_for(waiting, 5)

    run(tmp_path, scenario)


def test_lock_of_a_task_that_is_cancelled_when_it_gets_it(tmp_path: Path) -> None:
    """It is given back, although nobody has seen it."""

    async def scenario(locks: Locks, batcher: Batcher, _: Clock) -> str:
        taking = asyncio.ensure_future(held(locks, "loop", wish(expires=3600)))
        await asyncio.sleep(0)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        return await held(locks, "loop", wish(timeout=5))

    assert run(tmp_path, scenario) == "held"


@pytest.mark.parametrize("kind", ["thread", "loop"])
def test_lock_is_given_back_after_an_error(tmp_path: Path, kind: str) -> None:
    """An error passes through, and the lock is free."""

    async def failing(locks: Locks) -> None:
        if kind == "loop":
            async with locks.hold(wish(), StopSign()):
                raise KeyError("k")
        with locks.hold_here(wish(), StopSign()):
            raise KeyError("k")

    async def scenario(locks: Locks, *_: object) -> str:
        with pytest.raises(KeyError):
            await (failing(locks) if kind == "loop" else asyncio.to_thread(asyncio.run, failing(locks)))
        return await held(locks, kind, wish())

    assert run(tmp_path, scenario) == "held"


@pytest.mark.parametrize("kind", ["thread", "loop"])
def test_lock_that_was_held_for_too_long(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """The log says which service, which lock, and what that means; the other's lock stays."""

    async def scenario(locks: Locks, batcher: Batcher, clock: Clock) -> bool:
        if kind == "loop":
            async with locks.hold(wish(expires=5), StopSign()):
                clock.ahead = 5_001
                await batcher.ask(Lock("a", OTHER, 20))
        else:
            await asyncio.to_thread(overrun, locks, batcher, clock)
        return await batcher.ask(Unlock("a", OTHER))

    assert run(tmp_path, scenario) is True
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("crm.sync held the lock 'a' for longer than its expires=5 s: others could")


def overrun(locks: Locks, batcher: Batcher, clock: Clock) -> None:
    """Hold a lock until another has it."""
    with locks.hold_here(wish(expires=5), StopSign()):
        clock.ahead = 5_001
        batcher.wait(Lock("a", OTHER, 20))


@pytest.mark.parametrize("kind", ["thread", "loop"])
def test_store_that_is_away(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """No lock is taken without it; one that is held is not given back, and the work done under it counts."""

    async def scenario(locks: Locks, batcher: Batcher, _: Clock) -> None:
        if kind == "loop":
            async with locks.hold(wish(), StopSign()):
                await asyncio.to_thread(batcher.close)
        else:
            await asyncio.to_thread(close_under, locks, batcher)
        with pytest.raises(BrokerUnavailable):
            await held(locks, kind, wish())

    run(tmp_path, scenario)
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == [
        "crm.sync could not give the lock 'a' back"
    ]


def close_under(locks: Locks, batcher: Batcher) -> None:
    """Hold a lock while the store goes away."""
    with locks.hold_here(wish(), StopSign()):
        batcher.close()


def test_one_at_a_time(tmp_path: Path) -> None:
    """Of many threads that want it, one has it."""
    inside, most, guard = [0], [0], threading.Lock()

    def work(locks: Locks) -> None:
        with locks.hold_here(wish(timeout=20), StopSign()):
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            with guard:
                inside[0] -= 1

    async def scenario(locks: Locks, *_: object) -> None:
        await asyncio.gather(*(asyncio.to_thread(work, locks) for _ in range(8)))

    run(tmp_path, scenario)
    assert most == [1]
