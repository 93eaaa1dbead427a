"""`/zato/api/invoke/{service}`: plain JSON in, plain JSON out, for the user `pubapi`, by every verb."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from zato.core.call import REST, Call
from zato.core.errors import Forbidden, InvalidResponse
from zato.core.exchange import Response
from zato.core.names import is_reserved
from zato.core.payload import from_door
from zato.server.dispatcher import Dispatcher
from zato.server.failures import log_failure
from zato.server.front import read_with
from zato.server.http.auth import BasicAuth
from zato.server.http.message import JSON_TYPE, TEXT_TYPE, Reply, Request, http_info
from zato.server.responses import response_text
from zato.server.threads import Budget

__all__ = ["API_INVOKE", "API_VERBS", "ApiDoor", "query_payload", "reply_of"]

API_INVOKE = "/zato/api/invoke/"
API_VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OPEN_TO_ALL = "zato.ping"

# Tokens and visible ASCII (RFC 9110, sections 5.1 and 5.5); anything else would vanish on its way.
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE = re.compile(r"[\x20-\x7e\t]*")
_parse = partial(from_door, twice=False)

# Python's own http.client takes 100 headers, and many proxies 32 KB of them.
MAX_HEADERS = 64
MAX_HEADER_BYTES = 32_000

OUR_HEADERS = frozenset({"content-length", "transfer-encoding", "connection", "x-zato-cid"})


class ApiDoor:
    """Runs the service that the address names; its response is the reply, and nothing else."""

    def __init__(
        self, dispatcher: Dispatcher, budget: Budget, readers: Budget, auth: BasicAuth, *, max_response: int
    ) -> None:
        """Take what runs services, the slots that requests and large inputs wait for, who may ask, and a limit."""
        self._reply = partial(reply_of, max_response=max_response)
        self._dispatcher = dispatcher
        self._budget = budget
        self._readers = readers
        self._auth = auth

    async def invoke(self, request: Request) -> Reply:
        """Return what the service answers, with its status, headers and content type.

        Raises:
            Exception: whatever the request or the service deserves; `zato.server.http.errors` makes it a reply.
        """
        self._auth.check(request.header("authorization"))
        name = request.path.removeprefix(API_INVOKE)
        request.user, request.service, request.channel = self._auth.user, name, REST
        if is_reserved(name) and name != OPEN_TO_ALL:
            raise Forbidden(f"{name!r} is not open to this address; built-in services are invoked by admin.invoke.")
        payload, raw = await self._input(request)
        call = Call(
            cid=request.cid,
            service=name,
            payload=payload,
            raw=raw,
            channel=REST,
            channel_name=request.path,
            data_format="json",
            http=partial(http_info, request),
        )
        try:
            return await self._dispatcher.run_root(call, self._reply, self._budget)
        except Exception as error:
            log_failure(name, request.cid, REST, error)
            raise

    async def _input(self, request: Request) -> tuple[Any, str]:
        """Return the payload and the text it came as: the query string of a GET, otherwise the body."""
        if request.method in ("GET", "HEAD"):
            return query_payload(request.query), request.query
        body = await request.read()
        request.size = len(body)
        return await read_with(self._readers, _parse, body, label=request.path)


def query_payload(query: str) -> dict[str, Any]:
    """Return the payload that a query string stands for; a name that is there several times has a list."""
    values = parse_qs(query, keep_blank_values=True)
    return {name: found if len(found) > 1 else found[0] for name, found in values.items()}


def reply_of(response: Response, *, max_response: int) -> Reply:
    """Return the reply that a service's response becomes.

    Raises:
        InvalidResponse: HTTP cannot carry the status, a header or the content type.
        ResponseTooLarge: it is over the limit.
        NotSerializable: it has no JSON form.
    """
    status: object = response.status_code
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise InvalidResponse(f"The service set status_code to {status!r}; it is a number from 200 to 599.")
    headers = dict(_header(name, value) for name, value in response.headers.items())
    for name in headers:
        if name in OUR_HEADERS:
            raise InvalidResponse(f"The service set the header {name!r}, which the server sets itself.")
    content_type = _header("content-type", _content_type(response, headers.pop("content-type", None)))[1]
    _check_room(headers)
    return Reply(status, response_text(response, limit=max_response).encode(), content_type, list(headers.items()))


def _check_room(headers: Mapping[str, str]) -> None:
    """Refuse headers that clients and proxies commonly do not take."""
    size = sum(len(name) + len(value) for name, value in headers.items())
    if size > MAX_HEADER_BYTES or len(headers) > MAX_HEADERS:
        raise InvalidResponse(
            f"The service set {len(headers)} headers of {size} bytes; at most {MAX_HEADERS} of "
            f"{MAX_HEADER_BYTES} together can be sent."
        )


def _content_type(response: Response, header: str | None) -> object:
    """Return what the service chose, in either place, or what fits its payload."""
    chosen = response.content_type if response.content_type is not None else header
    if chosen is not None:
        return chosen
    return TEXT_TYPE if isinstance(response.payload, str | bytes) else JSON_TYPE


def _header(name: object, value: object) -> tuple[str, str]:
    text = str(value) if isinstance(value, int | float) else value
    if not (isinstance(name, str) and HEADER_NAME.fullmatch(name)):
        raise InvalidResponse(f"The service set a header named {name!r}, which is no legal name.")
    if not (isinstance(text, str) and HEADER_VALUE.fullmatch(text)):
        raise InvalidResponse(f"The service set the header {name!r} to {value!r:.100}; use visible ASCII on one line.")
    return name.lower(), text
