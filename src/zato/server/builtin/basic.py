"""`zato.ping` and the helpers."""

from typing import Any

from zato.core.payload import to_text
from zato.server.service import AsyncService

__all__ = ["Echo", "InputLogger", "Ping"]


class Ping(AsyncService):
    """Answers, so that a caller knows the server does.

    Input: anything; it is not looked at.
    Output: the text `{"zato_ping_response": {"pong": "zato"}}`; a client's `data` is the inner object.
    """

    name = "zato.ping"

    async def handle(self) -> str:
        """Return what old clients have always got, to the letter."""
        self.response.content_type = "application/json"
        return '{"zato_ping_response": {"pong": "zato"}}'


class InputLogger(AsyncService):
    """Logs what it was given, at INFO, as one record.

    Input: anything.
    Output: nothing.
    """

    name = "zato.helpers.input-logger"

    async def handle(self) -> None:
        """Log the payload as text."""
        self.logger.info("%s", to_text(self.request.payload, what="payload"))


class Echo(AsyncService):
    """Returns what it was given.

    Input: anything.
    Output: the same.
    """

    name = "zato.helpers.echo"

    async def handle(self) -> Any:
        """Return the payload as it came."""
        return self.request.payload
