"""The embedded broker: one SQLite file, written by one thread of each process.

The data model and every statement stand in `sqlite.sql`; the promises in `zato.broker.base`.
The file is a write-ahead log database. A batch that accepts or ends something is on the disk when
`apply` returns (synchronous=FULL); leases and heartbeats need not be.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zato.broker.audit import Note, Notes
from zato.broker.base import (
    Accept,
    AcceptAll,
    Accepted,
    Announce,
    Applied,
    Beat,
    Cancel,
    Clock,
    Count,
    Find,
    Finish,
    Lease,
    Leased,
    Look,
    Operation,
    Postpone,
    Purge,
    Reclaim,
    Release,
    Unstorable,
    conflict_with,
)
from zato.broker.cluster import Known, Members, Pause, Queues, Whereabouts
from zato.broker.connection import PATIENCE, Cursor, is_file_at_fault, is_locked, reason_of
from zato.broker.documents import Browse, Fetch, Forget, ForgetAll, Keep
from zato.broker.due import Due
from zato.broker.format import open_file
from zato.broker.holders import holder_text, is_dead, server_of
from zato.broker.lines import Lines, is_plain
from zato.broker.purging import Purging
from zato.broker.reading import Reading
from zato.broker.rows import restore_invocation
from zato.broker.sqlite_cluster import Cluster
from zato.broker.sqlite_documents import Documents
from zato.broker.statements import load_statements
from zato.broker.trees import FindTree
from zato.core.errors import BrokerUnavailable, ZatoError
from zato.core.invocation import Delivery, Failure, Invocation, Lane, Outcome, Status
from zato.core.packing import pack_error, pack_failed, pack_options

__all__ = ["SQLiteBackend"]

# Outcomes and acceptances must be on the disk; what a crash may undo costs no fsync.
DURABLE = (Accept, AcceptAll, Finish, Cancel, Pause, Keep, Forget, ForgetAll, Note)
READ_ONLY = (Look, Find, FindTree, Count, Known, Members, Queues, Whereabouts, Fetch, Browse, Notes)

KEPT_FAILURES = 10


class SQLiteBackend:
    """Keeps every promise of `zato.broker.base` in one file. Used from one thread only."""

    def __init__(self, path: Path, clock: Clock, *, patience: float = PATIENCE) -> None:
        """Open the file, or make it.

        Args:
            path: the file.
            clock: what it reads the time from.
            patience: seconds to wait for another process's lock.

        Raises:
            EnvironmentFault: the file cannot be opened, is no broker file, a newer version wrote it, or there is
                no room to upgrade it.
        """
        self._clock = clock
        self._sql = load_statements("zato.broker", "sqlite.sql")
        self._db = open_file(path, self._sql, boot_id=clock.boot_id(), patience=patience)
        self._lines = Lines(self._db, self._sql)
        reading = Reading(self._db, self._sql)
        self._applied = Applied()
        self._due = Due()
        self._durable: bool | None = None
        self._cluster = Cluster(self._db, self._sql, clock)
        self._actions: Mapping[type[Operation[Any]], Callable[[Any], object]] = {
            Accept: self._accept,
            AcceptAll: self._accept_all,
            Lease: self._lease,
            Beat: self._beat,
            Finish: self._finish,
            Postpone: self._postpone,
            Release: self._release,
            Reclaim: self._reclaim,
            Announce: self._announce,
            Pause: self._pause,
            Cancel: self._cancel,
            Purge: Purging(self._db, self._sql, clock).purge,
            **reading.actions,
            **self._cluster.actions,
            **Documents(self._db, self._sql, clock).actions,
        }

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        """Carry out operations in order, durably. See `zato.broker.base.Backend`."""
        try:
            return self._apply_together(batch)
        except Exception as error:
            if len(batch) > 1 and not is_locked(error):
                return self._apply_apart(batch)
            if is_file_at_fault(error):
                raise BrokerUnavailable(f"The broker's file cannot be written now: {reason_of(error)}.") from error
            return Applied(results=[Unstorable.because(error)])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _apply_together(self, batch: Sequence[Operation[Any]]) -> Applied:
        self._applied = applied = Applied()
        self._begin(batch)
        try:
            for operation in batch:
                applied.results.append(self._apply_one(operation))
            self._db.insist("COMMIT")
        except BaseException:
            self._db.give_up()
            self._due.forget()
            raise
        return applied

    def _apply_apart(self, batch: Sequence[Operation[Any]]) -> Applied:
        """Give each operation a transaction of its own, so that one that cannot be stored fails alone."""
        whole = Applied()
        for operation in batch:
            try:
                part = self.apply([operation])
            except BrokerUnavailable as refusal:
                part = Applied(results=[refusal])
            whole.results += part.results
            whole.ended += part.ended
            whole.ready = whole.ready or part.ready
        return whole

    def _apply_one(self, operation: Operation[Any]) -> object:
        try:
            return self._actions[type(operation)](operation)
        except ZatoError as refusal:
            return refusal

    def _begin(self, batch: Sequence[Operation[Any]]) -> None:
        durable = any(isinstance(operation, DURABLE) for operation in batch)
        if durable is not self._durable:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        read_only = all(isinstance(operation, READ_ONLY) for operation in batch)
        self._db.insist("BEGIN" if read_only else "BEGIN IMMEDIATE")

    def _run(self, name: str, **values: Any) -> Cursor:
        return self._db.execute(self._sql[name], values)

    def _rows(self, name: str, **values: Any) -> list[tuple[Any, ...]]:
        return self._run(name, **values).fetchall()

    def _row(self, name: str, **values: Any) -> tuple[Any, ...] | None:
        rows = self._rows(name, **values)
        return rows[0] if rows else None

    def _changed(self, name: str, **values: Any) -> int:
        self._run(name, **values)
        return self._db.changes()

    def _accept(self, operation: Accept) -> Accepted:
        call = operation.invocation
        first = self._first(call)
        if first is None:
            self._store(call)
            return Accepted(call.id, call.cid)
        return first

    def _accept_all(self, operation: AcceptAll) -> list[Accepted]:
        """Look for what was accepted before, which may refuse them, then store the others."""
        named: dict[str, Invocation] = {}
        firsts = [self._first(call) or _first_of_these(call, named) for call in operation.invocations]
        for call, first in zip(operation.invocations, firsts, strict=True):
            if first is None:
                self._store(call)
        return [first or Accepted(call.id, call.cid) for call, first in zip(operation.invocations, firsts, strict=True)]

    def _first(self, call: Invocation) -> Accepted | None:
        """Return the call that used the idempotency key of this one first, if it was accepted before."""
        if call.idempotency_key is None:
            return None
        row = self._row("first_with_key", key=call.idempotency_key, payload=call.payload, service=call.service)
        if row is None:
            return None
        call_id, cid, same = row
        return _repeat(call, Accepted(call_id, cid), same=same)

    def _store(self, call: Invocation) -> None:
        self._run(
            "accept_invocation",
            id=call.id,
            cid=call.cid,
            service=call.service,
            parent=call.parent,
            created=call.created,
            not_before=call.not_before,
            expires=call.expires,
            queue=call.queue,
            priority=call.priority,
            payload=call.payload,
            options=pack_options(call),
        )
        self._run(
            "accept_pending",
            service=call.service,
            queue=call.queue,
            priority=call.priority,
            not_before=call.not_before,
            expires=call.expires,
        )
        if call.idempotency_key is not None:
            self._run("accept_key", key=call.idempotency_key)
        self._due.at_wall(call.not_before)
        self._due.at_wall(call.expires)
        self._applied.ready = True

    def _lease(self, operation: Lease) -> Leased:
        wall, boot = self._clock.wall(), self._clock.boot()
        if self._due.is_now(wall, boot):
            if self._row("ended_lease", boot=boot):
                self._beat(Beat(operation.holdings, operation.seconds))
            self._move_time_on(wall, boot)
        held: dict[str, Any] = {
            "token": operation.token,
            "lease_ends": boot + int(operation.seconds * 1000),
            "holder": holder_text(operation.holder),
            "now": wall,
        }
        deliveries: list[Delivery] = []
        for lane, limit in operation.limits.items():
            if limit > 0:
                deliveries += self._lease_lane(lane, limit, held)
        if deliveries:
            self._due.at_boot(held["lease_ends"])
        return Leased(deliveries, self._due.seconds(wall, boot))

    def _lease_lane(self, lane: Lane, limit: int, held: dict[str, Any]) -> list[Delivery]:
        return [
            Delivery(invocation=restore_invocation(row), token=held["token"], attempts=attempts, takeovers=takeovers)
            for _, _, attempts, takeovers, *row in self._lines.take(lane, limit, held)
        ]

    def _move_time_on(self, wall: int, boot: int) -> None:
        if self._changed("due", now=wall) + self._changed("ended_leases", boot=boot):
            self._applied.ready = True
        for seq, call_id in self._rows("expired", now=wall):
            attempts, takeovers = self._rows("drop_pending", seq=seq)[0]
            outcome = Outcome(status=Status.EXPIRED, ended=wall, attempts=attempts)
            self._record(seq, call_id, outcome, takeovers)
        not_before, expires, lease_ends = self._rows("next_times")[0]
        self._due.found(boot, wall_due=(not_before, expires), boot_due=lease_ends)

    def _beat(self, operation: Beat) -> list[str]:
        ends = self._clock.boot() + int(operation.seconds * 1000)
        self._due.at_boot(ends)
        return [
            call_id
            for call_id, token in operation.holdings
            if not self._changed("beat", id=call_id, token=token, lease_ends=ends)
        ]

    def _finish(self, operation: Finish) -> bool:
        row = self._row("acknowledge", id=operation.id, token=operation.token)
        if row is None:
            return False
        seq, takeovers, line = row
        self._applied.ready = self._applied.ready or not is_plain(line)
        self._record(seq, operation.id, operation.outcome, takeovers)
        for follow_up in operation.follow_ups:
            self._store(follow_up)
        return True

    def _record(self, seq: int, call_id: str, outcome: Outcome, takeovers: int) -> None:
        self._run(
            "record",
            seq=seq,
            status=outcome.status.value,
            ended=outcome.ended,
            started=outcome.started,
            response=outcome.response,
            error=pack_error(outcome.error),
            attempts=outcome.attempts,
            takeovers=takeovers,
            server=outcome.server,
            version=outcome.version,
        )
        self._applied.ended.append(call_id)

    def _postpone(self, operation: Postpone) -> bool:
        self._due.at_wall(operation.not_before)
        self._applied.ready = True
        row = self._row(
            "postpone" if operation.started else "put_off",
            id=operation.id,
            token=operation.token,
            not_before=operation.not_before,
            attempts=operation.attempts,
        )
        if row is None:
            return False
        seq, expires = row
        self._due.at_wall(expires)
        if operation.failure is not None:
            self._note(seq, operation.failure)
        return True

    def _note(self, seq: int, failure: Failure) -> None:
        self._run(
            "add_failure",
            seq=seq,
            attempt=failure.attempt,
            started=failure.started,
            ended=failure.ended,
            server=failure.server,
            error=pack_failed(failure.error),
        )
        if failure.attempt > KEPT_FAILURES:
            self._run("trim_failures", seq=seq)

    def _release(self, operation: Release) -> bool:
        self._applied.ready = True
        return bool(self._changed("release", id=operation.id, token=operation.token))

    def _reclaim(self, operation: Reclaim) -> int:
        self._applied.ready = True
        self._cluster.free_locks(operation.holder)
        dead = [text for (text,) in self._rows("holders") if is_dead(text, operation.holder)]
        return sum(self._changed("reclaim", holder=text) for text in dead)

    def _announce(self, operation: Announce) -> list[str]:
        stays, is_new = self._lines.announce(operation)
        self._applied.ready = self._applied.ready or is_new
        return stays

    def _pause(self, operation: Pause) -> bool:
        is_new = self._lines.pause(operation)
        self._applied.ready = self._applied.ready or (is_new and not operation.paused)
        return is_new

    def _cancel(self, operation: Cancel) -> bool:
        row = self._row("cancel", id=operation.id)
        if row is None:
            return False
        seq, takeovers, attempts, started, holder, line = row
        self._applied.ready = self._applied.ready or not is_plain(line)
        asked = operation.outcome
        outcome = Outcome(
            status=asked.status,
            ended=asked.ended,
            attempts=attempts,
            started=started,
            server=asked.server if holder is None else server_of(holder),
            version=asked.version,
        )
        self._record(seq, operation.id, outcome, takeovers)
        return True


def _first_of_these(call: Invocation, named: dict[str, Invocation]) -> Accepted | None:
    """Return the call before this one that has the same key, and remember it by its key if there is none."""
    if call.idempotency_key is None:
        return None
    first = named.setdefault(call.idempotency_key, call)
    if first is call:
        return None
    same = (first.payload, first.service) == (call.payload, call.service)
    return _repeat(call, Accepted(first.id, first.cid), same=same)


def _repeat(call: Invocation, first: Accepted, *, same: bool) -> Accepted:
    if not same:
        raise conflict_with(call, first.cid)
    return first
