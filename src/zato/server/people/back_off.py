"""How long somebody waits who tried to log in in vain, whichever process of the cluster they asked.

An attempt is counted before its password is looked at, so that many at once are not looked at together; one that
succeeds is forgotten, with all before it. What is kept is a number for each name and address, and for each name, and
is gone a quarter of an hour after the last attempt. One that is refused here is not counted, and costs no hash. A
process counts one attempt after another; of several processes each may let one through at the same moment.
"""

import asyncio
import hashlib
from collections.abc import Callable

from zato.broker.batcher import Batcher
from zato.broker.documents import Fetch, Forget, Keep
from zato.core.people import Attempts, pack, seconds_to_wait, unpack
from zato.core.people_errors import TooManyAttempts
from zato.server.identity import now_ms

__all__ = ["BackOff"]

KIND = "attempt"
# Seconds.
REMEMBERED = 900.0


class BackOff:
    """Counts attempts in the store."""

    def __init__(self, batcher: Batcher, reader: Batcher, *, wall: Callable[[], int] = now_ms) -> None:
        """Take the store, to write and to read, and what tells Unix time in milliseconds."""
        self._batcher = batcher
        self._reader = reader
        self._wall = wall
        self._counting = asyncio.Lock()

    async def check(self, name: str, client: str, *, is_known: bool) -> None:
        """Return if somebody may try now.

        Args:
            is_known: the person logged in from there the last time, and does not wait for what others do elsewhere.

        Raises:
            TooManyAttempts: not yet.
        """
        await self._attempts(self._reader, _keys(name, client), is_known)

    async def count(self, name: str, client: str, *, is_known: bool) -> None:
        """Count an attempt whose end is not known yet. Raises as `check` does: others may have come in between."""
        keys = _keys(name, client)
        async with self._counting:
            found = await self._attempts(self._batcher, keys, is_known)
            now = self._wall()
            attempts = [pack(Attempts(count=each.count + 1, last=now)) for each in found]
            await asyncio.gather(
                *(
                    self._batcher.ask(Keep(KIND, key, value, seconds=REMEMBERED))
                    for key, value in zip(keys, attempts, strict=True)
                )
            )

    async def forget(self, name: str, client: str) -> None:
        """Forget the attempts of somebody who is who they say they are."""
        await asyncio.gather(*(self._batcher.ask(Forget(KIND, key)) for key in _keys(name, client)))

    async def _attempts(self, store: Batcher, keys: tuple[str, str], is_known: bool) -> list[Attempts]:
        """Return those of the name at the address, and those of the name.

        Raises:
            TooManyAttempts: there are too many.
        """
        documents = await asyncio.gather(*(store.ask(Fetch(KIND, key)) for key in keys))
        found = [Attempts() if document is None else unpack(Attempts, document.value) for document in documents]
        now = self._wall()
        wait = seconds_to_wait(found[0], now, of_all=False)
        if not is_known:
            wait = max(wait, seconds_to_wait(found[1], now, of_all=True))
        if wait:
            raise TooManyAttempts.wait(wait)
        return found


def _keys(name: str, client: str) -> tuple[str, str]:
    """Return what is counted under: of one length, whatever somebody sent."""
    return _digest(f"{name}\0{client}"), _digest(name)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
