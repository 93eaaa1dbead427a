"""A request and a reply, free of any HTTP server's own types."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from zato.core.call import HTTPInfo
from zato.core.people import CLIENT_HEADER, SESSION_HEADER

__all__ = ["JSON_TYPE", "TEXT_TYPE", "Reply", "Request", "http_info"]

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"
# What the web admin sends for a person: the token of a session is no service's business.
OF_PEOPLE = (SESSION_HEADER, CLIENT_HEADER)


@dataclass(slots=True, kw_only=True)
class Request:
    """One HTTP request; its body is read only by who wants it.

    Attributes:
        cid: made for this request.
        header: returns a header's value by lower-case name, or None.
        header_values: returns all values that the header was sent with; None for one that is not visible ASCII.
        headers: returns all of them.
        read: returns the body, or raises `PayloadTooLarge` or `RequestTimeout`.
        client: whom it came from, as address and port.
        user: whom the request authenticated as, for the log, as the rest.
        service: what it asks for.
        channel: the door, as the service sees it.
        size: bytes of its body; 0 if it was not read.
        accepted: CID of the background call that was accepted.
    """

    cid: str
    method: str
    path: str
    query: str
    header: Callable[[str], str | None]
    header_values: Callable[[str], Sequence[str | None]]
    headers: Callable[[], Mapping[str, str]]
    read: Callable[[], Awaitable[bytes]]
    client: str = ""
    user: str | None = None
    service: str | None = None
    channel: str | None = None
    size: int = 0
    accepted: str | None = None


@dataclass(slots=True)
class Reply:
    """One HTTP reply. Every reply also carries the CID of its request."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: list[tuple[str, str]] = field(default_factory=list)


def http_info(request: Request) -> HTTPInfo:
    """Return what a service may see of a request.

    That is not the password of the machine user who asks for a person: whoever invokes a service that tells of its
    headers would have it.
    """
    hidden = (*OF_PEOPLE, "authorization") if request.header_values(SESSION_HEADER) else OF_PEOPLE
    return HTTPInfo(
        method=request.method,
        path=request.path,
        headers={name: value for name, value in request.headers().items() if name not in hidden},
        params=dict(parse_qsl(request.query, keep_blank_values=True)),
        query=request.query,
        client=request.client,
        user=request.user or "",
    )
