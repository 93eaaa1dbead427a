"""What a server holds: deliveries it has leased and not yet recorded. Beats keep their leases alive."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from zato.broker.base import Beat, Release
from zato.broker.batcher import Batcher
from zato.core.invocation import Delivery

__all__ = ["Holding", "Holdings", "about", "holding"]

BEATS_A_LEASE = 3

Holding = tuple[str, bytes]

logger = logging.getLogger("zato.server")


class Holdings:
    """The deliveries of one worker, by id and token.

    Not by id alone: a lease that another server took may come back as another one while its first run
    goes on. Used on the event loop only.

    Attributes:
        size: bytes that their payloads have together.
    """

    def __init__(self, batcher: Batcher, *, lease: float, lost: Callable[[Delivery], None]) -> None:
        """Take the broker, and how many seconds a lease lasts without a beat.

        Args:
            lost: called with each delivery that is held no more, because it was cancelled or taken over.
        """
        self._batcher = batcher
        self._lease = lease
        self._lost = lost
        self._held: dict[Holding, Delivery] = {}
        self.size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, delivery: Delivery) -> bool:
        return holding(delivery) in self._held

    def all(self) -> tuple[Holding, ...]:
        """Return id and token of everything that is held, what was leased first at the beginning."""
        return tuple(self._held)

    def add(self, delivery: Delivery) -> None:
        """Hold a delivery."""
        if delivery not in self:
            self._held[holding(delivery)] = delivery
            self.size += len(delivery.invocation.payload)

    def drop(self, delivery: Delivery) -> None:
        """Hold a delivery no more: it is recorded, or somebody else's."""
        if self._held.pop(holding(delivery), None) is not None:
            self.size -= len(delivery.invocation.payload)

    def beat(self) -> None:
        """Keep the leases alive, from now on, a few times a lease."""
        if self._held:
            held = self.all()
            self._batcher.post(Beat(held, self._lease), partial(self._beaten, held))
        self._timer = self._loop.call_later(self._lease / BEATS_A_LEASE, self.beat)

    def _beaten(self, asked: Sequence[Holding], result: list[str] | Exception) -> None:
        """Drop what was lost. What has ended since it was asked about is dropped already."""
        if isinstance(result, Exception):
            return
        for each in _those(asked, result):
            delivery = self._held.get(each)
            if delivery is not None:
                self.drop(delivery)
                self._lost(delivery)

    async def release_all(self) -> None:
        """Give back to the broker what still runs, to be run again by whoever leases it next.

        What a store that is away does not take back is run again all the same: after the next start,
        or when its lease has ended.
        """
        held, self._held, self.size = self._held, {}, 0
        if self._timer is not None:
            self._timer.cancel()
        for delivery in held.values():
            service = delivery.invocation.service
            logger.warning("Giving %s back: it did not end in time", service, extra=about(delivery))
        asked = (self._batcher.ask(Release(*each)) for each in held)
        refusals = [each for each in await asyncio.gather(*asked, return_exceptions=True) if each not in (True, False)]
        if refusals:
            logger.error(
                "Calls that could not be given back, and run after the next start: %d. %s", len(refusals), refusals[0]
            )


def holding(delivery: Delivery) -> Holding:
    """Return what tells one lease of one call from all others."""
    return delivery.invocation.id, delivery.token


def about(delivery: Delivery) -> dict[str, str]:
    """Return what every log line about a delivery carries."""
    invocation = delivery.invocation
    return {"cid": invocation.cid, "service": invocation.service, "channel": invocation.channel}


def _those(asked: Sequence[Holding], ids: Sequence[str]) -> list[Holding]:
    """Return the holdings that have these ids; of two that have the same one, the one that is older."""
    wanted = Counter(ids)
    found = []
    for each in asked:
        if wanted[each[0]]:
            wanted[each[0]] -= 1
            found.append(each)
    return found
