"""Serving the pages: granian, embedded on the event loop of a process that does nothing else.

The only importer of granian and uvloop here. What is served is made by `zato.web_admin.app`; where, and until
when, is decided by the command that calls this.
"""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import uvloop
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server as GranianServer

from zato.core.errors import EnvironmentFault
from zato.web_admin.memory import give_back_large_blocks

__all__ = ["Listening", "serve"]

HEADER_TIMEOUT_MS = 30_000
# Connections at once. An open live page has one for as long as it is looked at.
MAX_CONNECTIONS = 1000
OPENS_WITHIN = 10.0
# Seconds that requests in progress have at a stop. Live pages would never end by themselves.
STOPS_WITHIN = 1.0
POLL = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the pages are served, and what with.

    Attributes:
        host: the address in numbers, as granian takes no names.
        port: it is reserved already, by a socket that lets others listen beside it.
        certificate: chain in PEM, to serve HTTPS; None for plain HTTP.
        key: the private key of it.
    """

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


def serve(app: Any, where: Listening, ready: Callable[[], None], *, ends_with: int | None = None) -> None:
    """Serve an ASGI application until SIGTERM, SIGINT or SIGHUP, and end the process.

    Args:
        app: the application.
        where: the address.
        ready: called once, when requests are answered.
        ends_with: a descriptor; that its other end was closed ends this, too.

    Raises:
        EnvironmentFault: nothing can be served there.
    """
    give_back_large_blocks()
    uvloop.run(_serve(app, where, ready, ends_with))


async def _serve(app: Any, where: Listening, ready: Callable[[], None], ends_with: int | None) -> None:
    stopping = asyncio.Event()
    _stop_by_signals(stopping)
    if ends_with is not None:
        _stop_at_end_of(ends_with, stopping)
    granian = _granian(app, where)
    serving = asyncio.create_task(granian.serve())
    try:
        await _opened(serving, where, stopping)
        if not stopping.is_set():
            ready()
            await _first_of(stopping, serving)
    finally:
        granian.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait((serving,), timeout=STOPS_WITHIN)
        serving.cancel()
        # It may not heed that, and is not waited for without an end.
        await asyncio.wait((serving,), timeout=STOPS_WITHIN)
    _end()


def _end() -> NoReturn:
    """End the process. A thread that still waits for the server's answer keeps nobody waiting."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def _opened(serving: "asyncio.Task[None]", where: Listening, stopping: asyncio.Event) -> None:
    """Return when requests are answered, or are not to be any more.

    Raises:
        EnvironmentFault: they are not in time.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(OPENS_WITHIN):
            while not serving.done():
                if stopping.is_set() or await _answers(where):
                    return
                await asyncio.sleep(POLL)
    raise EnvironmentFault(f"Nothing answers at {where.host}:{where.port}. Check 'web_admin_host' in config.toml.")


async def _answers(where: Listening) -> bool:
    try:
        _, writer = await asyncio.open_connection(where.host, where.port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _first_of(stopping: asyncio.Event, serving: "asyncio.Task[None]") -> None:
    stopped = asyncio.ensure_future(stopping.wait())
    await asyncio.wait((stopped, serving), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()


def _stop_by_signals(stopping: asyncio.Event) -> None:
    """Have a signal stop this, and a second one at once."""

    def stop() -> None:
        if stopping.is_set():
            os._exit(1)
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    # Below `nohup` it is ignored; the end of a terminal may come twice.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        loop.add_signal_handler(signal.SIGHUP, stopping.set)


def _stop_at_end_of(line: int, stopping: asyncio.Event) -> None:
    """Have the end of what comes by a descriptor stop this: whoever held its other end is gone."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(line, 1024):
                pass
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stopping.set)

    threading.Thread(target=wait, name="zato-lifeline", daemon=True).start()


def _granian(app: Any, where: Listening) -> GranianServer:
    return GranianServer(
        app,
        address=where.host,
        port=where.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.auto if where.certificate else HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        websockets=False,
        backlog=1024,
        backpressure=MAX_CONNECTIONS,
        ssl_cert=where.certificate,
        ssl_key=where.key,
        ssl_protocol_min=SSLProtocols.tls12,
        log_enabled=False,
    )
