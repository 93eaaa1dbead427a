"""The process of `zato start`: keeps the lock, the port and the worker processes of a server.

Worker processes do the work (`zato.server.process`). One that dies is replaced (`zato.server.place`); the
server goes on for as long as this process lives, and the workers end with it, however it ends
(`zato.server.lifeline`).
"""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from zato.core.errors import EnvironmentFault
from zato.core.settings import Settings
from zato.core.urls import shown
from zato.environment import Environment
from zato.ports import claim, reserve
from zato.running import Layer, RunningServer
from zato.server.companion import Companion, command_of
from zato.server.logs.files import put_aside
from zato.server.logs.levels import Levels
from zato.server.orders import Orders, Report
from zato.server.place import Place
from zato.tls import private_copy, tls_files

__all__ = ["COMMAND", "Ready", "run_server"]

# -P: a file in the current folder must not pass for a module of ours.
COMMAND = (sys.executable, "-P", "-m", "zato.server.process")

# Seconds beyond 'drain' and 'grace' that a worker has to record and give back what it holds. More than what it
# gives itself for that, step by step: in wiring, worker, listener and process.
CLEANS_UP_WITHIN = 12.0
LOG_EVERY = 5.0

logger = logging.getLogger("zato.server")

Ready = Callable[[RunningServer, Report], None]


def run_server(
    environment: Environment,
    settings: Settings,
    ready: Ready,
    *,
    to_stream: bool = True,
    command: Sequence[str] = COMMAND,
    layers: Sequence[Layer] = (),
    managed: bool = False,
) -> None:
    """Run a server until SIGTERM, SIGINT or SIGHUP; the last may be ignored. A second one ends it at once.

    Args:
        environment: the folder.
        settings: those in force.
        ready: called when requests are answered, with where, and with what was loaded.
        to_stream: log to standard error too, not only to the file.
        command: starts a worker process; what it needs to know is added.
        layers: which settings do not come from `config.toml`, for whoever starts the server again.
        managed: whether a service manager does that.

    Raises:
        EnvironmentFault: a server of this environment runs already, the port is taken, a file cannot be
            used, or a worker process cannot start.
    """
    tls_files(settings, environment.path)
    lock = environment.lock()
    try:
        apart, credentials = environment.broker_access(settings)
        orders = Orders(
            path=str(environment.path),
            settings=private_copy(apart, environment),
            credentials=credentials,
            worker=0,
            run=secrets.token_hex(4),
            parent=os.getpid(),
            lock=lock,
            to_stream=to_stream,
        )
        with reserve(settings.host, settings.port), orders.logging() as logs:
            claim(lock, settings.port)
            given = tuple((source, shown(layer)) for source, layer in layers)
            origin = {"settings": shown(asdict(settings)), "layers": given, "managed": managed}
            asyncio.run(_watching(logs.levels, _supervise(environment, orders, command, origin, ready)))
    finally:
        try:
            environment.retract()
        finally:
            os.close(lock)


async def _supervise(
    environment: Environment, orders: Orders, command: Sequence[str], origin: Mapping[str, Any], ready: Ready
) -> None:
    await _Supervisor(environment, orders, command, origin).run(ready)


async def _watching(levels: Levels, supervision: Awaitable[None]) -> None:
    """Supervise, and log at the levels that are set meanwhile."""
    levels.watch(asyncio.get_running_loop())
    await supervision


class _Supervisor:
    """The workers of one server, from its start to its stop."""

    def __init__(
        self, environment: Environment, orders: Orders, command: Sequence[str], origin: Mapping[str, Any]
    ) -> None:
        settings = orders.settings
        self._environment = environment
        self._settings = settings
        tls = tls_files(settings, environment.path)
        here = RunningServer.here(
            settings.name,
            settings.host,
            settings.port,
            stops_within=settings.drain + settings.grace,
            tls_fingerprint=None if tls is None else tls.fingerprint,
        )
        self._here = replace(here, **origin)
        self._stopping = asyncio.Event()
        self._started = False
        self._companion = Companion(command_of(orders.path, settings), self._stopping)
        self._workers = [
            Place(replace(orders, worker=number), command, self._stopping, self._changed)
            for number in range(1, settings.workers + 1)
        ]

    async def run(self, ready: Ready) -> None:
        """Start the workers, keep them, and stop them when a signal asks for it.

        Raises:
            EnvironmentFault: one of them cannot start.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal)
        # The end of a terminal may come twice, which is nobody's second wish. Below `nohup` it is ignored.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGHUP, self._stopping.set)
        keeping = [asyncio.create_task(worker.keep()) for worker in self._workers]
        try:
            report = await self._first_report()
            if report is not None:
                self._say_ready(report, ready)
                if self._settings.web_admin:
                    keeping.append(asyncio.create_task(self._companion.keep()))
                await self._until_stopped()
            logger.info("Server %s stops", self._settings.name)
        finally:
            await self._stop(keeping)

    async def _first_report(self) -> Report | None:
        """Return what was loaded, once all workers answer requests, or None if the server is to stop before."""
        started = asyncio.gather(*(worker.started() for worker in self._workers))
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((started, stopped), return_when=asyncio.FIRST_COMPLETED)
            return None if stopped.done() else (await started)[0]
        finally:
            for waiting in (started, stopped):
                waiting.cancel()
            await asyncio.gather(started, stopped, return_exceptions=True)

    def _say_ready(self, report: Report, ready: Ready) -> None:
        self._environment.announce(self._state())
        self._started = True
        logger.info("Server %s answers at %s", self._settings.name, self._here.address)
        ready(self._state(), report)

    async def _until_stopped(self) -> None:
        logs = self._environment.logs
        while not self._stopping.is_set():
            put_aside(logs / "server.log")
            put_aside(logs / "access.log")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), LOG_EVERY)

    async def _stop(self, keeping: Sequence["asyncio.Task[None]"]) -> None:
        self._stopping.set()
        for worker in self._workers:
            worker.send(signal.SIGTERM)
        # Before the server has started there is no work that could have to end.
        work_ends_within = self._here.stops_within if self._started else 0.0
        _, late = await asyncio.wait(keeping, timeout=work_ends_within + CLEANS_UP_WITHIN)
        if late:
            logger.error("Worker processes that did not stop in time, and are killed: %d", len(late))
            self._kill()
            await asyncio.wait(late)

    def _on_signal(self) -> None:
        if self._stopping.is_set():
            self._kill()
            os._exit(1)
        self._stopping.set()

    def _kill(self) -> None:
        for worker in self._workers:
            worker.send(signal.SIGKILL)

    def _changed(self) -> None:
        """Say which processes there are now."""
        if not self._started:
            return
        try:
            self._environment.announce(self._state())
        except EnvironmentFault as error:
            logger.error("%s", error)  # noqa: TRY400 -- the message says it all

    def _state(self) -> RunningServer:
        return replace(self._here, workers=tuple(worker.state for worker in self._workers))
