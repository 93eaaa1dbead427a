"""Looking things up in the embedded broker's file: one call, a page of a list, what is in queues, who shares it.

A list never reads payloads and responses. It looks through one narrow index, or through the small rows
of what is pending, and stops at the end of its page (docs/decisions/0009-lists.md has what each costs).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zato.broker.base import Applied, Clock, Find, Found, Look, Operation, Unstorable
from zato.broker.cluster import Known, Members, Queues, QueueState
from zato.broker.connection import PATIENCE, Connection, is_file_at_fault, reason_of
from zato.broker.format import open_to_read
from zato.broker.rows import failure_of, queue_of, record_of
from zato.broker.sqlite_cluster import Cluster
from zato.broker.statements import load_statements
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import Failure, Record, Status, Terms
from zato.core.packing import unpack_terms

__all__ = ["Reading", "SQLiteReader", "parts_of"]

NEWEST = 2**63 - 1


class Reading:
    """Answers `Look`, `Find`, `Queues` and `Known` from a connection."""

    def __init__(self, connection: Connection, sql: Mapping[str, str]) -> None:
        """Take the connection and the statements of `sqlite.sql`."""
        self._db = connection
        self._sql = sql
        self.actions: Mapping[type[Operation[Any]], Callable[[Any], object]] = {
            Look: self.look,
            Find: self.find,
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
        (row,) = self._rows("look", seq=seq, whole=True)
        return record_of(row, cid_count=self._count(row[1]), failures=self._failures(seq))

    def find(self, operation: Find) -> Found:
        """Return a page of records. See `zato.broker.base.Find`."""
        filters = {
            "status": None if operation.status is None else operation.status.value,
            "before": NEWEST if operation.cursor is None else operation.cursor,
            **{name: getattr(operation, name) for name in ("cid", "service", "parent", "since", "until")},
        }
        statement = "\n".join(self._sql[name] for name in parts_of(operation))
        found: list[tuple[Any, ...]] = self._db.execute(statement, {**filters, "limit": operation.limit + 1}).fetchall()
        page = [seq for (seq,) in found[: operation.limit]]
        counts: dict[str, int] = {}
        return Found([self._listed(seq, counts) for seq in page], page[-1] if len(found) > len(page) else None)

    def queues(self, _: Queues) -> list[QueueState]:
        """Return what is in queues. See `zato.broker.cluster.Queues`."""
        return [queue_of(row) for row in self._rows("queues")]

    def known(self, operation: Known) -> Mapping[str, Terms]:
        """Return which services are deployed. See `zato.broker.cluster.Known`."""
        rows = self._rows("known", services=json.dumps(operation.services))
        return {service: unpack_terms(terms) for service, terms in rows}

    def _listed(self, seq: int, counts: dict[str, int]) -> Record:
        (row,) = self._rows("look", seq=seq, whole=False)
        cid = row[1]
        if cid not in counts:
            counts[cid] = self._count(cid)
        return record_of(row, cid_count=counts[cid], failures=self._failures(seq))

    def _failures(self, seq: int) -> tuple[Failure, ...]:
        return tuple(failure_of(each) for each in self._rows("failures", seq=seq))

    def _count(self, cid: str) -> int:
        ((count,),) = self._rows("cid_count", cid=cid)
        return int(count)

    def _rows(self, name: str, **values: Any) -> list[tuple[Any, ...]]:
        return self._db.execute(self._sql[name], values).fetchall()


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
            Members: Cluster(self._db, sql, clock).members,
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
    """Return the statements that together find a page: where to look, and what is to be true of it.

    A status is looked for where few rows have it; if it is common or the other filters are narrow, it is
    asked of each row that fits.
    """
    status = operation.status
    narrow = (operation.service, operation.since, operation.until) != (None, None, None)
    if operation.cid is not None:
        start, by_row = "find_by_cid", status is not None
    elif status is None or operation.parent is not None or (status is Status.DONE and narrow):
        start, by_row = "find_listed", status is not None
    else:
        start, by_row = STARTS[status], False
    return [start, "find_rest", *(["find_status"] if by_row else []), "find_page"]


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
