"""The embedded broker: one SQLite file, written by one thread of each process.

The data model and every statement stand in `sqlite.sql`; the promises in `zato.broker.base`.
The file is a write-ahead log database. A batch that accepts or ends something is on the disk when
`apply` returns (synchronous=FULL); leases and heartbeats need not be.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zato.broker.base import (
    Accept,
    Accepted,
    Announce,
    Applied,
    Beat,
    Cancel,
    Clock,
    Find,
    Finish,
    Lease,
    Leased,
    Look,
    Operation,
    Postpone,
    Purge,
    Purged,
    Reclaim,
    Release,
)
from zato.broker.connection import PATIENCE, Cursor, is_file_at_fault, is_locked, reason_of
from zato.broker.due import Due
from zato.broker.format import open_file
from zato.broker.holders import holder_text, is_dead, server_of
from zato.broker.reading import Reading, unstorable
from zato.broker.rows import restore_invocation
from zato.broker.statements import load_statements
from zato.core.errors import BrokerUnavailable, Conflict, ZatoError
from zato.core.invocation import Delivery, Failure, Invocation, Lane, Outcome, Status
from zato.core.packing import pack_error, pack_failed, pack_options

__all__ = ["SQLiteBackend"]

# Outcomes and acceptances must be on the disk; what a crash may undo costs no fsync.
DURABLE = (Accept, Finish, Cancel)
READ_ONLY = (Look, Find)

KEPT_FAILURES = 10
# What one lease hands out at most, beyond a single call of any size.
LEASED_BYTES = 16_000_000
PAYLOAD = 11
# What one slice of a purge deletes at most, beyond a single call of any size: others wait for it.
PURGED_BYTES = 8_000_000


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
        self._reading = Reading(self._db, self._sql)
        self._applied = Applied()
        self._due = Due()
        self._durable: bool | None = None
        self._actions: Mapping[type[Operation[Any]], Callable[[Any], object]] = {
            Accept: self._accept,
            Lease: self._lease,
            Beat: self._beat,
            Finish: self._finish,
            Postpone: self._postpone,
            Release: self._release,
            Reclaim: self._reclaim,
            Announce: self._announce,
            Look: self._reading.look,
            Find: self._reading.find,
            Cancel: self._cancel,
            Purge: self._purge,
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
            return Applied(results=[unstorable(error)])

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
        if call.idempotency_key is not None:
            first = self._row("first_with_key", key=call.idempotency_key, payload=call.payload, service=call.service)
            if first is not None:
                return _repeat(call, first)
        self._store(call)
        return Accepted(call.id, call.cid)

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
        """Read what is ready, then mark the same rows: both statements have the same condition and order."""
        rows = _up_to(LEASED_BYTES, self._run("ready", lane=lane.value, limit=limit, now=held["now"]))
        if rows:
            self._run("lease", lane=lane.value, limit=len(rows), **held)
        return [
            Delivery(invocation=restore_invocation(row), token=held["token"], attempts=attempts, takeovers=takeovers)
            for attempts, takeovers, *row in rows
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
        seq, takeovers = row
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
        dead = [text for (text,) in self._rows("holders") if is_dead(text, operation.holder)]
        return sum(self._changed("reclaim", holder=text) for text in dead)

    def _announce(self, operation: Announce) -> list[str]:
        before = {service: Lane(lane) for service, lane in self._run("deployed")}
        after = {**before, **operation.services} if operation.only_add else dict(operation.services)
        if before != after:
            self._redeploy(before, after)
        return sorted(after.keys() - operation.services.keys())

    def _redeploy(self, before: Mapping[str, Lane], after: Mapping[str, Lane]) -> None:
        self._run("undeploy_all")
        for service, lane in after.items():
            self._run("deploy", service=service, lane=lane.value)
        moved = [service for service in before.keys() | after.keys() if before.get(service) is not after.get(service)]
        self._run("move_lanes", services=json.dumps(moved))
        self._applied.ready = True

    def _cancel(self, operation: Cancel) -> bool:
        row = self._row("cancel", id=operation.id)
        if row is None:
            return False
        seq, takeovers, attempts, started, holder = row
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

    def _purge(self, operation: Purge) -> Purged:
        """Read what is old, and how large, then delete as much: all statements have the same condition and order."""
        before = self._clock.wall() - int(operation.retention * 1000)
        old = [size for (size,) in self._rows("old_sizes", before=before, limit=operation.limit + 1)]
        limit = min(operation.limit, _count_up_to(PURGED_BYTES, old))
        # Outcomes last, because the others find by them what is old.
        for statement in ("purge_invocations", "purge_failures", "purge_keys", "purge_outcomes"):
            self._run(statement, before=before, limit=limit)
        return Purged(limit, more=limit < len(old))


def _up_to(size: int, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return rows of the statement `ready` until their payloads have this many bytes; at least one, if there is one."""
    taken: list[tuple[Any, ...]] = []
    for row in rows:
        taken.append(row)
        size -= len(row[PAYLOAD])
        if size <= 0:
            break
    return taken


def _count_up_to(size: int, sizes: Iterable[int]) -> int:
    """Return how many of these sizes are within another one together; at least one, if there is one."""
    count = 0
    for each in sizes:
        size -= each
        if size < 0 and count:
            break
        count += 1
    return count


def _repeat(call: Invocation, first: tuple[Any, ...]) -> Accepted:
    call_id, cid, same = first
    if not same:
        raise Conflict(
            f"The idempotency key {call.idempotency_key!r} was used before, for another service or payload "
            f"(CID {cid}). Use a new key for a new call."
        )
    return Accepted(call_id, cid)
