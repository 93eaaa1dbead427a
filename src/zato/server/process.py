"""One server process: lock, logs, event loop, signals."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable

import uvloop

from zato.core.settings import Settings
from zato.environment import Environment, RunningServer
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
        with logging_to(environment.logs / "server.log", level=settings.log_level, style=settings.log_format):
            uvloop.run(_serve(environment, settings, ready))
    finally:
        environment.retract()
        os.close(lock)


async def _serve(environment: Environment, settings: Settings, ready: Ready) -> None:
    server = Server(environment, settings, environment.credentials())
    # A file of services that never ends its import keeps the loop from seeing any signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        loaded = await server.start()
    except BaseException:
        await server.close()
        raise
    # What was loaded stays: a full garbage collection need not look at it, and pauses 10 ms less.
    gc.collect()
    gc.freeze()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, stop)
    here = RunningServer(os.getpid(), settings.host, settings.port, settings.drain + settings.grace)
    environment.announce(here)
    server.say_ready()
    logger.info("Server %s answers at %s", settings.name, here.address)
    ready(here, loaded)
    await stop.wait()
    logger.info("Server %s stops", settings.name)
    await server.stop()


def _on_signal(stop: asyncio.Event) -> None:
    if stop.is_set():
        os._exit(1)
    stop.set()
