"""The way in and out of a service under test: JSON both ways, as at the doors of a server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from zato.core.call import REST, HTTPInfo
from zato.core.exchange import Response
from zato.core.payload import encode, from_door
from zato.server.http.api import API_INVOKE, query_payload, reply_of
from zato.server.responses import response_text

__all__ = ["Answer", "Asked", "data_of"]

# Bytes that a response may have; the setting max_response has it by default.
MAX_RESPONSE = 100_000_000
# Methods of HTTP whose payload is the query string, and statuses whose replies have no body.
BY_QUERY = ("GET", "HEAD")
WITHOUT_BODY = (204, 304)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered, as a client gets it.

    Attributes:
        data: the response, after its way through JSON; None if there was none.
        text: the text that `data` was read from.
        cid: the CID that the service ran with.
        status_code: the HTTP status that it set.
        headers: the HTTP headers that it set; by lower-case name if it was called at its own address.
        content_type: the content type that it set, or that it gets at its own address by itself, or None.
    """

    data: Any
    text: str
    cid: str
    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for a service, at its own address if there is anything of HTTP in it.

    Attributes:
        method: such as `GET`; by default it is `POST` at the service's own address.
        unwrap: leave out the wrapper of a response that is a dict with the one key `response`, elsewhere than at the
            service's own address; clients ask for that unless they are told not to.
    """

    service: str
    payload: Any = ""
    channel: str | None = None
    method: str = ""
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    unwrap: bool = True

    @property
    def door(self) -> str:
        """The channel that the service sees."""
        if self.channel is not None:
            return self.channel
        return REST if self.method or self.path or self.headers or self.params else "invoke"

    def http(self) -> HTTPInfo:
        """Return what the service sees of HTTP."""
        return HTTPInfo(
            method=self.method.upper() or "POST",
            path=self.path or f"{API_INVOKE}{self.service}",
            headers={name.lower(): value for name, value in self.headers.items()},
            params=dict(parse_qsl(self._query, keep_blank_values=True)),
        )

    def read(self) -> tuple[Any, Any]:
        """Return the payload that the service gets, and the text it came as.

        Raises:
            NotSerializable: the payload has no JSON form.
            InvalidPayload: it is no text, or nested too deep.
            ValueError: there is one, and the method is GET or HEAD.
        """
        if self.door != REST:
            return from_door(encode(self.payload))
        if self.method.upper() in BY_QUERY:
            if self.payload not in ("", None):
                raise ValueError(f"A {self.method.upper()} has no payload but its query string: give params={{...}}.")
            return query_payload(self._query), self._query
        return from_door(_body(self.payload), twice=False)

    def answer(self, response: Response, cid: str) -> Answer:
        """Return what a client gets of a response.

        Raises:
            NotSerializable: it has no JSON form.
            InvalidResponse: at the service's own address, what it set cannot be sent.
        """
        if self.door == REST:
            reply = reply_of(response, max_response=MAX_RESPONSE)
            has_body = self.method.upper() != "HEAD" and reply.status not in WITHOUT_BODY
            text = reply.body.decode() if has_body else ""
            return Answer(data_of(text), text, cid, reply.status, dict(reply.headers), reply.content_type)
        text = response_text(response, limit=MAX_RESPONSE, unwrap=self.unwrap)
        return Answer(data_of(text), text, cid, response.status_code, dict(response.headers), response.content_type)

    @property
    def _query(self) -> str:
        return urlencode(self.params, doseq=True)


def data_of(text: str) -> Any:
    """Return what a client makes of a response's text: what its JSON says, or the text itself, or None."""
    data, raw = from_door(text.encode(), twice=False)
    return data if raw else None


def _body(payload: Any) -> bytes:
    """Return the body of a request: text and bytes as they are, anything else as JSON."""
    if isinstance(payload, bytes):
        return payload
    return payload.encode() if isinstance(payload, str) else encode(payload)
