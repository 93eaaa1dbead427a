"""`zato.invocation.*`: what became of background calls."""

from dataclasses import replace
from typing import Any

from zato.broker.base import Accepted
from zato.core.errors import Conflict
from zato.core.invocation import Invocation
from zato.core.payload import decode
from zato.server.builtin.filters import FILTERS, cursor_of, find_of
from zato.server.builtin.inputs import count_of, number_of, read_object, text_of, truth_of
from zato.server.people.acting import acting
from zato.server.people.roles import permit
from zato.server.publisher import Publisher, repeated, to_its_end
from zato.server.records import Records, listed_as_json, placed_as_json, record_as_json
from zato.server.service import AsyncService
from zato.server.trees import tree_of

__all__ = ["Cancel", "Count", "Get", "GetTree", "List", "Replay"]

MAX_WAIT = 60
MAX_CUT = 20_000_000
PAGE = 50
MAX_PAGE = 1000


class Get(AsyncService):
    """The record of one invocation, by id or CID; with `wait`, once it has an outcome.

    Input: `cid` or `id`; `wait`, seconds from 0 to 60 to wait for its outcome; `cut`, bytes, to get no more than the
    beginning of what is large.
    Output: the record. With `cut`, `payload` and `response` are null, or objects with `text`, the JSON up to there,
    `size`, bytes of the whole, and `is_cut`.
    """

    name = "zato.invocation.get"

    def __init__(self, records: Records, *, tracebacks: bool) -> None:
        """Take where records are found, and whether they show tracebacks."""
        self._records = records
        self._tracebacks = tracebacks

    async def handle(self) -> dict[str, Any]:
        """Return the record."""
        fields = read_object(self.request.payload, "cid", "id", "wait", "cut")
        cut = count_of(fields, "cut", default=0, low=0, high=MAX_CUT) if "cut" in fields else None
        record = await self._records.get(
            call_id=text_of(fields, "id"),
            cid=text_of(fields, "cid"),
            wait=number_of(fields, "wait", default=0, low=0, high=MAX_WAIT),
        )
        return record_as_json(record, tracebacks=self._tracebacks, cut=cut)


class List(AsyncService):
    """The records of the calls that have everything that is asked for, newest first, in pages.

    Input: `status`, `service`, `channel`, `server`, `parent`, `cid`; `error`, a text in the type or the message of the
    error that they ended with, whichever case its letters have; `since` and `until`, ISO 8601, when they were accepted;
    `limit`, 1 to 1000, by default 50; `cursor`, from the page before. Nothing is needed.
    Output: `items`, a list of records without `payload` and `response`; `cursor` for the next page, or null.
    """

    name = "zato.invocation.get-list"

    def __init__(self, records: Records, *, tracebacks: bool) -> None:
        """Take where records are found, and whether they show tracebacks."""
        self._records = records
        self._tracebacks = tracebacks

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...], "cursor": ...}`."""
        fields = read_object(self.request.payload, *FILTERS, "limit", "cursor")
        limit = count_of(fields, "limit", default=PAGE, low=1, high=MAX_PAGE)
        found = await self._records.find(replace(find_of(fields), limit=limit, cursor=cursor_of(fields)))
        items = [listed_as_json(record, tracebacks=self._tracebacks) for record in found.records]
        return {"items": items, "cursor": None if found.cursor is None else str(found.cursor)}


class Count(AsyncService):
    """How many calls have everything that is asked for.

    Input: as for `zato.invocation.get-list`, without `limit` and `cursor`.
    Output: `count`.
    """

    name = "zato.invocation.count"

    def __init__(self, records: Records) -> None:
        """Take where records are counted."""
        self._records = records

    async def handle(self) -> dict[str, Any]:
        """Return `{"count": ...}`."""
        return {"count": await self._records.count(find_of(read_object(self.request.payload, *FILTERS)))}


class GetTree(AsyncService):
    """Everything that one request has brought about: the calls that it made, those that these made, and so on.

    Input: `cid` or `id` of any one of them; `cid` of a request that only made calls, too.
    Output: `root`, the CID where it began, which has no record if that was no background call; `items`, at most 200
    objects with `id`, `cid`, `service`, `status`, `channel`, `parent`, `in_reply_to`, `replay_of`, `created`,
    `started`, `ended` and `depth`, each below the one that made it; `depth` is 0 for the root and 1 for what it made.
    `is_cut` is true if there are more.
    """

    name = "zato.invocation.get-tree"

    def __init__(self, records: Records) -> None:
        """Take where records are found."""
        self._records = records

    async def handle(self) -> dict[str, Any]:
        """Return `{"root": ..., "items": [...], "is_cut": ...}`."""
        fields = read_object(self.request.payload, "cid", "id")
        tree = await tree_of(self._records, call_id=text_of(fields, "id"), cid=text_of(fields, "cid"))
        items = [placed_as_json(record, depth) for record, depth in tree.items]
        return {"root": tree.root, "items": items, "is_cut": tree.is_cut}


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
        permit(acting.get(), call.service, in_background=True, call_backs=(*call.callback, *call.on_failure))
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
