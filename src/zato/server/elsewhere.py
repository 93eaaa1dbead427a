"""Which services other servers of the cluster have, as far as calls name them.

What this server has itself is asked of nobody. The store is asked for other names, and what it knows is
remembered for some seconds, so that a producer for another server's services does not ask for every call. A name
that is in a call is asked for again as long as nobody has it; one that only the convention for callbacks makes
up is not, because most services have no such callback.
"""

import time
from collections.abc import Iterable, Mapping

from zato.broker.batcher import Batcher
from zato.broker.cluster import Known
from zato.core.call import AsyncCall
from zato.core.callbacks import CONVENTION_SUFFIX
from zato.core.invocation import Terms
from zato.server.registry import Services

__all__ = ["Elsewhere"]

# Seconds.
FRESH = 5.0


class Elsewhere:
    """Asks the store for the names that this server does not have. From any thread."""

    def __init__(self, services: Services, batcher: Batcher, *, fresh: float = FRESH) -> None:
        """Take where what is learned is noted, the store, and the seconds for which its answer counts."""
        self._fresh = fresh
        self._services = services
        self._batcher = batcher
        # When the answer for a name stops to count, whether it was yes or no.
        self._until: dict[str, float] = {}

    def unsure(self, calls: Iterable[AsyncCall]) -> set[str]:
        """Return the names in calls that nothing certain is known of now."""
        here, now = self._services.current.by_name, time.monotonic()
        wanted: set[str] = set()
        for call in calls:
            if call.service not in here:
                self._want(call.service, wanted, now)
            for name in (*(call.callback or ()), *call.on_failure):
                if name not in here:
                    self._want(name, wanted, now)
            if call.callback is None and call.caller is not None:
                conventional = call.caller + CONVENTION_SUFFIX
                if conventional not in here and self._until.get(conventional, 0) <= now:
                    wanted.add(conventional)
        return wanted

    async def ask(self, names: Iterable[str]) -> None:
        """Ask the store for names, from the event loop."""
        asked = tuple(names)
        self._note(asked, await self._batcher.ask(Known(asked)))

    def ask_here(self, names: Iterable[str]) -> None:
        """Ask the store for names, from a service's thread."""
        asked = tuple(names)
        self._note(asked, self._batcher.wait(Known(asked)))

    def _want(self, name: str, wanted: set[str], now: float) -> None:
        if name not in self._services.elsewhere or self._until.get(name, 0) <= now:
            wanted.add(name)

    def _note(self, asked: Iterable[str], known: Mapping[str, Terms]) -> None:
        until = time.monotonic() + self._fresh
        for name in asked:
            if name in known:
                self._services.elsewhere[name] = known[name]
            else:
                self._services.elsewhere.pop(name, None)
            # A no counts only for names that services here make up, of which there are few.
            if name in known or name.removesuffix(CONVENTION_SUFFIX) in self._services.current.by_name:
                self._until[name] = until
