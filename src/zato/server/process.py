"""One worker process of a server: event loop, signals, and what `zato.server.wiring` builds.

Started by `zato.server.supervisor` as `python -m zato.server.process PATH NAME DESCRIPTOR`; the first two
are for people who look at a list of processes, the third is the connection that its orders come by.
"""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading

import uvloop

from zato.broker.open import open_backend
from zato.core.errors import ZatoError
from zato.core.masks import Masks
from zato.core.settings import Settings
from zato.server.files import connections_within, kept_from_children, raise_file_limit
from zato.server.lifeline import end_with_parent
from zato.server.logs.root import Logs
from zato.server.orders import FROM_TERMINALS, Importing, Orders, Report, receive_orders, say
from zato.server.pulse import beat
from zato.server.wiring import OpenBackend, Server

__all__ = ["run_process"]

# Seconds that what services left running has to end by itself, after everything of ours has.
LEFTOVERS_END_WITHIN = 2.0

logger = logging.getLogger("zato.server")


def run_process(line: socket.socket, *, opened_by: OpenBackend = open_backend) -> None:
    """Run a worker process until SIGTERM, and end it.

    Args:
        line: the connection to the supervisor.
        opened_by: opens the broker.
    """
    orders = receive_orders(line)
    end_with_parent(orders.parent, line)
    for handle in (line.fileno(), orders.lock):
        os.set_inheritable(handle, False)
    _leave_terminals_to_the_supervisor()
    # A forked child of a process with threads may stand still for ever, at a lock that a thread held.
    multiprocessing.set_start_method("spawn", force=True)
    try:
        with kept_from_children(orders.lock, orders.settings.port), orders.logging() as logs:
            uvloop.run(_serve(orders, logs, line, opened_by))
    except ZatoError as error:
        say(line, Report(fault=str(error)))
        sys.exit(error.exit_code)


async def _serve(orders: Orders, logs: Logs, line: socket.socket, opened_by: OpenBackend) -> None:
    server = Server(orders, logs, opened_by=opened_by, max_connections=_connections(orders.settings))
    try:
        loaded = await server.start(lambda file: say(line, Importing(file)))
        # What was loaded stays: a full garbage collection need not look at it, and pauses 10 ms less.
        gc.collect()
        gc.freeze()
    except BaseException:
        await server.close()
        raise
    stop = asyncio.Event()
    # More than one may come: some who stop a service send a signal to each of its processes.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    # It is printed, and a file may raise what holds a password, or have it in a line that is no Python.
    masks = Masks(orders.secrets())
    say(line, Report(services=len(loaded.services), errors=tuple(masks.text(str(error)) for error in loaded.errors)))
    beat(line, orders.settings.max_stall, asyncio.get_running_loop())
    logs.levels.watch(asyncio.get_running_loop())
    server.go()
    await stop.wait()
    await server.stop()
    _end_soon()


def _leave_terminals_to_the_supervisor() -> None:
    for number in FROM_TERMINALS:
        # Programs that a service starts are to ignore what is ignored here, below `nohup` for instance, and no more.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FROM_TERMINALS)


def _end_soon() -> None:
    """Let the process end, and end it if a thread that a service began does not let it."""
    last = threading.Timer(LEFTOVERS_END_WITHIN, os._exit, (0,))
    last.daemon = True
    last.start()


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


if __name__ == "__main__":
    run_process(socket.socket(fileno=int(sys.argv[-1])))
