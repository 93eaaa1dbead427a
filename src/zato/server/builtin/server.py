"""`zato.server.info`: what this server is and what it does now."""

import os
import platform
from collections.abc import Callable
from typing import Any

from zato import __version__
from zato.server.builtin.inputs import read_object
from zato.server.service import AsyncService

__all__ = ["Info", "ServerState"]

ServerState = Callable[[], dict[str, Any]]


class Info(AsyncService):
    """Name, versions, broker, threads and services of the server that answers.

    Input: nothing.
    Output: `name`, `pid`, `version`, `python`, `broker`, `cluster`, `draining`, `worker`, `workers`, `started`,
    `services`, `threads`.
    """

    name = "zato.server.info"

    def __init__(self, state: ServerState) -> None:
        """Take what tells the server's state."""
        self._state = state

    async def handle(self) -> dict[str, Any]:
        """Return the state, with what every server has."""
        read_object(self.request.payload)
        return {"pid": os.getpid(), "version": __version__, "python": platform.python_version(), **self._state()}
