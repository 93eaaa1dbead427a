"""`zato.service.*`: invoking by request, and what is deployed."""

import inspect
from typing import Any

from zato.core.envelope import parse_request
from zato.core.errors import BadRequest
from zato.core.options import priority_word
from zato.core.payload import encode
from zato.server.builtin.inputs import read_object, text_of
from zato.server.front import Front, Origin
from zato.server.registry import Deployed, Services, line_of
from zato.server.service import SHADOW_PACKAGE, AsyncService

__all__ = ["Describe", "GetList", "Invoke", "InvokeAsyncMany"]


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


class GetList(AsyncService):
    """Lists what is deployed, by name.

    Input: nothing.
    Output: `items`, a list of objects with `name`, `impl_name`, `is_internal`, `is_async` and `file`.
    """

    name = "zato.service.get-list"

    def __init__(self, services: Services) -> None:
        """Take what is deployed."""
        self._services = services

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...]}`."""
        read_object(self.request.payload)
        services = self._services.current.by_name
        return {"items": [_as_item(services[name]) for name in sorted(services)]}


class Describe(AsyncService):
    """Tells what is known of one service.

    Input: `name`.
    Output: what `zato.service.get-list` tells, and `doc`, the docstring; `module`; `line`, where the class begins in
    its file; `retry`, `time_limit`, `max_concurrency`, `priority` and `queue` of its class; `input` and `output`, what
    it declares; `methods`, the HTTP methods that it has a method for. What is not there is null. An unknown name is a
    404.
    """

    name = "zato.service.get"

    def __init__(self, services: Services) -> None:
        """Take what is deployed."""
        self._services = services

    async def handle(self) -> dict[str, Any]:
        """Return the fields of the service."""
        name = text_of(read_object(self.request.payload, "name"), "name")
        if name is None:
            raise BadRequest("Give 'name', the name of a service.")
        deployed = self._services.get(name)
        terms = deployed.terms
        return {
            **_as_item(deployed),
            "doc": inspect.getdoc(deployed.kind) if deployed.kind.__doc__ else None,
            "module": deployed.kind.__module__.removeprefix(SHADOW_PACKAGE),
            "line": None if deployed.file is None else line_of(deployed.kind),
            "retry": None if terms.retry is None else terms.retry.as_json(),
            "time_limit": terms.time_limit,
            "max_concurrency": terms.max_concurrency,
            "priority": None if terms.priority is None else priority_word(terms.priority),
            "queue": terms.queue,
            **deployed.plan.contract.described(),
            "methods": list(deployed.plan.verbs) or None,
        }


def _as_item(deployed: Deployed) -> dict[str, Any]:
    return {
        "name": deployed.name,
        "impl_name": deployed.impl_name,
        "is_internal": deployed.is_internal,
        "is_async": deployed.is_async,
        "file": deployed.file,
    }
