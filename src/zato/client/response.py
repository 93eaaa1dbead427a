"""What a client hands back for a reply. Whatever the body holds, reading it never raises.

`zato.core.envelope` reads the wire format; here it is decided what of it is success, data and details.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from zato.client.reply import Reply, text_of
from zato.client.request import NOT_GIVEN, NotGiven
from zato.core.attrdict import as_attributes
from zato.core.envelope import CID_HEADER, ZATO_OK, parse_reply
from zato.core.errors import InvalidPayload
from zato.core.payload import decode, encode
from zato.core.typed import member

__all__ = [
    "NO_CID",
    "APIResponse",
    "AsyncInvokeResponse",
    "JSONResponse",
    "JSONSIOResponse",
    "ManyInvokeResponse",
    "RawDataResponse",
    "Response",
    "ResponseOptions",
    "ServiceInvokeResponse",
]

NO_CID = "(None)"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ResponseOptions:
    """How a client wants its responses.

    Attributes:
        to_bunch: give objects attribute access to their keys.
        max_response_repr: how many characters of the body `repr` shows.
        max_cid_repr: how many characters `repr` shows of either end of a CID.
    """

    to_bunch: bool = False
    max_response_repr: int = 2500
    max_cid_repr: int = 5


class Response:
    """What all responses have in common: JSON or text in, success by HTTP status.

    Attributes:
        inner: the `requests.Response`, or from an asynchronous client a reply with the same attributes.
        ok: whether the call succeeded.
        data: what came back, or None if nothing did or the call failed. Iterating goes over it.
        has_data: whether `ok` is True and something came back; 0, False, {} and [] are something.
        details: what is known of a failure.
        cid: the CID of the request, or the text `(None)`.
        inner_service_response: the text that `data` was read from.
        sio_result: the `result` of `zato_env`, or None.
        meta: `_meta` of a response that is a dict, else {}.
        output_repeated: what the caller said, else whether `data` is a list.
        to_bunch: whether the dicts in `data` have attribute access.
    """

    def __init__(
        self,
        inner: Reply,
        options: ResponseOptions = ResponseOptions(),
        output_repeated: bool | NotGiven = NOT_GIVEN,
    ) -> None:
        self._reply = parse_reply(inner.content)
        self._options = options
        self._inner = inner
        self.inner: Any = inner
        self.to_bunch = options.to_bunch
        self.sio_result = self._reply.result
        self.cid: str = inner.headers.get(CID_HEADER) or self._reply.cid or NO_CID
        self.ok = self._succeeded()
        self.details: Any = self._explain()
        self._take(self._service_text())
        self.output_repeated = isinstance(self.data, list) if output_repeated is NOT_GIVEN else output_repeated

    def __iter__(self) -> Iterator[Any]:
        return iter(() if self.data is None else self.data)

    def __repr__(self) -> str:
        shown = text_of(self._inner)[: self._options.max_response_repr]
        return (
            f"<{type(self).__name__} at {id(self):#x} ok:[{self.ok}] inner.status_code:[{self._inner.status_code}] "
            f"cid:[{_shortened(self.cid, self._options.max_cid_repr)}], inner.text:[{shown}]>"
        )

    def _take(self, text: str) -> None:
        """Set what follows from the text a service returned. An empty text is nothing."""
        parsed = self._parse(text)
        data = self._unwrap(parsed) if self.ok else None
        self.inner_service_response = text
        self.has_data = data is not None and data != ""
        self.meta: dict[str, Any] = self._shaped(_meta(parsed) or _meta(data))
        self.data: Any = self._shaped(data) if self.has_data else None

    def _shaped(self, value: Any) -> Any:
        return as_attributes(value) if self.to_bunch else value

    def _succeeded(self) -> bool:
        return self._inner.status_code < 400

    def _explain(self) -> Any:
        """Return the envelope's details, else the body's, else its text."""
        if self._envelope is not None:
            return self._envelope.get("details")
        body = self._reply.body
        if isinstance(body, dict) and "details" in body:
            return body["details"]
        text = text_of(self._inner)
        if self.ok or self._is_json:
            return text
        reason = f"HTTP {self._inner.status_code} {self._inner.reason or ''}".rstrip()
        return f"{reason}: {text}" if text.strip() else f"{reason}, and the reply is empty."

    def _service_text(self) -> str:
        return text_of(self._inner)

    def _parse(self, text: str) -> Any:
        try:
            return decode(text)
        except InvalidPayload:
            return text

    def _unwrap(self, parsed: Any) -> Any:
        return parsed

    @property
    def _envelope(self) -> dict[str, Any] | None:
        envelope = self._reply.body.get("zato_env") if isinstance(self._reply.body, dict) else None
        return envelope if isinstance(envelope, dict) else None

    @property
    def _is_json(self) -> bool:
        return self._reply.body is not None or self._inner.content.strip() == b"null"


class RawDataResponse(Response):
    """The reply's text as it is."""

    def _parse(self, text: str) -> Any:
        return text


