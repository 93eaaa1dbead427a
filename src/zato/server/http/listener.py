"""Opening and closing the doors: granian, embedded on our event loop."""

import asyncio
import contextlib
import errno
import socket

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server as GranianServer

from zato.core.errors import EnvironmentFault
from zato.environment import reachable
from zato.server.http.rsgi import RSGIAdapter

__all__ = ["Listener"]

HEADER_TIMEOUT_MS = 30_000
OPEN_TIMEOUT = 10.0
CLOSE_TIMEOUT = 3.0
POLL = 0.005


class Listener:
    """One TCP address that requests come in at."""

    def __init__(self, adapter: RSGIAdapter, host: str, port: int, *, max_connections: int) -> None:
        """Take what answers, where to listen, and for how many connections at once.

        Connections are not requests: silent ones are never timed out, and count.
        """
        self._max_connections = max_connections
        self._host = host
        self._port = port
        self._adapter = adapter
        self._granian: GranianServer | None = None
        self._serving: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Return when requests are answered.

        Raises:
            EnvironmentFault: the address cannot be listened on.
        """
        # granian takes numbers only, and a host may have been given by name.
        address = _free_address(self._host, self._port)
        self._granian = _granian(self._adapter, address, self._port, self._max_connections)
        self._serving = asyncio.create_task(self._granian.serve())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(OPEN_TIMEOUT):
                while not self._serving.done():
                    if await self._answers():
                        return
                    await asyncio.sleep(POLL)
        raise EnvironmentFault(f"Nothing answers at {self._host}:{self._port}. Check 'host' in config.toml.")

    def close(self) -> None:
        """Accept no new connections. Requests in progress go on."""
        if self._granian is not None:
            self._granian.stop()  # type: ignore[no-untyped-call]

    async def closed(self) -> None:
        """Return when every connection has ended, or after 3 s."""
        if self._serving is None:
            return
        self.close()
        await asyncio.wait((self._serving,), timeout=CLOSE_TIMEOUT)
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(reachable(self._host), self._port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


def _granian(adapter: RSGIAdapter, host: str, port: int, max_connections: int) -> GranianServer:
    return GranianServer(
        adapter,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        websockets=False,
        backlog=1024,
        backpressure=max_connections,
        log_enabled=False,
    )


def _free_address(host: str, port: int) -> str:
    """Return the host's address in numbers, having bound the port once.

    That was without SO_REUSEPORT, which granian sets and which hides a second server.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, UnicodeError) as error:
            raise EnvironmentFault(_refusal(error, host, port)) from error
        return str(probe.getsockname()[0])


def _refusal(error: OSError | UnicodeError, host: str, port: int) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program. Choose another with --port."
    reason = getattr(error, "strerror", None) or error
    if number == errno.EACCES:
        return f"Port {port} on {host} cannot be used: {reason}. Choose one from 1024 with --port."
    return f"The server cannot listen on {host!r}: {reason}. Check 'host' in config.toml."
