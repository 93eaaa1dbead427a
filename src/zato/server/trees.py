"""All the calls that one request has brought about, found by who made them, in the order of a printed tree."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from zato.core.invocation import Record
from zato.server.records import Records

__all__ = ["MOST", "Tree", "arranged", "tree_of"]

# Calls in a tree.
MOST = 200


@dataclass(frozen=True, slots=True)
class Tree:
    """The calls of one request.

    Attributes:
        root: the CID where it began.
        items: the calls, each below the one that made it, with how far below the root that is.
        is_cut: there are more.
    """

    root: str
    items: list[tuple[Record, int]]
    is_cut: bool


async def tree_of(records: Records, *, call_id: str | None, cid: str | None) -> Tree:
    """Return the tree that a call is in, whichever of its calls that is.

    The one that was asked for is in it, and all above it, however many others there are.

    Raises:
        BadRequest: not exactly one of id and CID is given.
        NotFound: there is no such call, and none that it made.
    """
    found = await records.tree(call_id=call_id, cid=cid, limit=MOST)
    return Tree(found.root, arranged(found.root, found.records), found.is_cut)


def arranged(root: str, records: Iterable[Record]) -> list[tuple[Record, int]]:
    """Return calls in the order of a printed tree, each once, with how far below the root it is.

    What one call made is in the order in which it was accepted. Calls that share a CID are beside each other, and what
    was made under it is below the first of them.
    """
    oldest_first = sorted(records, key=attrgetter("invocation.created", "invocation.id"))
    made_by: dict[str | None, list[Record]] = {}
    for record in oldest_first:
        made_by.setdefault(record.invocation.parent, []).append(record)
    top = [(record, 0) for record in oldest_first if record.invocation.cid == root]
    waiting = list(reversed(top)) or [(record, 1) for record in reversed(made_by.pop(root, []))]
    placed: dict[str, tuple[Record, int]] = {}
    while waiting:
        record, depth = waiting.pop()
        if placed.setdefault(record.invocation.id, (record, depth)) == (record, depth):
            below = made_by.pop(record.invocation.cid, [])
            waiting += [(each, depth + 1) for each in reversed(below)]
    return list(placed.values())
