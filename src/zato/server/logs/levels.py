"""Levels of loggers that were changed while the server runs, in a file that all of its processes look at.

The file is in the folder `run`, and a server that starts removes it: what `config.toml` says rules again.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from zato.core.errors import EnvironmentFault, TooManyRequests
from zato.writing import replacing

__all__ = ["LEVELS", "ROOT", "Levels"]

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
ROOT = "root"
LOOK_EVERY = 0.5
# Loggers whose level may be changed at once.
MOST = 100

logger = logging.getLogger("zato.server")


class Levels:
    """The changed levels, as this process knows them.

    Attributes:
        default: the level of all loggers that have none of their own, if it is not changed.
    """

    def __init__(self, file: Path | None, *, default: str) -> None:
        """Take the file, or None if nothing can be changed."""
        self.default = default
        self._file = file
        self._seen: tuple[int, int, int] | None = None
        self._before: dict[str, int] = {}

    def current(self) -> dict[str, str]:
        """Return the level of each logger whose level was changed."""
        try:
            read = json.loads("{}" if self._file is None else self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return {name: level for name, level in read.items() if level in LEVELS} if isinstance(read, dict) else {}

    def change(self, name: str, level: str | None) -> None:
        """Change the level of a logger, here at once and in the other processes soon; None is as it was before.

        Raises:
            EnvironmentFault: the file cannot be written.
            TooManyRequests: too many loggers have a level of their own.
        """
        if self._file is None:
            return
        try:
            with _locked(self._file.with_suffix(".lock")):
                self._write(self._file, name, level)
        except OSError as error:
            raise EnvironmentFault(f"{error.filename or self._file} cannot be written: {error.strerror}.") from error
        self.look()
        logger.warning("The level of logger %r is now %s", name, level or "what it was at the start")

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at the file from now on, twice a second."""
        self.look()
        loop.call_later(LOOK_EVERY, self.watch, loop)

    def look(self) -> None:
        """Put in force what the file says, if it has changed."""
        seen = self._stamp()
        if seen != self._seen:
            self._seen = seen
            self._apply(self.current())

    def undo(self) -> None:
        """Give all loggers the levels that they had before."""
        self._apply({})

    def _write(self, file: Path, name: str, level: str | None) -> None:
        levels = self.current()
        levels.pop(name, None)
        if level is not None:
            levels[name] = level
        if len(levels) > MOST:
            raise TooManyRequests(f"{MOST} loggers have changed levels. Set some of them to 'default' first.")
        draft = file.with_suffix(".new")
        with replacing(file, draft):
            draft.write_text(json.dumps(levels), "utf-8")

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            state = None if self._file is None else self._file.stat()
        except OSError:
            return None
        return None if state is None else (state.st_ino, state.st_mtime_ns, state.st_size)

    def _apply(self, levels: Mapping[str, str]) -> None:
        for name in [name for name in self._before if name not in levels]:
            logging.getLogger(name).setLevel(self._before.pop(name))
        for name, level in levels.items():
            changed = logging.getLogger(name)
            self._before.setdefault(name, changed.level)
            changed.setLevel(level)


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let one process at a time read and write."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
