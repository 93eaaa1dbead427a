"""Documents and the audit in the embedded broker's file, on a connection that is in a transaction."""

from collections.abc import Callable, Mapping
from typing import Any

from zato.broker.audit import Note, Noted, Notes
from zato.broker.base import Clock, Operation, Purged
from zato.broker.connection import Connection
from zato.broker.documents import Browse, Document, Fetch, Forget, ForgetAll, Keep, PurgeKept
from zato.core.audit import AuditEntry

__all__ = ["Documents"]

NEWEST = 2**63 - 1


class Documents:
    """Carries out operations on documents and the audit.

    Attributes:
        questions: what changes nothing.
        actions: all of them.
    """

    def __init__(self, connection: Connection, sql: Mapping[str, str], clock: Clock) -> None:
        """Take the connection, the statements of `sqlite.sql`, and what to read the time from."""
        self._db = connection
        self._sql = sql
        self._clock = clock
        self.questions: Mapping[type[Operation[Any]], Callable[[Any], object]] = {
            Fetch: self._fetch,
            Browse: self._browse,
            Notes: self._notes,
        }
        self.actions: Mapping[type[Operation[Any]], Callable[[Any], object]] = {
            **self.questions,
            Keep: self._keep,
            Forget: self._forget,
            ForgetAll: self._forget_all,
            Note: self._note,
            PurgeKept: self._purge,
        }

    def _rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        return self._db.execute(self._sql[statement], values).fetchall()

    def _keep(self, operation: Keep) -> bool:
        now = self._clock.wall()
        place = {"kind": operation.kind, "key": operation.key}
        if operation.only_new and self._rows("kept", **place, now=now):
            return False
        ends = None if operation.seconds is None else now + int(operation.seconds * 1000)
        self._rows("keep", **place, owner=operation.owner, now=now, ends=ends, value=operation.value)
        if operation.at_most is not None:
            kind, owner = operation.kind, operation.owner
            self._rows("trim_documents", kind=kind, owner=owner, now=now, at_most=operation.at_most)
        return True

    def _fetch(self, operation: Fetch) -> Document | None:
        rows = self._rows("fetch", kind=operation.kind, key=operation.key, now=self._clock.wall())
        return Document(*rows[0]) if rows else None

    def _browse(self, operation: Browse) -> list[Document]:
        statement = "browse" if operation.owner is None else "browse_owner"
        asked = {"kind": operation.kind, "owner": operation.owner, "limit": operation.limit}
        return [Document(*row) for row in self._rows(statement, **asked, now=self._clock.wall())]

    def _forget(self, operation: Forget) -> bool:
        return bool(_seen(self._rows("forget", kind=operation.kind, key=operation.key, now=self._clock.wall())))

    def _forget_all(self, operation: ForgetAll) -> int:
        return _seen(self._rows("forget_all", kind=operation.kind, owner=operation.owner, now=self._clock.wall()))

    def _note(self, operation: Note) -> None:
        self._rows("note", **{name: getattr(operation.entry, name) for name in FIELDS})

    def _notes(self, operation: Notes) -> Noted:
        filters = {name: getattr(operation, name) for name in ("since", "until", "user", "action", "object", "cid")}
        before = NEWEST if operation.cursor is None else operation.cursor
        rows = self._rows("notes", **filters, before=before, limit=operation.limit + 1)
        page = rows[: operation.limit]
        entries = [AuditEntry(**dict(zip(FIELDS, row, strict=True))) for _, *row in page]
        return Noted(entries, page[-1][0] if len(rows) > len(page) else None)

    def _purge(self, operation: PurgeKept) -> Purged:
        now, limit = self._clock.wall(), operation.limit
        before = now - int(operation.audit_retention * 1000)
        ended = self._rows("ended_documents", now=now, limit=limit + 1)
        old = self._rows("old_notes", before=before, limit=limit + 1)
        self._rows("purge_documents", now=now, limit=limit)
        self._rows("purge_notes", before=before, limit=limit)
        count = min(limit, len(ended)) + min(limit, len(old))
        return Purged(count, more=count < len(ended) + len(old))


def _seen(rows: list[tuple[Any, ...]]) -> int:
    """Return how many of the deleted documents anybody could see."""
    return sum(is_seen for (is_seen,) in rows)


FIELDS = AuditEntry.__struct_fields__
