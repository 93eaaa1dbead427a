"""The calls of one request as a tree, from the list that the server gives in the order in which a tree is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Node", "grown"]


@dataclass(slots=True)
class Node:
    """A call, and those that it made.

    Attributes:
        item: as `zato.invocation.get-tree` returns it.
        is_current: whether it is the one whose page is shown.
    """

    item: Mapping[str, Any]
    is_current: bool
    children: list["Node"] = field(default_factory=list)


def grown(items: Sequence[Mapping[str, Any]], current: str) -> list[Node]:
    """Return the roots of a tree.

    Args:
        items: each with its `depth`, every call after the one that made it.
        current: the id of the call whose page is shown.
    """
    roots: list[Node] = []
    # From a root to the last node; the next one hangs on the last that is less deep.
    path: list[Node] = []
    for item in items:
        node = Node(item, item["id"] == current)
        while path and path[-1].item["depth"] >= item["depth"]:
            path.pop()
        (path[-1].children if path else roots).append(node)
        path.append(node)
    return roots
