"""What waits to be written to one place, within limits of number and size; what does not fit is counted.

Whoever puts something in never waits. A thread takes it out, and writes as much at once as there is.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from zato.server.logs.lines import Line

__all__ = ["Backlog", "Block", "Writer"]

# Lines that are written at once.
BATCH = 100


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of the access log that are formatted already."""

    text: str
    lines: int


class Backlog:
    """Lines that wait. Those of the access log give way to all others."""

    def __init__(self, lines: int, characters: int, missing: Callable[[int, int], Line]) -> None:
        """Take how much may wait, and what makes a line of how many lines, and access lines, did not fit."""
        self._lines = lines
        self._characters = characters
        self._notice = missing
        # Whatever runs under it may start a garbage collection, and a finaliser may log.
        self._lock = threading.RLock()
        # A None says that a block waits, or did.
        self._waiting: queue.SimpleQueue[tuple[Line, int] | None] = queue.SimpleQueue()
        self._blocks: deque[Block] = deque()
        self._count = 0
        self._size = 0
        self._missing = 0
        self._missing_blocks = 0
        self._closed = False

    def put(self, line: Line) -> None:
        """Add a line, or count it as missing. Not one by one: after a gap, half must be free again."""
        size = line.size
        with self._lock:
            while self._blocks and not self._has_room(size):
                self._forget_block()
            self._say_missing()
            if self._missing or not self._has_room(size):
                self._missing += 1
            else:
                self._add(line, size)

    def put_block(self, block: Block) -> None:
        """Add lines of the access log while less than half is taken, or count them as missing."""
        with self._lock:
            self._say_missing()
            if self._missing or not self._is_half_free():
                self._missing_blocks += block.lines
                return
            self._blocks.append(block)
            self._count += block.lines
            self._size += len(block.text)
            self._waiting.put(None)

    def take(self) -> list[Line | Block]:
        """Wait for lines, and return some; none if all were taken, and no more will come."""
        while not (self._closed and self._waiting.empty()):
            taken = [self._waiting.get()]
            while len(taken) < BATCH and not self._waiting.empty():
                taken.append(self._waiting.get())
            with self._lock:
                if found := [each for each in map(self._take, taken) if each is not None]:
                    return found
        return []

    def close(self) -> None:
        """Say that no more will come."""
        with self._lock:
            if self._missing or self._missing_blocks:
                self._add_notice()
            self._closed = True
            self._waiting.put(None)

    def _take(self, waiting: tuple[Line, int] | None) -> Line | Block | None:
        if waiting is not None:
            line, size = waiting
            self._count -= 1
            self._size -= size
            return line
        if not self._blocks:
            return None
        block = self._blocks.popleft()
        self._count -= block.lines
        self._size -= len(block.text)
        return block

    def _add(self, line: Line, size: int) -> None:
        self._count += 1
        self._size += size
        self._waiting.put((line, size))

    def _has_room(self, size: int) -> bool:
        return self._count < self._lines and (self._size + size <= self._characters or not self._count)

    def _is_half_free(self) -> bool:
        return self._count <= self._lines // 2 and self._size <= self._characters // 2

    def _forget_block(self) -> None:
        block = self._blocks.popleft()
        self._count -= block.lines
        self._size -= len(block.text)
        self._missing_blocks += block.lines

    def _say_missing(self) -> None:
        if (self._missing or self._missing_blocks) and self._is_half_free():
            self._add_notice()

    def _add_notice(self) -> None:
        self._add(self._notice(self._missing, self._missing_blocks), 0)
        self._missing = self._missing_blocks = 0


class Writer:
    """A thread that writes what waits in a backlog."""

    def __init__(self, backlog: Backlog, write: Callable[[list[Line | Block]], object]) -> None:
        """Begin."""
        self._backlog = backlog
        self._write = write
        self._thread = threading.Thread(target=self._run, name="zato-log", daemon=True)
        self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """Return when everything is written, or after so many seconds; what hangs is left behind."""
        self._backlog.close()
        self._thread.join(patience)

    def _run(self) -> None:
        while lines := self._backlog.take():
            self._write(lines)
