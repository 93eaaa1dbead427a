"""Rows of the embedded broker's file, read back as nouns."""

from collections.abc import Sequence
from typing import Any

from zato.core.invocation import Invocation, Outcome, Record, Status
from zato.core.packing import unpack_error, unpack_options

__all__ = ["record_of", "restore_invocation"]

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


def record_of(row: Sequence[Any]) -> Record:
    """Return everything known of one invocation, from a row of the statement `look`."""
    invocation = restore_invocation(row[:INVOCATION_COLUMNS])
    cid_count = row[INVOCATION_COLUMNS]
    pending = row[INVOCATION_COLUMNS + 1 : INVOCATION_COLUMNS + 1 + PENDING_COLUMNS]
    outcome_row = row[INVOCATION_COLUMNS + 1 + PENDING_COLUMNS :]
    is_pending, lane, not_before, leased, holder, started, attempts, takeovers = pending
    if not is_pending:
        return _ended(invocation, cid_count, outcome_row)
    return Record(
        invocation=invocation,
        status=_pending_status(lane, not_before, leased),
        attempts=attempts + bool(leased),
        takeovers=takeovers,
        started=started,
        server=holder,
        not_before=not_before,
        outcome=None,
        cid_count=cid_count,
    )


def _pending_status(lane: str | None, not_before: int | None, leased: int) -> Status:
    if leased:
        return Status.RUNNING
    if not_before is not None:
        return Status.DELAYED
    return Status.STRANDED if lane is None else Status.WAITING


def _ended(invocation: Invocation, cid_count: int, row: Sequence[Any]) -> Record:
    status, ended, started, response, error, attempts, takeovers, server, version = row
    outcome = Outcome(
        status=Status(status),
        ended=ended,
        started=started,
        response=response,
        error=unpack_error(error),
        attempts=attempts,
        server=server,
        version=version,
    )
    return Record(
        invocation=invocation,
        status=outcome.status,
        attempts=attempts,
        takeovers=takeovers,
        started=started,
        server=server,
        not_before=invocation.not_before,
        outcome=outcome,
        cid_count=cid_count,
    )
