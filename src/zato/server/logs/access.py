"""The access log: a line for each request and each run in the background, written some at a time.

Where requests are answered, an entry is put into a line, and nothing more; a thread looks there a moment
after the first one came, encodes all of them and writes them at once.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from zato.core.access import AccessLine, AccessLines, Answered, Ran, encode_lines
from zato.core.masks import Masks
from zato.server.logs.files import LogFile

__all__ = ["AccessLog"]

# Seconds from the first entry to writing it and those that came meanwhile.
PAUSE = 0.1
# Entries that may wait while the disk hangs: some 20 MB.
ROOM = 50_000
# Lines that are encoded at once. It keeps other threads waiting.
BATCH = 250

logger = logging.getLogger("zato.server")


class AccessLog:
    """Keeps entries until they are written. `put` is for one thread alone, that of the event loop."""

    def __init__(
        self, file: LogFile, masks: Masks, also: Callable[[Sequence[AccessLine], bytes], object] | None = None
    ) -> None:
        """Take the file, what masks secrets, and what else gets the lines, as they are and as JSON; begin."""
        self._file = file
        self._also = also
        self._lines = AccessLines(masks.text)
        self._waiting: deque[Answered | Ran] = deque()
        self._missing = 0
        self._is_idle = True
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="zato-log", daemon=True)
        self._thread.start()

    def put(self, entry: Answered | Ran) -> None:
        """Have an entry written soon. If too many wait it is dropped, and counted."""
        if len(self._waiting) >= ROOM:
            self._missing += 1
            return
        self._waiting.append(entry)
        if self._is_idle:
            self._is_idle = False
            self._wake.set()

    def stop(self) -> None:
        """Return when everything is written."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._stopping.wait(PAUSE)
            # In this order: what comes after the look sets the event again, and a stop before it is seen below.
            self._wake.clear()
            self._is_idle = True
            stops = self._stopping.is_set()
            self._write_waiting()
            if stops:
                return

    def _write_waiting(self) -> None:
        waiting, epoch = self._waiting, time.time() - time.perf_counter()
        while waiting:
            lines = [self._lines.line_of(waiting.popleft(), epoch) for _ in range(min(len(waiting), BATCH))]
            data = encode_lines(lines)
            if self._also is not None:
                self._also(lines, data)
            self._file.write(data)
        if self._missing:
            missing, self._missing = self._missing, 0
            logger.warning("The disk was too slow for %d access lines: they are missing", missing)
