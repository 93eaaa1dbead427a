"""`/zato/ping`, `/zato/live` and `/zato/ready`: whether the server runs, and whether it should get requests."""

from collections.abc import Callable

from zato.core.envelope import encode_ping
from zato.core.errors import ServiceUnavailable
from zato.server.http.message import Reply, Request

__all__ = ["Health"]


class Health:
    """What liveness and readiness say, and whether the doors are open.

    Attributes:
        not_ready: why this server should get no requests now, or an empty text.
        draining: the server takes no new background work, and is to get no requests that another one can answer.
        closing: the server takes no new requests.
    """

    def __init__(self, stuck: Callable[[], str]) -> None:
        """Take what tells, at the time of asking, that the server cannot work, or an empty text."""
        self.not_ready = "starting"
        self.draining = False
        self.closing = False
        self._stuck = stuck

    async def ping(self, request: Request) -> Reply:
        """Answer, without credentials, what `zato.ping` does."""
        return Reply(200, encode_ping(request.cid))

    async def live(self, request: Request) -> Reply:
        """Say that the process runs and its event loop turns."""
        return Reply(200, b'{"live":true}')

    async def ready(self, request: Request) -> Reply:
        """Say that the server can take requests.

        Raises:
            ServiceUnavailable: it cannot.
        """
        reason = self.not_ready or ("draining" if self.draining else self._stuck())
        if reason:
            raise ServiceUnavailable(f"Not ready: {reason}.")
        return Reply(200, b'{"ready":true}')
