"""What a service sees of a call: the door it came through, the request, the response to fill in, the log."""

import logging
from collections.abc import MutableMapping
from typing import Any

from zato.core.attrdict import as_attributes
from zato.core.call import Call, HTTPInfo

__all__ = ["Channel", "HTTPRequest", "Request", "Response", "ServiceLogger"]


class Channel(str):
    """The door a call came through: a text equal to the channel's type, with the attributes below.

    Attributes:
        type: such as `invoke`, `invoke-async` or `invoke-async-callback`.
        name: which door of that type.
    """

    type: str
    name: str

    def __new__(cls, channel_type: str, name: str = "") -> "Channel":
        """Make a channel of its type and name."""
        channel = super().__new__(cls, channel_type)
        channel.type = channel_type
        channel.name = name or channel_type
        return channel


class HTTPRequest:
    """The HTTP side of a request; empty for calls that did not come through HTTP.

    Attributes:
        method: such as `POST`, or an empty text.
        path: the address without host and query string.
        headers: by lower-case name.
        params: the query string, the last value of each name.
        GET: the same.
        POST: the payload if it is a dict, else an empty one.
    """

    def __init__(self, info: HTTPInfo, payload: Any) -> None:
        self.method = info.method
        self.path = info.path
        self.headers = info.headers
        self.params = self.GET = info.params
        self.POST = payload if isinstance(payload, dict) else {}


class Request:
    """What a service was invoked with.

    Attributes:
        payload: the input; JSON is parsed already, an empty payload is the empty text.
        raw_request: the input as it came.
    """

    __slots__ = ("_http", "payload", "raw_request")

    def __init__(self, call: Call) -> None:
        self.payload: Any = call.payload
        self.raw_request: Any = call.raw
        self._http = call.http

    @property
    def input(self) -> Any:
        """The payload; a dict's keys can be read as attributes."""
        return as_attributes(self.payload)

    @property
    def http(self) -> HTTPRequest:
        """The HTTP side of the request."""
        return HTTPRequest(self._http() if self._http else HTTPInfo(), self.payload)


class Response:
    """What a service answers.

    Attributes:
        payload: text, or anything with a JSON form. None means the service produced no output.
        content_type: of the answer over HTTP, or None to derive it from the payload.
        headers: of the answer over HTTP.
        status_code: of the answer over HTTP.
    """

    __slots__ = ("content_type", "headers", "payload", "status_code")

    def __init__(self) -> None:
        self.payload: Any = None
        self.content_type: str | None = None
        self.headers: dict[str, str] = {}
        self.status_code = 200


class ServiceLogger(logging.LoggerAdapter[logging.Logger]):
    """The log of one invocation: each line carries CID, service and channel by itself."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Join what the caller gave as `extra` with what every line carries."""
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **(self.extra or {})}
        return msg, kwargs
