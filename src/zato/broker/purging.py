"""Deleting outcomes from the embedded broker's file once their retention is over, slice by slice."""

from collections.abc import Iterable, Mapping

from zato.broker.base import Clock, Purge, Purged
from zato.broker.connection import Connection

__all__ = ["Purging"]

# What one slice deletes at most, beyond a single call of any size: others wait for it.
PURGED_BYTES = 8_000_000


class Purging:
    """Carries out `Purge` on a connection that is in a transaction."""

    def __init__(self, connection: Connection, sql: Mapping[str, str], clock: Clock) -> None:
        """Take the connection, the statements of `sqlite.sql`, and what to read the time from."""
        self._db = connection
        self._sql = sql
        self._clock = clock

    def purge(self, operation: Purge) -> Purged:
        """Read what is old, and how large, then delete as much: all statements have the same condition and order."""
        before = self._clock.wall() - int(operation.retention * 1000)
        sizes = self._db.execute(self._sql["old_sizes"], {"before": before, "limit": operation.limit + 1})
        old = [size for (size,) in sizes]
        limit = min(operation.limit, _count_up_to(PURGED_BYTES, old))
        # Outcomes last, because the others find by them what is old.
        for statement in ("purge_invocations", "purge_failures", "purge_keys", "purge_outcomes"):
            self._db.execute(self._sql[statement], {"before": before, "limit": limit})
        return Purged(limit, more=limit < len(old))


def _count_up_to(size: int, sizes: Iterable[int]) -> int:
    """Return how many of these sizes are within another one together; at least one, if there is one."""
    count = 0
    for each in sizes:
        size -= each
        if size < 0 and count:
            break
        count += 1
    return count
