"""A request and a reply, free of any HTTP server's own types."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["JSON_TYPE", "Reply", "Request"]

JSON_TYPE = "application/json"


@dataclass(slots=True, kw_only=True)
class Request:
    """One HTTP request; its body is read only by who wants it.

    Attributes:
        cid: made for this request.
        header: returns a header's value by lower-case name, or None.
        headers: returns all of them.
        read: returns the body, or raises `PayloadTooLarge` or `RequestTimeout`.
    """

    cid: str
    method: str
    path: str
    query: str
    header: Callable[[str], str | None]
    headers: Callable[[], Mapping[str, str]]
    read: Callable[[], Awaitable[bytes]]


@dataclass(slots=True)
class Reply:
    """One HTTP reply. Every reply also carries the CID of its request."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: list[tuple[str, str]] = field(default_factory=list)
