"""Finding an invocation, waiting for its outcome, and the JSON form its record has."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from zato.broker.base import Cancel, Count, Find, Found, Look
from zato.broker.batcher import Batcher
from zato.broker.trees import FindTree, FoundTree
from zato.core.errors import BadRequest, Conflict, NotFound
from zato.core.invocation import ErrorInfo, Failure, Outcome, Record, Status
from zato.core.options import priority_word
from zato.core.payload import decode, holds_nan
from zato.server.gate import Gate
from zato.server.identity import now_ms
from zato.server.waiters import Waiters

__all__ = ["Records", "iso_time", "listed_as_json", "placed_as_json", "record_as_json"]


class Records:
    """What the broker knows, for built-in services."""

    def __init__(
        self, batcher: Batcher, reader: Batcher, waiters: Waiters, gate: Gate, *, wall: Callable[[], int] = now_ms
    ) -> None:
        """Take the broker twice, to write and to read, and what whoever waits for an outcome needs.

        Args:
            batcher: what writes.
            reader: what only reads, on a connection of its own, so that no list holds up a writer.
            waiters: where outcomes are announced.
            gate: what whoever waits steps aside of.
            wall: tells Unix time in milliseconds.
        """
        self._wall = wall
        self._batcher = batcher
        self._reader = reader
        self._waiters = waiters
        self._gate = gate

    async def get(self, *, call_id: str | None, cid: str | None, wait: float = 0) -> Record:
        """Return a record; with `wait`, as soon as there is an outcome, or after that many seconds without.

        Raises:
            BadRequest: not exactly one of id and CID is given.
            NotFound: there is no such invocation.
        """
        _refuse_both(call_id, cid)
        record = await self._look(Look(id=call_id, cid=cid))
        if record.outcome is not None or not wait:
            return record
        await self._ended(record.invocation.id, wait)
        return await self._look(Look(id=record.invocation.id))

    async def cancel(self, record: Record) -> Record:
        """Cancel an invocation that has no outcome, and return its record. Whoever runs it is told to stop.

        Raises:
            Conflict: it has an outcome.
        """
        call_id = record.invocation.id
        outcome = Outcome(status=Status.CANCELLED, ended=self._wall())
        cancelled = await self._batcher.ask(Cancel(call_id, outcome))
        after = await self._look(Look(id=call_id))
        if not cancelled:
            raise Conflict(f"The call with CID {record.invocation.cid!r} cannot be cancelled: it is {after.status}.")
        return after

    async def find(self, find: Find) -> Found:
        """Return a page of records, newest first."""
        return await self._reader.ask(find)

    async def count(self, find: Find) -> int:
        """Return how many records there are on all the pages of a list."""
        return await self._reader.ask(Count(find))

    async def tree(self, *, call_id: str | None, cid: str | None, limit: int) -> FoundTree:
        """Return the calls of one request, at most so many, whichever of them is asked for.

        Raises:
            BadRequest: not exactly one of id and CID is given.
            NotFound: there is no such call, and none that it made.
        """
        _refuse_both(call_id, cid)
        found = await self._reader.ask(FindTree(id=call_id, cid=cid, limit=limit))
        if not found.records:
            raise _not_found(call_id, cid)
        return found

    async def _ended(self, call_id: str, wait: float) -> None:
        """Return when the invocation has its outcome, or after `wait` seconds, or because the server stops."""
        deadline = time.monotonic() + wait
        while not self._waiters.released and await self._waited(call_id, deadline):
            pass

    async def _waited(self, call_id: str, deadline: float) -> bool:
        """Wait once, and tell whether it may be necessary to wait again."""
        future = self._waiters.enter(call_id)
        try:
            # The outcome may have come between the look before and `enter`.
            left = deadline - time.monotonic()
            if left <= 0 or (await self._look(Look(id=call_id))).outcome is not None:
                return False
            with self._gate.aside():
                await asyncio.wait((future,), timeout=left)
        finally:
            self._waiters.leave(call_id, future)
        return future.done()

    async def _look(self, look: Look) -> Record:
        record = await self._reader.ask(look)
        if record is None:
            raise _not_found(look.id, look.cid)
        return record


def _refuse_both(call_id: str | None, cid: str | None) -> None:
    if (call_id is None) == (cid is None):
        raise BadRequest("Give either 'cid' or 'id'.")


def _not_found(call_id: str | None, cid: str | None) -> NotFound:
    what = f"id {call_id!r}" if cid is None else f"CID {cid!r}"
    return NotFound(f"No invocation has the {what}. Outcomes are kept for the time set by 'retention'.")


def record_as_json(record: Record, *, tracebacks: bool, cut: int | None = None) -> dict[str, Any]:
    """Return a record as the built-in services give it out.

    Args:
        record: what the broker knows.
        tracebacks: whether errors have theirs.
        cut: payload and response are no values, but JSON up to so many bytes.
    """
    outcome = record.outcome
    return {
        **_course(record),
        "payload": _shown(record.invocation.payload, cut),
        "response": _shown(outcome.response if outcome else None, cut),
        **_ending(record, tracebacks),
    }


def listed_as_json(record: Record, *, tracebacks: bool) -> dict[str, Any]:
    """Return a record as lists show it: without payload and response."""
    return {**_course(record), **_ending(record, tracebacks)}


# What a tree of calls shows of each.
IN_TREES = (
    *("id", "cid", "service", "status", "channel", "parent", "in_reply_to", "replay_of"),
    *("created", "started", "ended"),
)


def placed_as_json(record: Record, depth: int) -> dict[str, Any]:
    """Return a record as trees show it: what it is, when, and how far below the root."""
    course = _course(record)
    return {**{name: course[name] for name in IN_TREES}, "depth": depth}


def _course(record: Record) -> dict[str, Any]:
    """Return what was asked for, and how far it has come."""
    call, outcome = record.invocation, record.outcome
    return {
        "id": call.id,
        "cid": call.cid,
        "cid_count": record.cid_count,
        "service": call.service,
        "status": record.status.value,
        "channel": call.channel,
        "queue": call.queue,
        "priority": priority_word(call.priority),
        "parent": call.parent,
        "in_reply_to": call.in_reply_to,
        "replay_of": call.replay_of,
        "attempts": record.attempts,
        "takeovers": record.takeovers,
        "created": iso_time(call.created),
        "not_before": iso_time(record.not_before),
        "expires": iso_time(call.expires),
        "started": iso_time(record.started),
        "ended": iso_time(outcome.ended if outcome else None),
        "server": record.server,
        "version": outcome.version if outcome else None,
    }


def _ending(record: Record, tracebacks: bool) -> dict[str, Any]:
    """Return what failed, and what happens then."""
    call, outcome = record.invocation, record.outcome
    return {
        "error": _error(outcome.error if outcome else None, tracebacks),
        "callback": list(call.callback),
        "on_failure": list(call.on_failure),
        "retry": call.retry.as_json(),
        "time_limit": call.time_limit,
        "failures": [_failure(failure, tracebacks) for failure in record.failures],
    }


def _failure(failure: Failure, tracebacks: bool) -> dict[str, Any]:
    return {
        "attempt": failure.attempt,
        "started": iso_time(failure.started),
        "ended": iso_time(failure.ended),
        "server": failure.server,
        "error": _error(failure.error, tracebacks),
    }


def iso_time(milliseconds: int | None) -> str | None:
    """Return a time as ISO 8601 in UTC with milliseconds."""
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(stored: bytes | None, cut: int | None) -> Any:
    """Return stored JSON as a value; what only lenient parsers read is shown as text."""
    if stored is None:
        return None
    if cut is not None:
        # A character that the cut goes through is left out.
        text = stored[:cut].decode(errors="ignore")
        return {"text": text, "size": len(stored), "is_cut": len(stored) > cut}
    return stored.decode() if holds_nan(stored) else decode(stored, exact=True)


def _error(error: ErrorInfo | None, tracebacks: bool) -> dict[str, str] | None:
    if error is None:
        return None
    return {**error.public(), "traceback": error.traceback} if tracebacks else error.public()
