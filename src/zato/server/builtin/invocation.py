"""`zato.invocation.*`: what became of background calls."""

from typing import Any

from zato.broker.base import Accepted, Find
from zato.core.errors import BadRequest, Conflict
from zato.core.invocation import Invocation, Status
from zato.core.payload import decode
from zato.server.builtin.inputs import choice_of, count_of, number_of, read_object, text_of, time_of, truth_of
from zato.server.publisher import Publisher, repeated, to_its_end
from zato.server.records import Records, listed_as_json, record_as_json
from zato.server.service import AsyncService

__all__ = ["Cancel", "Get", "List", "Replay"]

MAX_WAIT = 60
PAGE = 50
MAX_PAGE = 1000
MAX_CURSOR = 2**63
STATUSES = tuple(status.value for status in Status)


class Get(AsyncService):
    """The record of one invocation, by id or CID; with `wait`, once it has an outcome.

    Input: `cid` or `id`; `wait`, seconds from 0 to 60 to wait for its outcome.
    Output: the record.
    """

    name = "zato.invocation.get"

    def __init__(self, records: Records, *, tracebacks: bool) -> None:
        """Take where records are found, and whether they show tracebacks."""
        self._records = records
        self._tracebacks = tracebacks

    async def handle(self) -> dict[str, Any]:
        """Return the record."""
        fields = read_object(self.request.payload, "cid", "id", "wait")
        record = await self._records.get(
            call_id=text_of(fields, "id"),
            cid=text_of(fields, "cid"),
            wait=number_of(fields, "wait", default=0, low=0, high=MAX_WAIT),
        )
        return record_as_json(record, tracebacks=self._tracebacks)


class List(AsyncService):
    """The records of the calls that have everything that is asked for, newest first, in pages.

    Input: `status`, `service`, `parent`, `cid`; `since` and `until`, ISO 8601, when they were accepted; `limit`, 1 to
    1000, by default 50; `cursor`, from the page before. Nothing is needed.
    Output: `items`, a list of records without `payload` and `response`; `cursor` for the next page, or null.
    """

    name = "zato.invocation.get-list"

    def __init__(self, records: Records, *, tracebacks: bool) -> None:
        """Take where records are found, and whether they show tracebacks."""
        self._records = records
        self._tracebacks = tracebacks

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...], "cursor": ...}`."""
        known = ("status", "service", "since", "until", "parent", "cid", "limit", "cursor")
        fields = read_object(self.request.payload, *known)
        status = choice_of(fields, "status", STATUSES)
        found = await self._records.find(
            Find(
                status=None if status is None else Status(status),
                service=text_of(fields, "service"),
                since=time_of(fields, "since"),
                until=time_of(fields, "until"),
                parent=text_of(fields, "parent"),
                cid=text_of(fields, "cid"),
                limit=count_of(fields, "limit", default=PAGE, low=1, high=MAX_PAGE),
                cursor=_cursor_of(fields),
            )
        )
        items = [listed_as_json(record, tracebacks=self._tracebacks) for record in found.records]
        return {"items": items, "cursor": None if found.cursor is None else str(found.cursor)}


def _cursor_of(fields: dict[str, Any]) -> int | None:
    text = text_of(fields, "cursor")
    if text is None:
        return None
    if text.isascii() and text.isdigit() and int(text) < MAX_CURSOR:
        return int(text)
    raise BadRequest(f"'cursor' is the 'cursor' of the page before, not {text!r:.80}.")


class Cancel(AsyncService):
    """Cancels a call that has no outcome yet, by id or CID, and returns its record.

    If the call runs, its service is told to stop: an `AsyncService` is cancelled, a blocking one sees
    `self.cancelled`. What it returns is not recorded. Nobody is called back.

    Input: `cid` or `id`.
    Output: the record. A call that has an outcome is a 409.
    """

    name = "zato.invocation.cancel"

    def __init__(self, records: Records, *, tracebacks: bool) -> None:
        """Take where records are found, and whether they show tracebacks."""
        self._records = records
        self._tracebacks = tracebacks

    async def handle(self) -> dict[str, Any]:
        """Return the record of the cancelled call."""
        fields = read_object(self.request.payload, "cid", "id")
        record = await self._records.get(call_id=text_of(fields, "id"), cid=text_of(fields, "cid"))
        return record_as_json(await self._records.cancel(record), tracebacks=self._tracebacks)


class Replay(AsyncService):
    """Makes a call that has an outcome once more, as a new one with the same options.

    Input: `cid` or `id`; `payload`, instead of the one it had; `once`, true to get the call's first replay, if there is
    one, rather than another: whoever replays many calls can begin again after an error. A 409 if that one was given
    another payload.
    Output: `cid` and `id` of the new call; with `once`, also `new`: false if it was there already.
    """

    name = "zato.invocation.replay"

    def __init__(self, records: Records, publisher: Publisher) -> None:
        """Take where records are found, and what stores the new call."""
        self._records = records
        self._publisher = publisher

    async def handle(self) -> dict[str, Any]:
        """Return the CID and id of the new call."""
        fields = read_object(self.request.payload, "cid", "id", "payload", "once")
        once = truth_of(fields, "once")
        record = await self._records.get(call_id=text_of(fields, "id"), cid=text_of(fields, "cid"))
        if record.outcome is None:
            raise Conflict(
                f"The call with CID {record.invocation.cid!r} cannot be replayed yet: it is {record.status}."
            )
        call = record.invocation
        payload = fields["payload"] if "payload" in fields else decode(call.payload, exact=True)
        accepted, new = await to_its_end(self._repeat(call, payload, once=once))
        made = {"cid": accepted.cid, "id": accepted.id}
        return {**made, "new": new} if once else made

    async def _repeat(self, call: Invocation, payload: object, *, once: bool) -> tuple[Accepted, bool]:
        """Make a call once more, under a key that only its first replay has, and tell whether that was now."""
        first = repeated(call, payload=payload, parent=self.cid, is_first=True)
        try:
            accepted, new = await self._publisher.publish_once(first)
        except Conflict as error:
            if once:
                raise Conflict(f"The call with CID {call.cid!r} was replayed before, with another payload.") from error
        else:
            if new or once:
                return accepted, new
        return await self._publisher.publish_once(repeated(call, payload=payload, parent=self.cid))
