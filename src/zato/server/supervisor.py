"""The process of `zato start`: keeps the lock, the port and the worker processes of a server.

Worker processes do the work (`zato.server.process`). One that dies is replaced, sooner or later
according to how many died in a row; the server goes on for as long as this process lives, and the
workers end with it, however it ends (`zato.server.lifeline`).
"""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from zato.core.errors import EnvironmentFault
from zato.core.retry import Retry
from zato.core.settings import Settings
from zato.core.urls import shown
from zato.environment import Environment
from zato.running import Layer, RunningServer, RunningWorker
from zato.server.http.tls import private_copy, tls_files
from zato.server.logs.files import put_aside
from zato.server.logs.levels import Levels
from zato.server.orders import FROM_TERMINALS, Orders, Report
from zato.server.ports import claim, reserve
from zato.server.pulse import listen

__all__ = ["COMMAND", "Ready", "run_server"]

# -P: a file in the current folder must not pass for a module of ours.
COMMAND = (sys.executable, "-P", "-m", "zato.server.process")

# A worker that served for this many seconds before it died begins a new row of deaths.
STEADY = 30.0
REPLACEMENTS = Retry(attempts=sys.maxsize, backoff=0.1, cap=5.0, jitter=0.0)
# Seconds that a worker which replaces another has to load its services, unless `max_stall` is more.
LOADS_WITHIN = 60.0
# Seconds beyond 'drain' and 'grace' that a worker has to record and give back what it holds. More than what it
# gives itself for that, step by step: in wiring, worker, listener and process.
CLEANS_UP_WITHIN = 12.0
# Seconds for what a process said just before it ended to be read.
LAST_LINE = 1.0
LOG_EVERY = 5.0
# Bytes. A report names every file that could not be loaded.
LONGEST_REPORT = 16_000_000

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
        self._workers = [
            _Worker(replace(orders, worker=number), command, self._stopping, self._changed)
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


class _Worker:
    """One worker process, and those that replace it."""

    def __init__(
        self, orders: Orders, command: Sequence[str], stopping: asyncio.Event, changed: Callable[[], None]
    ) -> None:
        self._first_report: asyncio.Future[Report] = asyncio.get_running_loop().create_future()
        self._orders = orders
        self._command = command
        self._stopping = stopping
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._deaths = 0
        self._in_a_row = 0

    @property
    def state(self) -> RunningWorker:
        """The process as others are told of it."""
        pid = None if self._process is None else self._process.pid
        return RunningWorker(self._orders.worker, pid, self._deaths)

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal, if there is one."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def started(self) -> Report:
        """Return what the first process has loaded, once it answers requests.

        Raises:
            EnvironmentFault: it cannot.
        """
        report = await self._first_report
        if report.fault:
            raise EnvironmentFault(report.fault)
        return report

    async def keep(self) -> None:
        """Have the process run, again and again, until the server stops. Without a first one there is no server."""
        while not self._stopping.is_set():
            began = time.monotonic()
            end = await self._life()
            self._process = None
            self._reported(Report(fault=f"A worker process {end} at its start. The log may say why."))
            if self._first_report.cancelled() or self._first_report.result().fault:
                return
            if not self._stopping.is_set():
                await self._mourn(end, time.monotonic() - began)

    async def _life(self) -> str:
        """Run the process to its end, and say how it ended. No failure of our own leaves its place empty for good."""
        try:
            return _ended_with(await self._run())
        except OSError as error:
            end = f"could not be begun ({error.strerror})"
        except Exception as error:
            logger.exception("Worker %d cannot be looked after", self._orders.worker)
            end = f"could not be looked after ({type(error).__name__})"
        if self._process is not None:
            self.send(signal.SIGKILL)
            await self._process.wait()
        return end

    async def _run(self) -> int:
        """Run the process, and return its status."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._process = process = await self._begin(theirs)
            if self._stopping.is_set():
                self.send(signal.SIGTERM)
            reader, writer = await asyncio.open_connection(sock=ours, limit=LONGEST_REPORT)
            try:
                writer.write(replace(self._orders, replaces=self._is_replacement).to_line())
                async with asyncio.TaskGroup() as group:
                    hearing = group.create_task(self._hear(reader))
                    # That the line is closed would not do: a child that a service forked may hold it open.
                    status = await process.wait()
                    await asyncio.wait((hearing,), timeout=LAST_LINE)
                    hearing.cancel()
            finally:
                writer.transport.abort()
        return status

    async def _begin(self, line: socket.socket) -> asyncio.subprocess.Process:
        """Begin the process, with what comes from a terminal blocked until it is ready to ignore that."""
        signal.pthread_sigmask(signal.SIG_BLOCK, FROM_TERMINALS)
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                self._orders.path,
                f"worker-{self._orders.worker}",
                str(line.fileno()),
                pass_fds=(line.fileno(), self._orders.lock),
            )
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, FROM_TERMINALS)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        """Hear what the process says, to its end."""
        with contextlib.suppress(ConnectionError):
            try:
                async with asyncio.timeout(self._loads_within):
                    line = await reader.readline()
            except TimeoutError:
                self._hangs()
                return
            if line:
                self._reported(Report.from_line(line))
            await listen(reader, self._orders.settings.max_stall, self._stalled)

    @property
    def _is_replacement(self) -> bool:
        return self._deaths > 0

    @property
    def _loads_within(self) -> float | None:
        """Seconds that the process has to answer requests. At the server's start somebody looks on, who can end it."""
        max_stall = self._orders.settings.max_stall
        return max(LOADS_WITHIN, max_stall) if self._is_replacement and max_stall else None

    def _hangs(self) -> None:
        logger.error(
            "Worker %d has not loaded its services within %g s: the process is killed. The import of some file in %s "
            "does not end",
            self._orders.worker,
            self._loads_within,
            self._orders.environment.services,
        )
        self.send(signal.SIGKILL)

    def _stalled(self) -> None:
        logger.error(
            "The event loop of worker %d has stood still for %g s (setting max_stall): the process is killed. "
            "Some AsyncService blocks; what it waits for belongs on a thread, in a Service",
            self._orders.worker,
            self._orders.settings.max_stall,
        )
        self.send(signal.SIGKILL)

    def _reported(self, report: Report) -> None:
        if not self._first_report.done():
            self._first_report.set_result(report)
        elif report.fault and self._process is not None:
            logger.error("Worker %d cannot work: %s", self._orders.worker, report.fault)
        self._changed()

    async def _mourn(self, end: str, lived: float) -> None:
        """Say that the process died, and wait before there is another."""
        self._deaths += 1
        self._in_a_row = 1 if lived >= STEADY else self._in_a_row + 1
        pause = REPLACEMENTS.pause(self._in_a_row - 1, 0.0) if self._in_a_row > 1 else 0.0
        logger.error(
            "Worker %d %s after %.1f s. It is replaced%s",
            self._orders.worker,
            end,
            lived,
            f" in {pause:g} s, as {self._in_a_row} died in a row" if pause else "",
        )
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)


def _ended_with(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
