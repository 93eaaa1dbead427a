"""Looking for the tree of a call in the embedded broker's file.

There is no index by who made a call: it would cost acceptance a tenth. But calls stand in the order in which they were
accepted, and each after the one that made it. So one walk along the narrow index of lists finds a whole tree, however
deep it is, and begins at its root (docs/decisions/0009-lists.md).
"""

import json
from typing import Any, Protocol

from zato.broker.trees import FindTree

__all__ = ["Growing"]


Row = tuple[Any, ...]


class Rows(Protocol):
    """Executes statements by the names of their parts."""

    def __call__(self, *names: str, **values: Any) -> list[Row]:
        """Return its rows."""


class Growing:
    """What was found by now of one tree.

    Attributes:
        root: the CID where it began, as far as that is known.
        found: the keys of its calls.
        is_cut: there are more.
    """

    def __init__(self, rows: Rows, limit: int) -> None:
        """Take what executes statements, and how many calls to find at most."""
        self.root = ""
        self.found: set[int] = set()
        self.is_cut = False
        self._rows = rows
        self._limit = limit
        # What was made under each of these CIDs stands behind this key.
        self._behind: dict[str, int] = {}

    def grow(self, operation: FindTree) -> None:
        """Find all of the tree."""
        if operation.id is not None:
            start = self._rows("tree_by_id", id=operation.id)
            if not start:
                return
        else:
            self.root = operation.cid or ""
            start = self._newest(self.root)
        self._climb(start)
        self._descend()

    def _climb(self, start: list[Row]) -> None:
        """Find what is above, up to a request that was no background call, whose record is gone, or that was passed."""
        above = self._pass(start)
        while above is not None and above not in self._behind:
            calls = self._newest(above)
            self.is_cut = bool(calls) and len(self.found) == self._limit
            if self.is_cut:
                return
            self.root = above
            above = self._pass(calls)

    def _pass(self, calls: list[Row]) -> str | None:
        """Take a call on the way up, if the request has a record, and return the CID above."""
        above = None
        if calls:
            ((seq, self.root, above),) = calls
            self.found.add(seq)
        ((first,),) = self._rows("tree_first", cid=self.root)
        self._behind[self.root] = first or 0
        return above

    def _descend(self) -> None:
        """Find what is below: walk towards the newest call, looking for what is made under the CIDs passed by then."""
        at = min(self._behind.values())
        while not self.is_cut:
            upto = min((behind for behind in self._behind.values() if behind > at), default=None)
            passed = [cid for cid, behind in self._behind.items() if behind <= at]
            made = self._rows("tree_next", after=at, upto=upto, cids=json.dumps(passed))
            if not made and upto is None:
                return
            at = self._take(*made[0]) if made else upto or at

    def _take(self, seq: int, cid: str) -> int:
        """Take a call, if there is room for it, and return its key."""
        if seq not in self.found:
            self.is_cut = len(self.found) == self._limit
            if not self.is_cut:
                self.found.add(seq)
                self._behind.setdefault(cid, seq)
        return seq

    def _newest(self, cid: str) -> list[Row]:
        return self._rows("tree_by_cid", cid=cid)
