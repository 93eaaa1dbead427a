"""The web admin that is started with a server: a process of its own, which the server outlives.

It is the command `zato web-admin start`, and reaches the server as it would from anywhere else. Its end never ends
the server; one that dies is started again, sooner or later according to how many died in a row. What it prints goes
to the server's log. It ends with the supervisor, however that ends: it reads to the end of a pipe.
"""

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Sequence

from zato.core.retry import Retry
from zato.core.settings import Settings
from zato.server.place import ended_with

__all__ = ["COMMAND", "Companion", "command_of"]

COMMAND = (sys.executable, "-P", "-m", "zato.cli.main", "web-admin", "start")
# One that ran for this many seconds before it died begins a new row of deaths.
STEADY = 30.0
RESTARTS = Retry(attempts=sys.maxsize, backoff=0.5, cap=60.0, jitter=0.0)
# Seconds that it has to end by itself.
STOPS_WITHIN = 3.0
# Bytes. What is more of one line becomes the next line.
LONGEST_LINE = 65_536

logger = logging.getLogger("zato.web_admin")


def command_of(path: str, settings: Settings, command: Sequence[str] = COMMAND) -> list[str]:
    """Return what starts the web admin.

    Args:
        path: the environment's folder.
        settings: those in force, which variables and options may have changed.
        command: what the rest is added to.
    """
    where = ["--host", settings.web_admin_host, "--port", str(settings.web_admin_port)]
    tls = ["--tls-cert", settings.tls_cert, "--tls-key", settings.tls_key] if settings.tls_cert else []
    return [*command, "--companion", *where, *tls, "--", path]


class Companion:
    """The process of the web admin, and those that replace it."""

    def __init__(self, command: Sequence[str], stopping: asyncio.Event) -> None:
        """Take what starts it, and what says that the server stops."""
        self._command = command
        self._stopping = stopping
        self._in_a_row = 0

    async def keep(self) -> None:
        """Have the process run, again and again, until the server stops."""
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                end = await self._life()
            except Exception as error:
                logger.exception("The web admin cannot be looked after")
                end = f"could not be started ({error})"
            if not self._stopping.is_set():
                await self._mourn(end, time.monotonic() - began)

    async def _life(self) -> str:
        """Run the process to its end, and say how it ended."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            # Ctrl-C on a terminal is the supervisor's to act on.
            start_new_session=True,
        )
        telling = [
            asyncio.create_task(_tell(process.stdout, logging.INFO)),
            asyncio.create_task(_tell(process.stderr, logging.WARNING)),
        ]
        try:
            await self._until_end(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            # Whoever else holds its end of a pipe holds nobody up.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOPS_WITHIN)
            await asyncio.wait(telling, timeout=STOPS_WITHIN)
            for task in telling:
                task.cancel()
        return ended_with(process.returncode or 0)

    async def _until_end(self, process: asyncio.subprocess.Process) -> None:
        """Return when the process has ended, or has not within its time after the server was to stop."""
        ended = asyncio.ensure_future(process.wait())
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                process.send_signal(signal.SIGTERM)
                await asyncio.wait((ended,), timeout=STOPS_WITHIN)
        finally:
            for waiting in (ended, stopped):
                waiting.cancel()
            await asyncio.gather(ended, stopped, return_exceptions=True)

    async def _mourn(self, end: str, lived: float) -> None:
        """Say that the process died, and wait before there is another."""
        self._in_a_row = 1 if lived >= STEADY else self._in_a_row + 1
        pause = RESTARTS.pause(self._in_a_row - 1, 0.0) if self._in_a_row > 1 else 0.0
        again = f" in {pause:g} s" if pause else ""
        logger.error("The web admin %s after %.1f s. It is started again%s; the server goes on", end, lived, again)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause)


async def _tell(stream: asyncio.StreamReader | None, level: int) -> None:
    """Log what the process prints, line by line."""
    while stream is not None and (line := await _line(stream)):
        if text := line.decode("utf-8", "replace").rstrip():
            logger.log(level, "%s", text)


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as last:
        return last.partial
    except asyncio.LimitOverrunError as longer:
        return await stream.readexactly(max(longer.consumed, 1))
