"""How often services ran, in all processes that share a store: each tells of its own now and then.

Not with every word of `zato.server.attendance`: that would be 40 kB a second for a thousand services. A process
tells when something has changed, and the less often the more there is to tell.
"""

import asyncio
import contextlib
from collections.abc import Mapping

from zato.broker.batcher import Batcher
from zato.broker.cluster import Members
from zato.broker.documents import Browse, Document, Keep
from zato.core.errors import ZatoError
from zato.core.invocation import Holder
from zato.core.member import Counts
from zato.core.packing import pack_counts, unpack_counts
from zato.server.registry import Services

__all__ = ["NEVER", "PATIENCE", "Counting", "Ran"]

KIND = "service-counts"
# Seconds.
EVERY = 2.0
# What one process tells at most, on average.
BYTES_A_SECOND = 4096
# Seconds for which it is kept, and after which it is told again though nothing has changed.
KEPT, TOLD_AGAIN = 172_800.0, 86_400.0
# Seconds that whoever asks waits for what others told.
PATIENCE = 1.0

Ran = tuple[int, int]
NEVER: Ran = (0, 0)


class Counting:
    """What one process knows of how often services ran, as pairs: how often, and how often with an error."""

    def __init__(
        self,
        services: Services,
        batcher: Batcher,
        reader: Batcher,
        holder: Holder,
        *,
        is_alone: bool = False,
        every: float = EVERY,
    ) -> None:
        """Take what is deployed, what writes and reads the store, and the process.

        Args:
            services: what is deployed here.
            batcher: what writes.
            reader: what only reads.
            holder: this process.
            is_alone: there is no other process to tell, or to ask.
            every: seconds between two looks whether there is something to tell.
        """
        self._every = every
        self._services = services
        self._batcher = batcher
        self._reader = reader
        self._holder = holder
        self._is_alone = is_alone
        self._told: Counts | None = None
        self._told_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Tell from now on, first of all in place of what a process told that this one replaces."""
        if not self._is_alone:
            self._look()

    def end(self) -> None:
        """Tell no more."""
        if self._timer is not None:
            self._timer.cancel()

    def here(self) -> dict[str, Ran]:
        """Return the counts of this process, without services that never ran."""
        deployed = self._services.current.by_name
        return {name: (each.tally.calls, each.tally.errors) for name, each in deployed.items() if each.tally.calls}

    async def all(self) -> Mapping[str, Ran]:
        """Return the counts of all living processes together: now of this one, as they told last of the others.

        If the store does not answer soon, those of this one.
        """
        total = self.here()
        for other in await self._others():
            for name, (calls, errors) in other.services.items():
                so_far = total.get(name, NEVER)
                total[name] = (so_far[0] + calls, so_far[1] + errors)
        return total

    async def _others(self) -> list[Counts]:
        if self._is_alone:
            return []
        with contextlib.suppress(ZatoError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                seen, documents = await asyncio.gather(self._reader.ask(Members()), self._reader.ask(Browse(KIND)))
            living = {each.member.holder for each in seen if each.alive} - {self._holder}
            return [told for told in map(_told_in, documents) if told.holder in living]
        return []

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        counts, size = Counts(self._holder, self.here()), 0
        if counts != self._told or loop.time() - self._told_at > TOLD_AGAIN:
            size = self._tell(counts)
            self._told, self._told_at = counts, loop.time()
        self._timer = loop.call_later(max(self._every, size / BYTES_A_SECOND), self._look)

    def _tell(self, counts: Counts) -> int:
        """Store counts, and return how many bytes they are. If the store is away, they are told later with others."""
        holder, packed = self._holder, pack_counts(counts)
        key = f"{holder.server}/{holder.worker}"
        self._batcher.post(Keep(KIND, key, packed, owner=holder.server, seconds=KEPT), self._answered)
        return len(packed)

    def _answered(self, answer: bool | Exception) -> None:
        if isinstance(answer, Exception):
            self._told = None


def _told_in(document: Document) -> Counts:
    return unpack_counts(document.value)
