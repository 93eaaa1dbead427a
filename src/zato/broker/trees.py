"""Finding everything that one request has brought about: the calls that it made, what these made, and so on.

A call is accepted after the one that made it. So what was accepted before any call carried a CID was not made by a
call with that CID, and a store need not look for it there.
"""

from dataclasses import dataclass

from zato.broker.base import Operation
from zato.core.invocation import Record

__all__ = ["FindTree", "FoundTree"]


@dataclass(frozen=True, slots=True)
class FoundTree:
    """The calls of one request, without payloads and responses, in the order in which they were accepted.

    Attributes:
        root: the CID where it began; a request that was no background call has no record.
        is_cut: there are more calls.
    """

    root: str
    records: list[Record]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class FindTree(Operation[FoundTree]):
    """Find the tree that a call is in, whichever of its calls that is. Result: `FoundTree`.

    In it is the call that was asked for, then those above it, from the nearest to the farthest, then of all that these
    made what was accepted first. Of several that carry a CID, the newest is above what that CID made.

    What a CID made is looked for among what was accepted after the oldest call that carries it, if it is above, or
    after the call of the tree that carries it first.

    Attributes:
        id: of a call. Either it or the CID is given.
        cid: of a call, the newest if several carry it, or of a request without a record.
        limit: how many calls at most.
    """

    id: str | None = None
    cid: str | None = None
    limit: int = 200
