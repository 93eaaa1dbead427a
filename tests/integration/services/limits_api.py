"""Services that answer with much, and set whatever they are told."""

from collections.abc import Callable
from typing import Any

from zato.server.service import AsyncService, Service

KINDS: dict[str, Callable[[int], Any]] = {
    "text": lambda size: "x" * size,
    "beyond-ascii": lambda size: "ż" * (size // 2),
    "bytes": lambda size: b"x" * size,
    "list": lambda size: ["x" * 98] * (size // 101),
    "wrapped": lambda size: {"response": "x" * size},
}


class Much(Service):
    """Answers with so many bytes of a kind."""

    name = "limits.much"

    def handle(self) -> Any:
        return KINDS[self.request.payload["kind"]](int(self.request.payload["size"]))


class MuchOnLoop(AsyncService):
    name = "limits.much-on-loop"

    async def handle(self) -> Any:
        return KINDS[self.request.payload["kind"]](int(self.request.payload["size"]))


class Sets(Service):
    """Sets the attributes of its response."""

    name = "limits.sets"

    def handle(self) -> None:
        for attribute, value in self.request.payload.items():
            setattr(self.response, attribute, value)
