"""What a service sees of a call: the door it came through, the request, the response to fill in, the log."""

import copy
import logging
from collections.abc import Mapping, MutableMapping
from typing import Any, Self

from zato.core.attrdict import as_attributes
from zato.core.call import Call, HTTPInfo
from zato.core.elements import Contract

__all__ = ["Channel", "HTTPRequest", "Request", "Response", "ServiceLogger"]

_NOT_READ: Any = object()


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

    __slots__ = ("_http", "_input", "payload", "raw_request")

    def __init__(self, call: Call) -> None:
        self.payload: Any = call.payload
        self.raw_request: Any = call.raw
        self._http = call.http
        self._input = _NOT_READ

    @property
    def input(self) -> Any:
        """What the service declares as its input, converted; else the payload, with a dict's keys as attributes."""
        return as_attributes(self.payload) if self._input is _NOT_READ else self._input

    @input.setter
    def input(self, value: Any) -> None:
        self._input = value

    @property
    def channel_params(self) -> Mapping[str, str]:
        """What came beside the payload: the query string, the last value of each name."""
        return self._http().params if self._http else {}

    def bunchified(self) -> Any:
        """Return the payload with a dict's keys as attributes, whatever is declared as the input."""
        return as_attributes(self.payload)

    def to_bunch(self) -> Any:
        """Return the same as `bunchified`."""
        return self.bunchified()

    def deepcopy(self) -> Self:
        """Return a request of its own: what is changed in one is not changed in the other."""
        copied = copy.copy(self)
        copied.payload = copy.deepcopy(self.payload)
        copied._input = self._input if self._input is _NOT_READ else copy.deepcopy(self._input)
        return copied

    def _read_input(self, contract: Contract) -> Any:
        """Read what is declared as the input, and return it."""
        self._input = found = contract.read(self.payload, self.channel_params)
        return found

    @property
    def http(self) -> HTTPRequest:
        """The HTTP side of the request."""
        return HTTPRequest(self._http() if self._http else HTTPInfo(), self.payload)


class Response:
    """What a service answers.

    Attributes:
        payload: text, or anything with a JSON form. None means the service produced no output. If the service
            declares its output, its elements are set here, as attributes or items, or rows are appended.
        content_type: of the answer over HTTP, or None to derive it from the payload.
        headers: of the answer over HTTP.
        status_code: of the answer over HTTP.
    """

    __slots__ = ("content_type", "headers", "payload", "status_code")

    def __init__(self, payload: Any = None) -> None:
        """Start with nothing, or with what a declared output is filled in to."""
        self.payload: Any = payload
        self.content_type: str | None = None
        self.headers: dict[str, str] = {}
        self.status_code = 200


class ServiceLogger(logging.LoggerAdapter[logging.Logger]):
    """The log of one invocation: each line carries CID, service and channel by itself."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Join what the caller gave as `extra` with what every line carries."""
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **(self.extra or {})}
        return msg, kwargs
