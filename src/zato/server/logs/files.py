"""Log files: several processes write to each, in whole lines; one of them puts it aside when it is large."""

import contextlib
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from zato.core.errors import EnvironmentFault

__all__ = ["LogFile", "put_aside"]

MAX_FILE = 20_000_000
KEPT_FILES = 5


class LogFile:
    """A file that lines are added to. That it cannot be written, on a full disk for instance, is said once."""

    def __init__(self, file: Path, unwritable: Callable[[str], object]) -> None:
        """Open the file.

        Args:
            file: its folder is made if it is not there.
            unwritable: called, at most once, with a message for people.

        Raises:
            EnvironmentFault: it cannot be opened.
        """
        self._file = file
        self._unwritable: Callable[[str], object] | None = unwritable
        self._torn = False
        try:
            file.parent.mkdir(mode=0o700, exist_ok=True)
            self._handle = self._open()
        except OSError as error:
            raise EnvironmentFault(f"{file} cannot be written: {error.strerror}.") from error

    def write(self, lines: bytes) -> None:
        """Add lines with one write, so that those of several processes never mix.

        If the file was put aside they go to a new one.
        """
        try:
            if self._was_put_aside():
                fresh = self._open()
                os.close(self._handle)
                self._handle = fresh
            self._write(b"\n" + lines if self._torn else lines)
        except OSError as error:
            self._report(error)

    def close(self) -> None:
        """Close it. What could not be written has been reported."""
        with contextlib.suppress(OSError):
            os.close(self._handle)

    def _open(self) -> int:
        return os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)

    def _was_put_aside(self) -> bool:
        try:
            there = self._file.stat()
        except FileNotFoundError:
            return True
        here = os.fstat(self._handle)
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _write(self, lines: bytes) -> None:
        """Write everything. If only a part can be written, the next line must not go on where it ended."""
        rest = memoryview(lines)
        while rest:
            written = os.write(self._handle, rest)
            rest = rest[written:]
            self._torn = bool(rest)

    def _report(self, error: OSError) -> None:
        if self._unwritable is not None:
            unwritable, self._unwritable = self._unwritable, None
            unwritable(f"{self._file} cannot be written: {error.strerror}. Lines are missing in it.")


def put_aside(file: Path) -> None:
    """Give a log file of 20 MB or more another name, so that a new one is begun; five are kept.

    For one process alone. What goes wrong is tried again the next time.
    """
    with contextlib.suppress(OSError):
        if file.stat().st_size < MAX_FILE:
            return
        names = [file, *(file.with_name(f"{file.name}.{number}") for number in range(1, KEPT_FILES + 1))]
        for newer, older in reversed(list(pairwise(names))):
            if newer.exists():
                newer.replace(older)
