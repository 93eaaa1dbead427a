"""What a server holds, and what it hears of a lease that it has lost."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from zato.broker.base import Accept, Announce, Lease
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.core.invocation import Delivery, Holder, Invocation, Lane
from zato.server.holdings import Holdings

LEASE = 15.0
CALL = Invocation(id="0" * 26, cid="c", service="s", payload=b"{}", created=1)


def test_older_of_two_leases_of_one_call(tmp_path: Path) -> None:
    """Whoever lost a call and got it again, while its first run goes on, loses the first of the two alone."""
    lost: list[bytes] = []

    async def scenario() -> list[bool]:
        batcher = Batcher(open_backend(Location("sqlite", tmp_path), SystemClock()), asyncio.get_running_loop())
        batcher.start()
        holdings = Holdings(batcher, lease=LEASE, lost=lambda delivery: lost.append(delivery.token))
        newer = await leased(batcher, b"newer...")
        older = replace(newer, token=b"older...")
        for delivery in (older, newer):
            holdings.add(delivery)
        holdings.beat()
        async with asyncio.timeout(10):
            while not lost:  # noqa: ASYNC110 -- the store's thread does it
                await asyncio.sleep(0.001)
        held = [delivery in holdings for delivery in (older, newer)]
        await holdings.release_all()
        batcher.close()
        return held

    assert asyncio.run(scenario()) == [False, True]
    assert lost == [b"older..."]


async def leased(batcher: Batcher, token: bytes) -> Delivery:
    """Return a delivery of the call."""
    await batcher.ask(Announce({"s": Lane.TASK}))
    await batcher.ask(Accept(CALL))
    lease = Lease(holder=Holder("here"), limits={Lane.TASK: 1}, token=token, seconds=LEASE)
    (delivery,) = (await batcher.ask(lease)).deliveries
    return delivery
