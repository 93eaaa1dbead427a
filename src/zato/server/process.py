"""One server process: lock, logs, event loop, signals."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable

import uvloop

from zato.core.settings import Settings
from zato.environment import Environment, RunningServer
from zato.server.files import connections_within, kept_from_children, raise_file_limit
from zato.server.loader import Loaded
from zato.server.logs import logging_to
from zato.server.wiring import Server

__all__ = ["run_server"]

logger = logging.getLogger("zato.server")

Ready = Callable[[RunningServer, Loaded], None]


def run_server(environment: Environment, settings: Settings, ready: Ready) -> None:
    """Run a server in this process until SIGTERM or SIGINT. A second signal ends it at once, as does one at the start.

    Args:
        environment: the folder.
        settings: those in force.
        ready: called when requests are answered, with where, and with what was loaded.

    Raises:
        EnvironmentFault: a server of this environment runs already, the port is taken, or a file cannot be used.
    """
    lock = environment.lock()
    try:
        # A forked child of a process with threads may stand still for ever, at a lock that a thread held.
        multiprocessing.set_start_method("spawn", force=True)
        with (
            kept_from_children(lock, settings.port),
            logging_to(environment.logs / "server.log", level=settings.log_level, style=settings.log_format),
        ):
            uvloop.run(_serve(environment, settings, ready))
    finally:
        try:
            environment.retract()
        finally:
            os.close(lock)


async def _serve(environment: Environment, settings: Settings, ready: Ready) -> None:
    server = Server(environment, settings, environment.credentials(), max_connections=_connections(settings))
    # A file of services that never ends its import keeps the loop from seeing any signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        loaded = await server.start()
        # What was loaded stays: a full garbage collection need not look at it, and pauses 10 ms less.
        gc.collect()
        gc.freeze()
        stop = _stop_asked()
        here = RunningServer.here(settings.host, settings.port, stops_within=settings.drain + settings.grace)
        environment.announce(here)
    except BaseException:
        await server.close()
        raise
    server.say_ready()
    logger.info("Server %s answers at %s", settings.name, here.address)
    ready(here, loaded)
    await stop.wait()
    logger.info("Server %s stops", settings.name)
    await server.stop()


def _connections(settings: Settings) -> int:
    """Return how many connections there may be at once, and say so if they are few."""
    files = raise_file_limit()
    connections = connections_within(files)
    if connections < settings.max_requests:
        logger.warning(
            "At most %d connections at once, fewer than max_requests: this process may open %d files only. "
            "Raise that limit ('ulimit -n')",
            connections,
            files,
        )
    return connections


def _stop_asked() -> asyncio.Event:
    """Return what is set by the first SIGTERM or SIGINT; a second one ends the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, stop)
    return stop


def _on_signal(stop: asyncio.Event) -> None:
    if stop.is_set():
        os._exit(1)
    stop.set()
