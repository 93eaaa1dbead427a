"""What a running service can ask of its server."""

from typing import Protocol

from zato.core.call import AsyncCall, Call
from zato.core.exchange import Response

__all__ = ["Runtime"]


class Runtime(Protocol):
    """What a running service can ask of its server. The `_here` forms block, for services on threads."""

    def invoke_here(self, call: Call, timeout: float | None) -> Response:
        """Run another service and return its response."""

    async def invoke(self, call: Call, timeout: float | None) -> Response:
        """Run another service and return its response."""

    def publish_here(self, call: AsyncCall) -> str:
        """Store a background call and return its CID."""

    async def publish(self, call: AsyncCall) -> str:
        """Store a background call and return its CID."""
