"""Rows of the embedded broker's file, read back as nouns."""

from collections.abc import Sequence
from typing import Any

from zato.broker.cluster import QueueState
from zato.broker.holders import server_of
from zato.core.invocation import Failure, Invocation, Outcome, Record, Status
from zato.core.packing import unpack_error, unpack_failed, unpack_options

__all__ = ["failure_of", "queue_of", "record_of", "restore_invocation"]

INVOCATION_COLUMNS = 11
PENDING_COLUMNS = 8


def restore_invocation(row: Sequence[Any]) -> Invocation:
    """Return the invocation of the columns id to options."""
    call_id, cid, service, parent, created, not_before, expires, queue, priority, payload, options = row
    return Invocation(
        id=call_id,
        cid=cid,
        service=service,
        parent=parent,
        created=created,
        not_before=not_before,
        expires=expires,
        queue=queue,
        priority=priority,
        payload=payload,
        **unpack_options(options),  # type: ignore[arg-type]
    )


def record_of(row: Sequence[Any], *, cid_count: int, failures: tuple[Failure, ...] = ()) -> Record:
    """Return everything known of one invocation, from a row of the statement `look`."""
    invocation = restore_invocation(row[:INVOCATION_COLUMNS])
    pending = row[INVOCATION_COLUMNS : INVOCATION_COLUMNS + PENDING_COLUMNS]
    outcome = None if pending[0] else _outcome(row[INVOCATION_COLUMNS + PENDING_COLUMNS :])
    if outcome is not None:
        return Record(
            invocation=invocation,
            status=outcome.status,
            attempts=outcome.attempts,
            takeovers=row[-3],
            started=outcome.started,
            server=outcome.server,
            not_before=invocation.not_before,
            outcome=outcome,
            cid_count=cid_count,
            failures=failures,
        )
    _, line, not_before, leased, holder, started, attempts, takeovers = pending
    return Record(
        invocation=invocation,
        status=_pending_status(line, not_before, leased),
        attempts=attempts + bool(leased),
        takeovers=takeovers,
        started=started,
        server=server_of(holder) if leased else None,
        not_before=not_before,
        outcome=None,
        cid_count=cid_count,
        failures=failures,
    )


def failure_of(row: Sequence[Any]) -> Failure:
    """Return a failed attempt, from a row of the statement `failures`."""
    attempt, started, ended, server, error = row
    return Failure(attempt=attempt, started=started, ended=ended, server=server, error=unpack_failed(error))


def queue_of(row: Sequence[Any]) -> QueueState:
    """Return what is in a queue, from a row of the statement `queues`."""
    name, paused, waiting, delayed, running, stranded, oldest = row
    return QueueState(
        name=name,
        paused=bool(paused),
        waiting=waiting,
        delayed=delayed,
        running=running,
        stranded=stranded,
        oldest=oldest,
    )


def _pending_status(line: str | None, not_before: int | None, leased: int) -> Status:
    if leased:
        return Status.RUNNING
    if not_before is not None:
        return Status.DELAYED
    return Status.STRANDED if line is None else Status.WAITING


def _outcome(row: Sequence[Any]) -> Outcome:
    status, ended, started, response, error, attempts, _, server, version = row
    return Outcome(
        status=Status(status),
        ended=ended,
        started=started,
        response=response,
        error=unpack_error(error),
        attempts=attempts,
        server=server,
        version=version,
    )
