"""What every transport hands over: a complete reply, whichever library received it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["HTTPReply", "Reply", "text_of"]

CHARSET = re.compile(r"charset=[\"']?([\w.:-]+)", re.IGNORECASE)


class Reply(Protocol):
    """What responses read of a reply; a `requests.Response` is one."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def reason(self) -> str:
        """The words beside the status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; their names have no case."""
        ...

    @property
    def content(self) -> bytes:
        """The body."""
        ...


@dataclass(frozen=True, slots=True)
class HTTPReply:
    """A complete reply, with the attributes that a `requests.Response` has for the same things.

    Attributes:
        headers: their names have no case.
        url: where it came from in the end, after redirects.
    """

    status_code: int
    reason: str
    headers: Mapping[str, str]
    content: bytes
    url: str = ""

    @property
    def text(self) -> str:
        """The body as text: in the charset it declares, else in UTF-8."""
        return text_of(self)

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status_code < 400

    def json(self) -> Any:
        """Return the body, parsed.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.content)


def text_of(reply: Reply) -> str:
    """Return a body as text: in the charset it declares, else in UTF-8."""
    declared = CHARSET.search(reply.headers.get("Content-Type", ""))
    try:
        return reply.content.decode(declared.group(1) if declared else "utf-8", "replace")
    except LookupError:
        return reply.content.decode("utf-8", "replace")
