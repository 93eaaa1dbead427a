"""Small documents that a broker keeps for whoever shares it, such as people and their sessions.

A document is found by its kind and key. Of what it holds the broker knows nothing. One whose time is over is not
there for anybody, at once; `PurgeKept` deletes it some time later.
"""

from dataclasses import dataclass

from zato.broker.base import Operation, Purged

__all__ = ["Browse", "Document", "Fetch", "Forget", "ForgetAll", "Keep", "PurgeKept"]


@dataclass(frozen=True, slots=True)
class Document:
    """What is kept under a kind and a key.

    Attributes:
        owner: whose it is; empty for nobody's.
        kept: when it was kept last, in Unix milliseconds.
    """

    kind: str
    key: str
    owner: str
    value: bytes
    kept: int


@dataclass(frozen=True, slots=True)
class Keep(Operation[bool]):
    """Keep a document, in place of what its kind and key had before. Result: whether it is kept.

    It is durable when the result is there, as an accepted call is.

    Attributes:
        owner: whose it is.
        seconds: for how long; None is until it is forgotten.
        only_new: keep nothing, and say False, if there is one of this kind and key.
        at_most: of this kind and owner, only so many stay: those that were kept last.
    """

    kind: str
    key: str
    value: bytes
    owner: str = ""
    seconds: float | None = None
    only_new: bool = False
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class Fetch(Operation[Document | None]):
    """Find a document. Result: the `Document`, or None."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Browse(Operation[list[Document]]):
    """Find all documents of a kind, or those of one owner. Result: what was kept last comes first.

    Attributes:
        owner: whose; None is everybody's.
        limit: how many at most.
    """

    kind: str
    owner: str | None = None
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Forget(Operation[bool]):
    """Delete a document, durably. Result: whether there was one."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class ForgetAll(Operation[int]):
    """Delete all documents of a kind and owner, durably. Result: how many."""

    kind: str
    owner: str


@dataclass(frozen=True, slots=True)
class PurgeKept(Operation[Purged]):
    """Delete documents whose time is over, and entries of the audit that are too old. Result: `Purged`.

    Attributes:
        audit_retention: seconds for which entries of the audit are kept.
        limit: how many of each to delete at most, the oldest first.
    """

    audit_retention: float
    limit: int = 500
