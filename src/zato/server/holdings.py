"""What a server holds: deliveries it has leased and not yet recorded. Beats keep their leases alive."""

import asyncio
import logging

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
    """

    def __init__(self, batcher: Batcher, *, lease: float) -> None:
        """Take the broker, and how many seconds a lease lasts without a beat."""
        self._batcher = batcher
        self._lease = lease
        self._held: dict[Holding, Delivery] = {}
        self._tasks: dict[Holding, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, delivery: Delivery) -> bool:
        return holding(delivery) in self._held

    def all(self) -> tuple[Holding, ...]:
        """Return id and token of everything that is held."""
        return tuple(self._held)

    def add(self, delivery: Delivery) -> None:
        """Hold a delivery."""
        self._held[holding(delivery)] = delivery

    def run_as(self, delivery: Delivery, task: asyncio.Task[None]) -> None:
        """Note the task that runs a delivery; it is cancelled if the delivery is given back."""
        self._tasks[holding(delivery)] = task

    def drop(self, delivery: Delivery) -> None:
        """Hold a delivery no more: it is recorded, or somebody else's."""
        self._held.pop(holding(delivery), None)
        self._tasks.pop(holding(delivery), None)

    def beat(self) -> None:
        """Keep the leases alive, from now on, a few times a lease."""
        if self._held:
            self._batcher.post(Beat(self.all(), self._lease), _ignore)
        self._timer = self._loop.call_later(self._lease / BEATS_A_LEASE, self.beat)

    async def release_all(self) -> None:
        """Give back to the broker what still runs, to be run again by whoever leases it next.

        What a store that is away does not take back is run again all the same: after the next start,
        or when its lease has ended.
        """
        held, tasks, self._held, self._tasks = self._held, self._tasks, {}, {}
        if self._timer is not None:
            self._timer.cancel()
        for task in tasks.values():
            task.cancel()
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


def _ignore(_: object) -> None:
    """Take a result that changes nothing: whose lease was lost shows when its outcome is recorded."""
