"""`zato.invocation.*`: what became of background calls."""

from typing import Any

from zato.core.errors import Conflict
from zato.core.payload import decode
from zato.server.builtin.inputs import number_of, read_object, text_of
from zato.server.publisher import Publisher, repeated
from zato.server.records import Records, record_as_json
from zato.server.service import AsyncService

__all__ = ["Cancel", "Get", "Replay"]

MAX_WAIT = 60


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


class Cancel(AsyncService):
    """Cancels a call that no server runs yet, by id or CID, and returns its record.

    Input: `cid` or `id`.
    Output: the record. A call that runs or has an outcome is a 409.
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

    Input: `cid` or `id`; `payload`, instead of the one it had.
    Output: `cid` and `id` of the new call.
    """

    name = "zato.invocation.replay"

    def __init__(self, records: Records, publisher: Publisher) -> None:
        """Take where records are found, and what stores the new call."""
        self._records = records
        self._publisher = publisher

    async def handle(self) -> dict[str, str]:
        """Return the CID and id of the new call."""
        fields = read_object(self.request.payload, "cid", "id", "payload")
        record = await self._records.get(call_id=text_of(fields, "id"), cid=text_of(fields, "cid"))
        if record.outcome is None:
            raise Conflict(
                f"The call with CID {record.invocation.cid!r} cannot be replayed yet: it is {record.status}."
            )
        call = record.invocation
        payload = fields["payload"] if "payload" in fields else decode(call.payload)
        again = repeated(call, payload=payload, parent=self.cid)
        accepted = await self._publisher.publish(again)
        return {"cid": accepted.cid, "id": accepted.id}
