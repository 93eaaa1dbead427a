"""Reading log files: the newest lines first, however large the files are, or new lines as they come.

A log is a file and those it was put aside as: `server.log`, `server.log.1` and so on, the oldest last.
"""

import contextlib
import json
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO

from zato.core.errors import EnvironmentFault

__all__ = ["Follower", "Line", "newest_first"]

# Bytes that are read at once.
BLOCK = 262_144
# More files than are kept of any log.
MOST_FILES = 100

Wanted = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log.

    Attributes:
        time: its time stamp, or that of its neighbour if it has none.
        raw: as it stands in the file.
        values: what it says, or None if it is no JSON object.
    """

    time: str
    raw: bytes
    values: dict[str, Any] | None

    @classmethod
    def read(cls, raw: bytes, neighbour: str) -> "Line":
        """Return what a line of a file says."""
        try:
            values = json.loads(raw)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            return cls(neighbour, raw, None)
        time = values.get("timestamp")
        return cls(time if isinstance(time, str) else neighbour, raw, values)


def newest_first(
    logs: Sequence[Path], wanted: Wanted, ends: Mapping[Path, int] | None = None
) -> Generator[Line, None, None]:
    """Yield the lines of logs, merged by time, from the newest to the oldest.

    Args:
        logs: the newest file of each.
        wanted: tells whether any of some lines is worth understanding; the others are passed over.
        ends: where to begin in the newest file of a log, instead of at its end.

    Raises:
        EnvironmentFault: a file cannot be read.
    """
    with contextlib.ExitStack() as opened:
        sources = []
        for log in logs:
            files = [opened.enter_context(file) for file in _files_of(log)]
            sources.append(_parsed(files, wanted, (ends or {}).get(log)))
        # Of lines of one time, those of a later log are the newer ones: a run ends after what it has logged.
        yield from merge(*reversed(sources), key=attrgetter("time"), reverse=True)


class Follower:
    """Reads what is added to a log, also after it was put aside and begun anew."""

    def __init__(self, log: Path) -> None:
        """Begin after the last whole line. The log need not exist yet."""
        self._log = log
        self._file: BinaryIO | None = None
        self._rest = b""
        self._time = ""
        files = _files_of(log)
        for older in files[1:]:
            older.close()
        if files:
            self._file = files[0]
            self._file.seek(_end_of_lines(self._file))
        self.begins = self._file.tell() if self._file else 0

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def lines(self, wanted: Wanted) -> list[Line]:
        """Return the lines that were added since the last time."""
        raw = self._added()
        for newer in self._begun_since():
            # Whoever had the old file open has written to it a last time by now.
            raw += self._added()
            raw += self._end()
            self.close()
            self._file = newer
            raw += self._added()
        return [self._read(line) for line in raw if line and wanted(line)]

    def _read(self, raw: bytes) -> Line:
        line = Line.read(raw, self._time)
        self._time = line.time
        return line

    def _added(self) -> list[bytes]:
        """Return what was added to the file that is open; half a line waits for its other half."""
        if self._file is None:
            return []
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)
            self._rest = b""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        return lines

    def _end(self) -> list[bytes]:
        """Return half a line that nobody will complete."""
        rest, self._rest = self._rest, b""
        return [rest]

    def _begun_since(self) -> list[BinaryIO]:
        """Return the files that were begun after the open one, the oldest first."""
        if self._file is not None and self._is_current(self._file):
            return []
        files = _files_of(self._log)
        known = None if self._file is None else _identity(self._file)
        identities = [_identity(file) for file in files]
        count = identities.index(known) if known in identities else min(len(files), 1)
        for older in files[count:]:
            older.close()
        return files[:count][::-1]

    def _is_current(self, file: BinaryIO) -> bool:
        try:
            found = self._log.stat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == _identity(file)


def _files_of(log: Path) -> list[BinaryIO]:
    """Open a log's files, the newest first. That one is put aside meanwhile does not show."""
    files: list[BinaryIO] = []
    names = [log, *(log.with_name(f"{log.name}.{number}") for number in range(1, MOST_FILES))]
    for name in names:
        try:
            file = name.open("rb")
        except FileNotFoundError:
            # The newest one is missing for a moment when it is put aside.
            if name is log:
                continue
            break
        except OSError as error:
            for opened in files:
                opened.close()
            raise EnvironmentFault(f"{name} cannot be read: {error.strerror}.") from error
        if files and _identity(file) == _identity(files[-1]):
            file.close()
        else:
            files.append(file)
    return files


def _identity(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino


def _parsed(files: Sequence[BinaryIO], wanted: Wanted, end: int | None) -> Iterator[Line]:
    """Yield the lines of files that begin where the next one ends, from the newest to the oldest."""
    time = "~"
    for file in files:
        size = file.seek(0, os.SEEK_END)
        for raw in _backwards(file, size if end is None else min(end, size), wanted):
            if raw and wanted(raw):
                line = Line.read(raw, time)
                time = line.time
                yield line
        end = None


def _backwards(file: BinaryIO, position: int, wanted: Wanted = bool) -> Iterator[bytes]:
    """Yield the lines before a position, the last one first; many that nobody wants are passed over at once."""
    rest = b""
    while position:
        size = min(BLOCK, position)
        position -= size
        file.seek(position)
        block = file.read(size) + rest
        if wanted(block):
            rest, *lines = block.split(b"\n")
            yield from reversed(lines)
        else:
            rest = block.partition(b"\n")[0]
    yield rest


def _end_of_lines(file: BinaryIO) -> int:
    """Return where half a line begins that is still being written, or where the file ends."""
    end = file.seek(0, os.SEEK_END)
    half = next(_backwards(file, end), b"")
    return end - len(half)
