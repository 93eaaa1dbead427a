"""The audit: what people did, appended to a broker's store and read from it. Nothing changes an entry.

`zato.core.audit` says what an entry is; `zato.broker.documents.PurgeKept` deletes those that are too old.
"""

from dataclasses import dataclass

from zato.broker.base import Operation
from zato.core.audit import AuditEntry

__all__ = ["Note", "Noted", "Notes"]


@dataclass(frozen=True, slots=True)
class Note(Operation[None]):
    """Append an entry to the audit. It is durable when the result is there, as an accepted call is."""

    entry: AuditEntry


@dataclass(frozen=True, slots=True)
class Noted:
    """A page of the audit, newest first, and where the next page begins.

    Attributes:
        cursor: what `Notes` is given for the next page; None after the last one.
    """

    entries: list[AuditEntry]
    cursor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes(Operation[Noted]):
    """Find the entries that have everything that is asked for; what was appended last comes first. Result: `Noted`.

    Attributes:
        limit: how many at most, in one page.
        cursor: from the page before.
        since: of this time or later, Unix milliseconds.
        until: of before this time.
    """

    limit: int = 50
    cursor: int | None = None
    since: int | None = None
    until: int | None = None
    user: str | None = None
    action: str | None = None
    object: str | None = None
    cid: str | None = None
