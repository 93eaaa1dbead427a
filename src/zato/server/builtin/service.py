"""`zato.service.invoke` and `zato.service.invoke-async-many`: invoking by request."""

from typing import Any

from zato.core.envelope import parse_request
from zato.core.errors import BadRequest
from zato.core.payload import encode
from zato.server.builtin.inputs import read_object
from zato.server.front import Front, Origin
from zato.server.service import AsyncService

__all__ = ["Invoke", "InvokeAsyncMany"]


class Invoke(AsyncService):
    """Runs what its payload asks for, as `/zato/admin/invoke` does with a request's body.

    Input: the fields of such a request: `name`, `payload` in base64, `is_async` and the others.
    Output: the text of the target's response, or the CID of a background call.
    """

    name = "zato.service.invoke"

    def __init__(self, front: Front) -> None:
        """Take what carries out clients' requests."""
        self._front = front

    async def handle(self) -> str:
        """Return the text of the target's response, or the CID of an accepted call."""
        request = parse_request(encode(self.request.payload))
        return await self._front.invoke(request, Origin(self.cid, self.name))


class InvokeAsyncMany(AsyncService):
    """Has many calls run in the background: all of them are stored, or none is.

    Input: `items`, a list of at most 10,000 objects, each with `name`, and `payload`, `channel`, `data_format`,
    `transport`, `expiration`, `callback`, `on_failure`, `delay`, `retry`, `time_limit`, `cid`, `idempotency_key`,
    `priority` and `queue` as for `invoke_async`; or each a list of name and payload.
    Output: `cids`, a list in the order of the items. An item that is not legal is a 400 that has its number, from 1.
    """

    name = "zato.service.invoke-async-many"

    def __init__(self, front: Front) -> None:
        """Take what carries out clients' requests."""
        self._front = front

    async def handle(self) -> dict[str, Any]:
        """Return `{"cids": [...]}`."""
        fields = read_object(self.request.payload, "items")
        if "items" not in fields:
            raise BadRequest("Give 'items', a list of objects with 'name' and 'payload'.")
        return {"cids": await self._front.invoke_async_many(fields["items"], Origin(self.cid, self.name))}
