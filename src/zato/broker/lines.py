"""In which line of the embedded broker's file each call waits, and who is first of several lines.

A service of which only so many calls may run at once has a line of its own, and so has all that is paused:
a lease looks at the heads of those lines that it may take from, and never through calls that must wait.
"""

import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from operator import itemgetter
from typing import Any

from zato.broker.base import Announce
from zato.broker.cluster import Pause
from zato.broker.connection import Connection
from zato.core.invocation import Lane, Terms
from zato.core.packing import pack_terms, unpack_terms

__all__ = ["Lines", "is_plain"]

# What one lease hands out at most, beyond a single call of any size.
LEASED_BYTES = 16_000_000

SEQ = 1
PAYLOAD = 13
NO_TERMS = Terms()
PLAIN = frozenset(lane.value for lane in Lane)

Row = tuple[Any, ...]
Deployed = dict[str, tuple[Lane, Terms]]


class Lines:
    """Moves calls from line to line, and takes the first ones, on a connection that is in a transaction."""

    def __init__(self, connection: Connection, sql: Mapping[str, str]) -> None:
        """Take the connection, and the statements of `sqlite.sql`."""
        self._db = connection
        self._sql = sql

    def _rows(self, name: str, **values: Any) -> list[Row]:
        return self._db.execute(self._sql[name], values).fetchall()

    def announce(self, operation: Announce) -> tuple[list[str], bool]:
        """Return what stays announced beside what is announced now, and whether anything changed by it."""
        before = self._deployed()
        after = before.copy() if operation.only_add else {}
        for service, lane in operation.services.items():
            after[service] = (lane, operation.terms.get(service, NO_TERMS))
        if before != after:
            self._redeploy(before, after)
        return sorted(after.keys() - operation.services.keys()), before != after

    def _deployed(self) -> Deployed:
        return {service: (Lane(lane), unpack_terms(terms)) for service, lane, terms in self._rows("deployed")}

    def _redeploy(self, before: Deployed, after: Deployed) -> None:
        self._rows("undeploy_all")
        for service, (lane, terms) in after.items():
            limited = terms.max_concurrency is not None
            self._rows("deploy", service=service, lane=lane.value, limited=limited, terms=pack_terms(terms).decode())
        both = before.keys() | after.keys()
        moved = [service for service in both if _line(before.get(service)) != _line(after.get(service))]
        self._rows("move_services", services=json.dumps(moved))

    def pause(self, operation: Pause) -> bool:
        """Pause a queue or let it go on, and return whether that is new."""
        self._rows("pause" if operation.paused else "resume", queue=operation.queue)
        if not self._db.changes():
            return False
        self._rows("move_queue", queue=operation.queue, paused=operation.paused)
        return True

    def take(self, lane: Lane, limit: int, held: Mapping[str, Any]) -> list[Row]:
        """Lease what comes first, and return its rows of the statement `ready`.

        Args:
            lane: what is free.
            limit: how many at most.
            held: values of the statement `lease`, which every lease of them is given.
        """
        room = self._room(lane)
        if not room:
            return self._take_plain(lane, limit, held)
        ready = [self._ready(lane.value, limit, held), *(self._ready(line, min(limit, n), held) for line, n in room)]
        rows = _up_to(LEASED_BYTES, islice(heapq.merge(*ready, key=itemgetter(0, SEQ)), limit))
        self._rows("lease_these", seqs=json.dumps([row[SEQ] for row in rows]), **held)
        return rows

    def _take_plain(self, lane: Lane, limit: int, held: Mapping[str, Any]) -> list[Row]:
        """Read what is ready, then mark the same rows: both statements have the same condition and order."""
        rows = _up_to(LEASED_BYTES, self._ready(lane.value, limit, held))
        if rows:
            self._rows("lease", line=lane.value, limit=len(rows), **held)
        return rows

    def _ready(self, line: str, limit: int, held: Mapping[str, Any]) -> Iterator[Row]:
        return self._db.execute(self._sql["ready"], {"line": line, "limit": limit, "now": held["now"]})

    def _room(self, lane: Lane) -> list[tuple[str, int]]:
        """Return the lines of limited services in which a call is ready, and how many of each may be leased now."""
        limited = self._rows("limited_lines", lane=lane.value)
        if not limited:
            return []
        running: dict[str, int] = dict(self._rows("running"))
        room = [(line, most - running.get(service, 0)) for service, line, most in limited]
        return [(line, count) for line, count in room if count > 0]


def is_plain(line: str | None) -> bool:
    """Tell whether the end of a call of this line lets no other one begin."""
    return line is None or line in PLAIN


def _line(deployed: tuple[Lane, Terms] | None) -> tuple[Lane, bool] | None:
    """Return what tells the lines of services apart that are deployed in this way."""
    return None if deployed is None else (deployed[0], deployed[1].max_concurrency is not None)


def _up_to(size: int, rows: Iterable[Row]) -> list[Row]:
    """Return rows of the statement `ready` until their payloads have this many bytes; at least one, if there is one."""
    taken: list[Row] = []
    for row in rows:
        taken.append(row)
        size -= len(row[PAYLOAD])
        if size <= 0:
            break
    return taken
