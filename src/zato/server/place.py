"""The place of one worker process of a server, and the processes that take it one after the other.

One that dies is replaced, sooner or later according to how many died in a row. One that a file of services ended
while it was imported is replaced by one that leaves out that file: so it costs the server a file, and not its start.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from zato.core.errors import EnvironmentFault
from zato.core.retry import Retry
from zato.running import RunningWorker
from zato.server.orders import FROM_TERMINALS, Orders, Report, said_in
from zato.server.pulse import listen

__all__ = ["REPLACEMENTS", "Place", "ended_with"]

# A worker that served for this many seconds before it died begins a new row of deaths.
STEADY = 30.0
REPLACEMENTS = Retry(attempts=sys.maxsize, backoff=0.1, cap=5.0, jitter=0.0)
# Seconds that a worker which replaces another has to load its services, unless `max_stall` is more.
LOADS_WITHIN = 60.0
# Seconds beyond 'import_timeout' for a process to interrupt an import by itself.
INTERRUPTS_WITHIN = 5.0
# Seconds for what a process said just before it ended to be read.
LAST_LINE = 1.0
# Bytes. A report names every file that could not be loaded.
LONGEST_REPORT = 16_000_000
# How a process ends by what it runs itself. Other signals come from elsewhere, and blame no file.
CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS})

logger = logging.getLogger("zato.server")


class Place:
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
        self._status = 0
        self._importing = ""
        self._hung = False
        self._ended_by: dict[str, str] = {}
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
            if self._leaves_out(end):
                continue
            at_what = f", while it loaded {self._importing}" if self._importing else ""
            self._reported(Report(fault=f"A worker process {end} at its start{at_what}. The log may say why."))
            if self._first_report.cancelled() or self._first_report.result().fault:
                return
            if not self._stopping.is_set():
                await self._mourn(end, time.monotonic() - began)

    async def _life(self) -> str:
        """Run the process to its end, and say how it ended. No failure of our own leaves its place empty for good."""
        self._status, self._importing, self._hung = 0, "", False
        try:
            self._status = await self._run()
            return ended_with(self._status)
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
                orders = replace(self._orders, replaces=self._is_replacement, ended_by=self._ended_by)
                writer.write(orders.to_line())
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
                await self._hear_of_its_start(reader)
            except TimeoutError:
                self._hangs()
                return
            await listen(reader, self._orders.settings.max_stall, self._stalled)

    async def _hear_of_its_start(self, reader: asyncio.StreamReader) -> None:
        """Hear which files it imports, until it reports or ends.

        Raises:
            TimeoutError: it says nothing.
        """
        while line := await self._line(reader):
            said = said_in(line)
            if isinstance(said, Report):
                self._importing = ""
                self._reported(said)
                return
            self._importing = said.file

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next line. Two silences of half the time are one, as in `zato.server.pulse`."""
        half = None if self._loads_within is None else self._loads_within / 2
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(half):
                return await reader.readline()
        async with asyncio.timeout(half):
            return await reader.readline()

    @property
    def _is_replacement(self) -> bool:
        return self._deaths > 0

    @property
    def _loads_within(self) -> float | None:
        """Seconds in which the process has to say something. At the server's start somebody looks on, who can end it.

        Only a file that is imported has a limit even then.
        """
        settings = self._orders.settings
        if self._importing and settings.import_timeout:
            return settings.import_timeout + INTERRUPTS_WITHIN
        return max(LOADS_WITHIN, settings.max_stall) if self._is_replacement and settings.max_stall else None

    def _hangs(self) -> None:
        self._hung = True
        logger.error(
            "Worker %d has not loaded its services within %g s: the process is killed. The import of %s does not end",
            self._orders.worker,
            self._loads_within,
            self._importing or f"some file in {self._orders.environment.services}",
        )
        self.send(signal.SIGKILL)

    def _leaves_out(self, end: str) -> bool:
        """Tell whether a file ended the process that imported it, and have the next process leave it out."""
        file = self._importing
        is_to_blame = self._hung or self._status >= 0 or -self._status in CRASHES
        if not file or not is_to_blame or file in self._ended_by or self._stopping.is_set():
            return False
        self._ended_by[file] = f"The process that loaded it {end}{', because that did not end' * self._hung}."
        logger.error(
            "Worker %d %s while it loaded %s. It is begun again without that file", self._orders.worker, end, file
        )
        return True

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


def ended_with(status: int) -> str:
    """Say how a process ended."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
