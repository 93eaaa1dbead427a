"""How operations on documents and the audit are asked of a cluster. Scripts never look into a document."""

from collections.abc import Sequence
from typing import Any

from zato.broker.audit import Note, Noted, Notes
from zato.broker.base import Purged
from zato.broker.documents import Browse, Document, Fetch, Forget, ForgetAll, Keep, PurgeKept
from zato.broker.redis.question import Question, milliseconds
from zato.core.stored import pack_entry, pack_message, unpack_entry

__all__ = [
    "ask_browse",
    "ask_fetch",
    "ask_forget",
    "ask_forget_all",
    "ask_keep",
    "ask_note",
    "ask_notes",
    "ask_purge",
]

# Documents, and entries of the audit, that one step looks at: Redis does nothing else meanwhile.
BROWSED_AT_ONCE = 500
NOTES_AT_ONCE = 1000
NEWEST = 2**53


def ask_keep(operation: Keep) -> Question:
    """Return the question for `Keep`."""
    asked = (
        operation.kind,
        operation.key,
        operation.owner,
        -1 if operation.seconds is None else milliseconds(operation.seconds),
        int(operation.only_new),
        -1 if operation.at_most is None else operation.at_most,
    )
    return Question("documents", (b"keep", pack_message(asked), operation.value), bool)


def ask_fetch(operation: Fetch) -> Question:
    """Return the question for `Fetch`."""

    def answer(reply: Sequence[Any]) -> Document | None:
        return _document(operation.kind, reply[0]) if reply else None

    return Question("documents", (b"fetch", pack_message((operation.kind, operation.key))), answer)


def ask_browse(operation: Browse) -> Question:
    """Return the question for `Browse`."""
    return _browsed(operation, [], NEWEST)


def _browsed(operation: Browse, found: list[Document], below: int) -> Question:
    """Return the question for what is still missing."""
    owner = operation.owner if operation.owner is not None else False
    asked = (operation.kind, owner, operation.limit - len(found), below, BROWSED_AT_ONCE)

    def answer(reply: Sequence[Any]) -> list[Document] | Question:
        documents, number = reply
        found.extend(_document(operation.kind, each) for each in documents)
        if number and len(found) < operation.limit:
            return _browsed(operation, found, int(number))
        return found

    return Question("documents", (b"browse", pack_message(asked)), answer)


def ask_forget(operation: Forget) -> Question:
    """Return the question for `Forget`."""
    return Question("documents", (b"forget", pack_message((operation.kind, operation.key))), bool)


def ask_forget_all(operation: ForgetAll) -> Question:
    """Return the question for `ForgetAll`."""
    return Question("documents", (b"forget_all", pack_message((operation.kind, operation.owner))), int)


def ask_note(operation: Note) -> Question:
    """Return the question for `Note`."""
    return Question("documents", (b"note", pack_entry(operation.entry)), lambda _: None)


def ask_notes(operation: Notes) -> Question:
    """Return the question for `Notes`."""
    return _noted(operation, [], NEWEST if operation.cursor is None else operation.cursor)


def _noted(operation: Notes, found: list[Any], below: int) -> Question:
    """Return the question for what is still missing of a page, and one more."""
    texts = [getattr(operation, name) for name in ("user", "action", "object", "cid")]
    filters = (False if each is None else each for each in texts)
    asked = (
        *filters,
        operation.since or 0,
        operation.until or 0,
        operation.limit + 1 - len(found),
        below,
        NOTES_AT_ONCE,
    )

    def answer(reply: Sequence[Any]) -> Noted | Question:
        entries, number = reply
        found.extend(entries)
        if number and len(found) <= operation.limit:
            return _noted(operation, found, int(number))
        page = found[: operation.limit]
        return Noted([unpack_entry(packed) for _, packed in page], int(page[-1][0]) if len(found) > len(page) else None)

    return Question("documents", (b"notes", pack_message(asked)), answer)


def ask_purge(operation: PurgeKept) -> Question:
    """Return the question for `PurgeKept`."""
    asked = (milliseconds(operation.audit_retention), operation.limit)
    return Question("documents", (b"purge", pack_message(asked)), lambda reply: Purged(reply[0], more=bool(reply[1])))


def _document(kind: str, row: Sequence[Any]) -> Document:
    key, owner, value, kept = row
    return Document(kind, key.decode(), owner.decode(), value, int(kept))
