"""What calls of the invoker came to, for as long as a page may need what the server does not keep of it.

The server keeps the beginning of each response. The rest of a long one is in a file without a name here, so that it can
be downloaded without the call being made again; and calls that the server keeps nothing of are in memory. Both are few,
and gone when this process is.
"""

import os
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

from zato.web_admin.errors import Refused

__all__ = ["Outcome", "Outcomes", "Whole"]

MOST = 50
# Bytes of long responses on disk.
MOST_BYTES = 500_000_000
# Seconds.
KEPT = 3600.0
# How many calls are waited for at once, so that threads are left for pages.
MOST_WAITING = 24
BLOCK = 65_536


class Whole:
    """All of a long text, in a file that nobody else finds."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self.size = size

    @classmethod
    def of(cls, data: bytes) -> "Whole | None":
        """Return one, or None if there is no room for it."""
        try:
            file = tempfile.TemporaryFile()  # noqa: SIM115 -- it is closed when the outcome is forgotten
            file.write(data)
            file.flush()
        except OSError:
            return None
        return cls(file, len(data))

    def blocks(self) -> Iterator[bytes]:
        """Return it block by block. It can be read even after it is forgotten."""
        return _read(os.dup(self._file.fileno()), self.size)

    def text(self) -> str:
        """Return all of it."""
        return b"".join(self.blocks()).decode("utf-8", "replace")

    def close(self) -> None:
        """Have the disk's room back."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to.

    Attributes:
        user: who made it.
        call: what `zato.session.get-call` would tell of it, if the server keeps nothing of it.
        details: what the caller was told of an error.
        wholes: what is too long for the server to keep, by name: `payload`, `response`.
        at: when, on the monotonic clock.
    """

    user: str
    call: Mapping[str, Any] | None = None
    details: str = ""
    wholes: Mapping[str, Whole] = field(default_factory=dict)
    at: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(whole.size for whole in self.wholes.values())


class Outcomes:
    """The last outcomes, by CID. Usable from several threads."""

    def __init__(self, *, most: int = MOST, most_bytes: int = MOST_BYTES, most_waiting: int = MOST_WAITING) -> None:
        """Take how many may be kept, how many bytes of them, and how many calls may be waited for at once."""
        self._most = most
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(most_waiting)
        self._by_cid: OrderedDict[str, Outcome] = OrderedDict()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count a call that is waited for.

        Raises:
            Refused: there are too many.
        """
        if not self._waiting.acquire(blocking=False):
            raise Refused("The web admin waits for too many calls now. Run this one in the background.", status=503)
        try:
            yield
        finally:
            self._waiting.release()

    def keep(self, cid: str, outcome: Outcome) -> None:
        """Keep an outcome; older ones go if there is no room."""
        with self._lock:
            self._by_cid[cid] = outcome
            self._make_room()

    def get(self, cid: str) -> Outcome | None:
        """Return an outcome, unless there is none, or none any more."""
        with self._lock:
            self._make_room()
            return self._by_cid.get(cid)

    def close(self) -> None:
        """Forget all."""
        with self._lock:
            while self._by_cid:
                self._drop_oldest()

    def _make_room(self) -> None:
        while self._by_cid and self._is_full():
            self._drop_oldest()

    def _is_full(self) -> bool:
        oldest = next(iter(self._by_cid.values()))
        total = sum(each.size for each in self._by_cid.values())
        return len(self._by_cid) > self._most or total > self._most_bytes or time.monotonic() - oldest.at > KEPT

    def _drop_oldest(self) -> None:
        _, outcome = self._by_cid.popitem(last=False)
        for whole in outcome.wholes.values():
            whole.close()


def _read(descriptor: int, size: int) -> Iterator[bytes]:
    try:
        offset = 0
        while offset < size:
            block = os.pread(descriptor, BLOCK, offset)
            offset += len(block)
            yield block
    finally:
        os.close(descriptor)
