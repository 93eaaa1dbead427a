"""Chance and time for CIDs and invocation ids."""

import os
import threading
import time

from zato.core.cid import CID_ENTROPY, ID_ENTROPY, make_cid, make_invocation_id

__all__ = ["new_cid", "new_invocation_id", "new_token", "now_ms"]

TOKEN_BYTES = 8
POOL_BYTES = 4096


class _Entropy:
    """Random bytes from the system, fetched many at a time.

    A system call gives up the interpreter's lock; under load a thread waits long to get it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool = b""
        self._used = 0
        self._process = 0

    def take(self, size: int) -> bytes:
        """Return bytes that nobody else gets."""
        with self._lock:
            # A forked child must not hand out what its parent does.
            if self._used + size > len(self._pool) or self._process != os.getpid():
                self._pool, self._used, self._process = os.urandom(POOL_BYTES), 0, os.getpid()
            start = self._used
            self._used += size
            return self._pool[start : self._used]


_entropy = _Entropy()


def new_cid() -> str:
    """Return a new correlation ID."""
    return make_cid(_entropy.take(CID_ENTROPY))


def new_invocation_id(milliseconds: int) -> str:
    """Return a new id for an invocation that is accepted at that Unix time."""
    return make_invocation_id(milliseconds, _entropy.take(ID_ENTROPY))


def new_token() -> bytes:
    """Return a new fencing token."""
    return _entropy.take(TOKEN_BYTES)


def now_ms() -> int:
    """Return Unix time in milliseconds."""
    return time.time_ns() // 1_000_000
