"""Opening and closing the doors: granian, embedded on our event loop."""

import asyncio
import contextlib
import socket

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server as GranianServer

from zato.core.errors import EnvironmentFault
from zato.running import reachable
from zato.server.http.rsgi import RSGIAdapter
from zato.tls import TLSFiles

__all__ = ["Listener"]

HEADER_TIMEOUT_MS = 30_000
OPEN_TIMEOUT = 10.0
CLOSE_TIMEOUT = 3.0
POLL = 0.005


class Listener:
    """One TCP address that requests come in at."""

    def __init__(
        self, adapter: RSGIAdapter, host: str, port: int, *, max_connections: int, tls: TLSFiles | None = None
    ) -> None:
        """Take what answers, where to listen, for how many connections at once, and what to serve HTTPS with.

        Connections are not requests: silent ones count too, until they are closed after 30 s.
        """
        self._max_connections = max_connections
        self._tls = tls
        self._host = host
        self._port = port
        self._adapter = adapter
        self._granian: GranianServer | None = None
        self._serving: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Return when requests are answered. Other processes may listen at the same address.

        Raises:
            EnvironmentFault: the address cannot be listened on.
        """
        address = _numeric(self._host)
        self._granian = _granian(self._adapter, address, self._port, self._max_connections, self._tls)
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


def _granian(adapter: RSGIAdapter, host: str, port: int, max_connections: int, tls: TLSFiles | None) -> GranianServer:
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
        ssl_cert=None if tls is None else tls.certificate,
        ssl_key=None if tls is None else tls.key,
        ssl_protocol_min=SSLProtocols.tls12,
        log_enabled=False,
    )


def _numeric(host: str) -> str:
    """Return the host's address in numbers: granian takes no names.

    Raises:
        EnvironmentFault: it has none.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return str(socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EnvironmentFault(
            f"The server cannot listen on {host!r}: {reason}. Check 'host' in config.toml."
        ) from error
