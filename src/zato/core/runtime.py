"""What a running service can ask of its server."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

from zato.core.call import AsyncCall, Call
from zato.core.exchange import Response
from zato.core.facilities import Facilities
from zato.core.lock import LockWish
from zato.core.stop import StopSign

__all__ = ["Runtime"]


class Runtime(Protocol):
    """What a running service can ask of its server. The `_here` forms block, for services on threads."""

    @property
    def facilities(self) -> Facilities:
        """What the server has for its services beside calling each other."""

    def invoke_here(self, call: Call, timeout: float | None) -> Response:
        """Run another service and return its response."""

    async def invoke(self, call: Call, timeout: float | None) -> Response:
        """Run another service and return its response."""

    def publish_here(self, call: AsyncCall) -> str:
        """Store a background call and return its CID."""

    async def publish(self, call: AsyncCall) -> str:
        """Store a background call and return its CID."""

    def publish_all_here(self, calls: Sequence[AsyncCall]) -> list[str]:
        """Store background calls, all of them or none, and return their CIDs."""

    async def publish_all(self, calls: Sequence[AsyncCall]) -> list[str]:
        """Store background calls, all of them or none, and return their CIDs."""

    def lock_here(self, wish: LockWish, stop: StopSign) -> AbstractContextManager[None]:
        """Return what holds a lock; waiting for it ends when the service is to stop."""

    def lock(self, wish: LockWish, stop: StopSign) -> AbstractAsyncContextManager[None]:
        """Return what holds a lock; waiting for it ends when the service is to stop."""
