"""`zato.service.*`: invoking by request, and what is deployed."""

import inspect
from typing import Any

from zato.core.envelope import parse_request
from zato.core.errors import BadRequest
from zato.core.payload import encode
from zato.server.builtin.inputs import read_object, text_of
from zato.server.front import Front, Origin
from zato.server.registry import Deployed, Services, line_of
from zato.server.service import SHADOW_PACKAGE, AsyncService

__all__ = ["Describe", "GetList", "Invoke"]


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
    its file; `retry` and `time_limit` of its class. What is not there is null. An unknown name is a 404.
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
        deployed = self._services.current.get(name)
        return {
            **_as_item(deployed),
            "doc": inspect.getdoc(deployed.kind) if deployed.kind.__doc__ else None,
            "module": deployed.kind.__module__.removeprefix(SHADOW_PACKAGE),
            "line": None if deployed.file is None else line_of(deployed.kind),
            "retry": None if deployed.retry is None else deployed.retry.as_json(),
            "time_limit": deployed.time_limit,
        }


def _as_item(deployed: Deployed) -> dict[str, Any]:
    return {
        "name": deployed.name,
        "impl_name": deployed.impl_name,
        "is_internal": deployed.is_internal,
        "is_async": deployed.is_async,
        "file": deployed.file,
    }