class JSONResponse(Response):
    """The reply's JSON. A body that is neither JSON nor empty is a failure."""

    def _succeeded(self) -> bool:
        return super()._succeeded() and (self._is_json or not self._inner.content.strip())


class JSONSIOResponse(Response):
    """The reply's JSON beside `zato_env`, which tells whether the call succeeded."""

    def _succeeded(self) -> bool:
        if self._envelope is not None:
            return self._reply.result == ZATO_OK
        return self._is_json and super()._succeeded()

    def _unwrap(self, parsed: Any) -> Any:
        if isinstance(parsed, dict) and "zato_env" in parsed:
            parsed = {key: value for key, value in parsed.items() if key != "zato_env"} or None
        return _unwrapped(parsed)


class ServiceInvokeResponse(JSONSIOResponse, Generic[T]):
    """What a service returned through `/zato/admin/invoke`, in either dialect.

    Attributes:
        data: what the service returned, of the type the caller asked for; None if `has_data` is False.
    """

    data: T

    @property
    def data_text(self) -> str:
        """The text that `data` alone was read from: without a wrapper, digit for digit."""
        text = self.inner_service_response
        parsed = self._parse(text)
        key = _wrapper(parsed)
        if key is None:
            return text
        return member(text, key) or encode(parsed[key]).decode()

    def _service_text(self) -> str:
        return super()._service_text() if self._envelope is None else self._reply.text

    def _unwrap(self, parsed: Any) -> Any:
        return _unwrapped(parsed)


class AsyncInvokeResponse(ServiceInvokeResponse[str]):
    """What `invoke_async` returns: `data` is the CID the service runs with, always a str."""

    def _parse(self, text: str) -> Any:
        return text


class ManyInvokeResponse(ServiceInvokeResponse[list[str]]):
    """What `invoke_async_many` returns: `data` is the list of the CIDs, in order."""

    def _unwrap(self, parsed: Any) -> Any:
        return parsed.get("cids") if isinstance(parsed, dict) else parsed


class APIResponse(Response):
    """What an `APIClient` returns: JSON if the reply is JSON, else its text."""

    @property
    def is_ok(self) -> bool:
        """The same as `ok`."""
        return self.ok

    @property
    def headers(self) -> Any:
        """The reply's headers; their names have no case."""
        return self.inner.headers


def _unwrapped(value: Any) -> Any:
    key = _wrapper(value)
    return value if key is None else value[key]


def _wrapper(value: Any) -> str | None:
    """Return the one key of a dict that starts with `zato`, if there is nothing beside it but `_meta`."""
    keys = [key for key in value if key != "_meta"] if isinstance(value, dict) else []
    return keys[0] if len(keys) == 1 and keys[0].startswith("zato") else None


def _meta(value: Any) -> dict[str, Any]:
    meta = value.get("_meta") if isinstance(value, dict) else None
    return meta if isinstance(meta, dict) else {}


def _shortened(cid: str, ends: int) -> str:
    return cid if len(cid) <= 2 * ends else f"{cid[:ends]}..{cid[len(cid) - ends :]}"
