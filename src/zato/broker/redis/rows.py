"""What scripts return of calls, read back as nouns."""

import logging
from collections.abc import Sequence
from typing import Any

from zato.broker.holders import server_of
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import Delivery, Failure, Invocation, Record, Status
from zato.core.packing import unpack_failure
from zato.core.stored import unpack_call, unpack_outcome

__all__ = ["delivery_of", "record_of", "records_of"]

logger = logging.getLogger("zato.server")


def delivery_of(row: Sequence[Any], token: bytes) -> Delivery:
    """Return a call that was leased with a token."""
    stored, attempts, takeovers = row
    return Delivery(invocation=unpack_call(stored), token=token, attempts=attempts, takeovers=takeovers)


def record_of(row: Sequence[Any], *, whole: bool) -> Record:
    """Return everything that is known of a call.

    Raises:
        BrokerUnavailable: only a newer version of zato can read it.
    """
    _, stored, token, holder, began, attempts, takeovers, not_before, ended, failures, cid_count, stranded = row
    invocation = _call_of(stored)
    told: tuple[Failure, ...] = tuple(unpack_failure(each) for each in failures)
    if ended:
        outcome, takeovers = unpack_outcome(ended, whole=whole)
        return Record(
            invocation=invocation,
            status=outcome.status,
            attempts=outcome.attempts,
            takeovers=takeovers,
            started=outcome.started,
            server=outcome.server,
            not_before=invocation.not_before,
            outcome=outcome,
            cid_count=cid_count,
            failures=told,
        )
    return Record(
        invocation=invocation,
        status=_status(token, not_before, stranded),
        attempts=attempts + bool(token),
        takeovers=takeovers,
        started=began or None,
        server=server_of(holder.decode()) if token else None,
        not_before=not_before or None,
        outcome=None,
        cid_count=cid_count,
        failures=told,
    )


def records_of(rows: Sequence[Sequence[Any]]) -> list[Record]:
    """Return what is known of calls, but for what a list says of them; those that cannot be read are left out."""
    records = []
    for row in rows:
        try:
            records.append(record_of(row, whole=False))
        except BrokerUnavailable as error:
            logger.warning("Not in the list: %s", error)
    return records


def _call_of(stored: bytes) -> Invocation:
    try:
        return unpack_call(stored)
    except ValueError as error:
        raise BrokerUnavailable(
            f"A call cannot be read here: {error}. Look it up on a server of a newer version."
        ) from error


def _status(token: bytes, not_before: int, stranded: int) -> Status:
    if token:
        return Status.RUNNING
    if not_before:
        return Status.DELAYED
    return Status.STRANDED if stranded else Status.WAITING
