"""A broker that kills its process before, inside or after a transaction, and the points of which there are traps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from tests.chaos.traps import Traps
from zato.broker.base import Accept, Applied, Backend, Clock, Finish, Lease, Leased, Operation, Postpone, Purge, Purged
from zato.broker.open import Location, open_backend

__all__ = ["AFTER", "BEFORE", "INSIDE", "POINTS", "UPGRADE_POINTS", "BreakingBackend", "Point", "open_breaking"]

BEFORE = "before the transaction"
INSIDE = "in the middle of it"
AFTER = "after it, before anybody knows"


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the life of a call at which its process can be killed.

    Attributes:
        name: of its trap, and of its row in the table.
        moment: where in the transaction.
        operation: the transaction is one with such an operation.
        has: tells which ones, by operation and, after the transaction, result.
        statement: in the middle of a transaction, the beginning of the statement that comes next.
    """

    name: str
    moment: str
    operation: type[Operation[Any]]
    has: Callable[[Any, Any], bool] = lambda operation, result: True
    statement: str = "COMMIT"

    def is_met(self, batch: Sequence[Operation[Any]], results: Sequence[object]) -> bool:
        """Tell whether a batch is one that this point is about."""
        return any(
            isinstance(each, self.operation) and self.has(each, result)
            for each, result in zip(batch, results, strict=True)
        )


def _leased_some(operation: Lease, result: object) -> bool:
    return isinstance(result, Leased) and bool(result.deliveries)


def _calls_back(operation: Finish, result: object) -> bool:
    return bool(operation.follow_ups)


def _is_slice(operation: Purge, result: object) -> bool:
    return isinstance(result, Purged) and result.more


POINTS = (
    Point("accept, before it is stored", BEFORE, Accept),
    Point("accept, before the commit", INSIDE, Accept),
    Point("accept, before the reply", AFTER, Accept),
    Point("after the lease", AFTER, Lease, _leased_some),
    Point("after the response", BEFORE, Finish),
    Point("finish, before the commit", INSIDE, Finish),
    Point("finish, before it is known", AFTER, Finish),
    Point("callback, before it is stored", BEFORE, Finish, _calls_back),
    Point("callback, after the outcome", INSIDE, Finish, _calls_back, "INSERT INTO invocation"),
    Point("callback, before the commit", INSIDE, Finish, _calls_back),
    Point("callback, before it is known", AFTER, Finish, _calls_back),
    Point("retry, before the commit", INSIDE, Postpone),
    Point("retry, before it is known", AFTER, Postpone),
    Point("purge, between the tables", INSIDE, Purge, statement="DELETE FROM outcome"),
    Point("purge, before the commit", INSIDE, Purge),
    Point("purge, between slices", AFTER, Purge, _is_slice),
)

# A point in the opening of an old file is the beginning of the statement that comes next.
UPGRADE_POINTS = {
    "upgrade, before the copy": "VACUUM INTO",
    "upgrade, after the copy": "ALTER TABLE invocation RENAME",
    "upgrade, before the commit": "PRAGMA user_version =",
}


class BreakingBackend:
    """The real backend, in which traps can be armed. Used from one thread only."""

    def __init__(self, traps: Traps, open_real: Callable[[], Backend]) -> None:
        """Open the real backend; it may come to a point while it does."""
        self._traps = traps
        self._batch: Sequence[Operation[Any]] = ()
        apsw.connection_hooks.append(self._watch)
        try:
            self._real = open_real()
        finally:
            apsw.connection_hooks.remove(self._watch)

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        """Carry out operations, unless this is the place to die."""
        self._pass(BEFORE, batch, [None] * len(batch))
        self._batch = batch
        applied = self._real.apply(batch)
        self._batch = ()
        self._pass(AFTER, batch, applied.results)
        return applied

    def close(self) -> None:
        """Close the real backend."""
        self._real.close()

    def _watch(self, connection: apsw.Connection) -> None:
        connection.exec_trace = self._executes

    def _executes(self, cursor: apsw.Cursor, statement: str, bindings: object) -> bool:
        """Look at a statement before it is carried out."""
        if self._batch:
            self._pass(INSIDE, self._batch, [None] * len(self._batch), statement)
        else:
            for point, beginning in UPGRADE_POINTS.items():
                if statement.startswith(beginning):
                    self._traps.spring(point)
        return True

    def _pass(
        self, moment: str, batch: Sequence[Operation[Any]], results: Sequence[object], statement: str = "COMMIT"
    ) -> None:
        for point in POINTS:
            if point.moment == moment and statement.startswith(point.statement) and point.is_met(batch, results):
                self._traps.spring(point.name)


def open_breaking(traps: Traps, location: Location, clock: Clock) -> Backend:
    """Return the backend that a location names, with traps in it."""
    return BreakingBackend(traps, lambda: open_backend(location, clock))
