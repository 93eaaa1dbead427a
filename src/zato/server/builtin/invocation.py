"""`zato.invocation.*`: what became of background calls."""

from typing import Any

from zato.server.builtin.inputs import number_of, read_object, text_of
from zato.server.records import Records, record_as_json
from zato.server.service import AsyncService

__all__ = ["Get"]

MAX_WAIT = 60


class Get(AsyncService):
    """The record of one invocation, by id or CID; with `wait`, once it has an outcome."""

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
