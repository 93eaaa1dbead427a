"""Writing down who did what, so that nothing is done without it.

An action is noted as begun before it is carried out: if that cannot be stored, it is refused. Afterwards the entry
with its end is stored and the note dropped, in this order and before the answer goes out. If the server dies in
between, the note stays, and the audit shows it with the status `unknown`, on Redis perhaps beside the entry.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from zato.broker.audit import Note, Noted, Notes
from zato.broker.batcher import Batcher
from zato.broker.documents import Browse, Forget, Keep
from zato.core.audit import AuditEntry
from zato.core.errors import BrokerUnavailable, ZatoError
from zato.core.people import changed, pack, unpack
from zato.server.identity import now_ms

__all__ = ["UNKNOWN", "Doing", "Trail"]

KIND = "begun"
UNKNOWN = "unknown"
UNEXPECTED = "exception"
MOST_BEGUN = 200
# Characters.
LONGEST = 200

logger = logging.getLogger("zato.server")


@dataclass(slots=True)
class Doing:
    """Something that is being done.

    Attributes:
        cid: what the audit is to find it by: of the request, unless it had a call accepted that has another one.
    """

    cid: str


class Trail:
    """Writes the audit, and reads it."""

    def __init__(
        self, batcher: Batcher, reader: Batcher, *, retention: float, wall: Callable[[], int] = now_ms
    ) -> None:
        """Take the store, to write and to read, the seconds that entries are kept, and what tells Unix time in ms."""
        self._batcher = batcher
        self._reader = reader
        self._retention = retention
        self._wall = wall

    def entry(self, user: str, client: str, action: str, *, about: str = "", cid: str = "") -> AuditEntry:
        """Return an entry of now."""
        action, about = action[:LONGEST], about[:LONGEST]
        return AuditEntry(time=self._wall(), user=user, client=client, action=action, object=about, cid=cid)

    async def note(self, entry: AuditEntry) -> None:
        """Write an entry. It is durable afterwards.

        Raises:
            BrokerUnavailable: it could not be stored.
        """
        await self._batcher.ask(Note(entry))

    async def refuse(self, entry: AuditEntry, error: ZatoError) -> None:
        """Write an entry of something that is not done, and why. Raises as `note` does."""
        await self.note(changed(entry, status=error.code))

    @asynccontextmanager
    async def doing(self, entry: AuditEntry) -> AsyncIterator[Doing]:
        """Write down what is done in the context, and how it ended.

        Raises:
            BrokerUnavailable: it could not be stored; nothing was done.
        """
        # Not its CID: what one request does may be several things, one in another.
        begun = secrets.token_hex(8)
        await self._batcher.ask(Keep(KIND, begun, pack(changed(entry, status=UNKNOWN)), seconds=self._retention))
        done = Doing(entry.cid)
        try:
            yield done
        except Exception as error:
            await self._ended(changed(entry, status=_code_of(error)), begun=begun)
            raise
        await self._ended(changed(entry, cid=done.cid), begun=begun)

    async def find(self, wanted: Notes) -> Noted:
        """Return a page of entries, newest first; what has begun and not ended stands on the first one."""
        page = await self._reader.ask(wanted)
        if wanted.cursor is not None:
            return page
        documents = await self._reader.ask(Browse(KIND, limit=MOST_BEGUN))
        begun = [unpack(AuditEntry, document.value) for document in documents]
        entries = [*page.entries, *(entry for entry in begun if _is_wanted(entry, wanted))]
        return Noted(sorted(entries, key=lambda entry: -entry.time), page.cursor)

    async def _ended(self, entry: AuditEntry, *, begun: str) -> None:
        """Write how something ended that was done. If that cannot be stored, the note of its beginning stays."""
        try:
            await asyncio.gather(self._batcher.ask(Note(entry)), self._batcher.ask(Forget(KIND, begun)))
        except BrokerUnavailable as error:
            logger.warning(
                "The audit says that %s by %r has begun, and not how it ended, %s: %s",
                entry.action,
                entry.user,
                entry.status,
                error,
                extra={"cid": entry.cid},
            )


def _code_of(error: BaseException) -> str:
    """Return what the audit says of an error."""
    return error.code if isinstance(error, ZatoError) else UNEXPECTED


def _is_wanted(entry: AuditEntry, wanted: Notes) -> bool:
    exact = (
        (wanted.user, entry.user),
        (wanted.action, entry.action),
        (wanted.object, entry.object),
        (wanted.cid, entry.cid),
    )
    since, until = wanted.since or 0, entry.time + 1 if wanted.until is None else wanted.until
    return since <= entry.time < until and all(asked in (None, found) for asked, found in exact)
