"""Looking things up in the embedded broker's file: one call, a page of a list, what is in queues, who shares it.

A list never reads payloads and responses. It looks through one narrow index, or through the small rows
of what is pending, and stops at the end of its page (docs/decisions/0009-lists.md has what each costs).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zato.broker.base import Applied, Clock, Count, Find, Found, Look, Operation, Unstorable
from zato.broker.cluster import Known, Queues, QueueState
from zato.broker.connection import PATIENCE, Connection, is_file_at_fault, reason_of
from zato.broker.format import open_to_read
from zato.broker.rows import failure_of, queue_of, record_of
from zato.broker.sqlite_cluster import Cluster
from zato.broker.sqlite_documents import Documents
from zato.broker.sqlite_trees import Growing
from zato.broker.statements import load_statements
from zato.broker.trees import FindTree, FoundTree
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import Failure, Record, Status, Terms
from zato.core.packing import unpack_terms

__all__ = ["Reading", "SQLiteReader", "parts_of"]

NEWEST = 2**63 - 1


class Reading:
    """Answers `Look`, `Find`, `FindTree`, `Count`, `Queues` and `Known` from a connection."""

    def __init__(self, connection: Connection, sql: Mapping[str, str]) -> None:
        """Take the connection and the statements of `sqlite.sql`."""
        self._db = connection
        self._sql = sql
        self.actions: Mapping[type[Operation[Any]], Callable[[Any], object]] = {
            Look: self.look,
            Find: self.find,
            FindTree: self.tree,
            Count: self.count,
            Queues: self.queues,
            Known: self.known,
        }

    def look(self, operation: Look) -> Record | None:
        """Return the record of one call. See `zato.broker.base.Look`."""
        if operation.id is not None:
            found = self._rows("look_by_id", id=operation.id)
        else:
            found = self._rows("look_by_cid", cid=operation.cid)
        if not found:
            return None
        ((seq,),) = found
        (row,) = self._rows("look", "look_one", seq=seq, whole=True)
        ((count,),) = self._rows("cid_count", cid=row[1])
        failures = tuple(failure_of(each) for each in self._rows("failures", seq=seq))
        return record_of(row, cid_count=count, failures=failures)

    def find(self, operation: Find) -> Found:
        """Return a page of records. See `zato.broker.base.Find`."""
        before = NEWEST if operation.cursor is None else operation.cursor
        values = {**_filters(operation), "before": before, "limit": operation.limit + 1}
        found = self._rows(*parts_of(operation), "find_page", **values)
        page = [seq for (seq,) in found[: operation.limit]]
        return Found(self._listed(page), page[-1] if len(found) > len(page) else None)

    def tree(self, operation: FindTree) -> FoundTree:
        """Return the calls of one request. See `zato.broker.trees.FindTree`."""
        growing = Growing(self._rows, operation.limit)
        growing.grow(operation)
        return FoundTree(growing.root, self._listed(growing.found)[::-1], growing.is_cut)

    def count(self, operation: Count) -> int:
        """Return how many calls a list would have. See `zato.broker.base.Count`."""
        values = {**_filters(operation.find), "before": NEWEST}
        ((count,),) = self._rows("count", *parts_of(operation.find), "counted", **values)
        return int(count)

    def queues(self, _: Queues) -> list[QueueState]:
        """Return what is in queues. See `zato.broker.cluster.Queues`."""
        return [queue_of(row) for row in self._rows("queues")]

    def known(self, operation: Known) -> Mapping[str, Terms]:
        """Return which services are deployed. See `zato.broker.cluster.Known`."""
        rows = self._rows("known", services=json.dumps(operation.services))
        return {service: unpack_terms(terms) for service, terms in rows}

    def _listed(self, seqs: Iterable[int]) -> list[Record]:
        """Return records without what is large, newest first: with few statements, however many they are."""
        some = json.dumps(list(seqs))
        counts = dict(self._rows("cid_counts", seqs=some))
        failures: dict[str, tuple[Failure, ...]] = {}
        for call_id, *failure in self._rows("failures_of_some", seqs=some):
            failures[call_id] = (*failures.get(call_id, ()), failure_of(failure))
        rows = self._rows("look", "look_some", seqs=some, whole=False)
        return [record_of(row, cid_count=counts[row[1]], failures=failures.get(row[0], ())) for row in rows]

    def _rows(self, *names: str, **values: Any) -> list[tuple[Any, ...]]:
        """Execute the statement that these parts are together."""
        statement = "\n".join([self._sql[name] for name in names])
        return self._db.execute(statement, values).fetchall()


class SQLiteReader:
    """A backend that answers questions alone, on a connection of its own.

    It never holds up whoever writes, and sees what was written before it was asked. Used from one
    thread only, which need not be the writer's.
    """

    def __init__(self, path: Path, clock: Clock, *, patience: float = PATIENCE) -> None:
        """Open a file that a `SQLiteBackend` has opened before.

        Args:
            path: the file.
            clock: tells how long ago something was.
            patience: seconds to wait for a lock. Only the recovery after a kill has one that a reader meets.

        Raises:
            EnvironmentFault: the file is not there, is no broker file, or of another version.
        """
        self._db = open_to_read(path, patience=patience)
        sql = load_statements("zato.broker", "sqlite.sql")
        self._actions: Mapping[type[Operation[Any]], Callable[[Any], object]] = {
            **Reading(self._db, sql).actions,
            **Cluster(self._db, sql, clock).questions,
            **Documents(self._db, sql, clock).questions,
        }

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        """Answer questions, all from the same moment. See `zato.broker.base.Backend`."""
        try:
            self._db.insist("BEGIN")
            self._db.insist("SELECT 1 FROM meta")
            return Applied(results=[self._answer(operation) for operation in batch])
        except Exception as error:
            if is_file_at_fault(error):
                raise BrokerUnavailable(f"The broker's file cannot be read now: {reason_of(error)}.") from error
            raise
        finally:
            self._db.give_up()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _answer(self, operation: Operation[Any]) -> object:
        action = self._actions.get(type(operation))
        if action is None:
            return Unstorable(f"{type(operation).__name__} is nothing for a connection that only reads.")
        try:
            return action(operation)
        except Exception as error:
            if is_file_at_fault(error):
                raise
            return Unstorable.because(error)


def parts_of(operation: Find) -> list[str]:
    """Return the statements that together find calls: where to look, and what is to be true of them.

    What few rows have is where they are looked for; what is common, or asked beside something narrow, is
    asked of each row that fits.
    """
    start = _start_of(operation)
    asks_status = operation.status is not None and start in ("find_by_cid", "find_error", "find_listed")
    asked = {
        "find_status": asks_status,
        "find_server": operation.server is not None,
        "find_that_error": operation.error is not None and start != "find_error",
    }
    return [start, "find_rest", *(part for part, is_asked in asked.items() if is_asked)]


def _start_of(operation: Find) -> str:
    status = operation.status
    if operation.cid is not None:
        return "find_by_cid"
    if operation.error is not None:
        return "find_error"
    narrow = any(each is not None for each in (operation.service, operation.channel, operation.since, operation.until))
    if status is None or operation.parent is not None or (status is Status.DONE and narrow):
        return "find_listed"
    return STARTS[status]


def _filters(operation: Find) -> dict[str, object]:
    return {name: getattr(operation, name) for name in FILTERS}


FILTERS = ("status", "cid", "service", "parent", "since", "until", "channel", "server", "error")

STARTS = {
    Status.WAITING: "find_pending",
    Status.DELAYED: "find_pending",
    Status.STRANDED: "find_pending",
    Status.RUNNING: "find_running",
    Status.DONE: "find_done",
    Status.FAILED: "find_not_done",
    Status.EXPIRED: "find_not_done",
    Status.CANCELLED: "find_not_done",
}
