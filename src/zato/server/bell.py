"""From one process of a server to the others: there is work, and these calls have ended.

One datagram to each other process after a commit that matters to it, over Unix sockets in the
environment's folder `run`. A datagram either arrives or is refused to its sender, who then keeps what
it would have said, and says it a little later: nothing is lost silently while both live.
"""

import asyncio
import contextlib
import errno
import os
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from zato.core.cid import ID_LENGTH
from zato.core.errors import EnvironmentFault

__all__ = ["Bell", "Heard"]

# What a datagram begins with; ids of invocations that have ended follow.
READY = b"r"
NOT_READY = b"-"
# Stands in for more ids than anybody remembers: whoever waits for an outcome looks for himself.
EVERYTHING = b"*"

MAX_BYTES = 100_000
RETRY = 0.02
CHECK_EVERY = 1.0
AT_ONCE = 200
# The receiver's queue is full, or the system's memory is.
LATER = {errno.EAGAIN, errno.ENOBUFS, errno.EINTR}

Heard = Callable[[bool, Sequence[str] | None], None]


class Bell:
    """Tells the other processes of this server, and hears them."""

    def __init__(self, folder: Path, *, worker: int, workers: int, loop: asyncio.AbstractEventLoop) -> None:
        """Take the folder of the sockets, this process's number from 1, and how many there are.

        Raises:
            EnvironmentFault: no socket can be made there.
        """
        self._loop = loop
        self._heard: Heard = _nothing
        try:
            self._folder = _Folder(folder)
        except OSError as error:
            raise _no_socket(folder, error) from error
        self._peers = [_Peer(self._folder.address(other)) for other in range(1, workers + 1) if other != worker]
        self._worker = worker
        self._lock = threading.Lock()
        self._retrying = False
        self._check: asyncio.TimerHandle | None = None
        try:
            self._socket = self._folder.bound_socket(worker)
        except OSError as error:
            self._folder.close()
            raise _no_socket(folder, error) from error

    def listen(self, heard: Heard) -> None:
        """Have every datagram told to `heard`, on the event loop.

        It is given whether there is work, and the ids of what has ended, or None for "look for yourself".
        """
        self._heard = heard
        self._loop.add_reader(self._socket, self._read)
        self._stay_reachable()

    def ring(self, *, ready: bool, ended: Sequence[str] | None) -> None:
        """Tell the others, from any thread. Never waits.

        Args:
            ready: there is work.
            ended: ids of what has ended, or None for "look for yourself".
        """
        if not self._peers or not (ready or ended or ended is None):
            return
        with self._lock:
            late = False
            for peer in self._peers:
                peer.note(ready, ended)
                late = not peer.send(self._socket) or late
            again = late and not self._retrying
            self._retrying = self._retrying or late
        if again:
            self._plan()

    def close(self) -> None:
        """Hear and tell nothing any more."""
        if self._check is not None:
            self._check.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()
        self._folder.close()

    def _stay_reachable(self) -> None:
        """Make a new socket when somebody has removed the file of this one, and look for what was missed."""
        self._check = self._loop.call_later(CHECK_EVERY, self._stay_reachable)
        if self._folder.has(self._worker):
            return
        with contextlib.suppress(OSError):
            renewed = self._folder.bound_socket(self._worker)
            self._loop.remove_reader(self._socket)
            with self._lock:
                self._socket.close()
                self._socket = renewed
            self._loop.add_reader(self._socket, self._read)
            self._heard(True, None)

    def _plan(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.call_later, RETRY, self._retry)

    def _retry(self) -> None:
        with self._lock:
            late = [peer for peer in self._peers if not peer.send(self._socket)]
            self._retrying = bool(late)
        if late:
            self._plan()

    def _read(self) -> None:
        """Hear what has arrived, not for so long that others wait."""
        ready, everything = False, False
        ended: list[str] = []
        for _ in range(AT_ONCE):
            try:
                datagram = self._socket.recv(2 * MAX_BYTES)
            except OSError:
                break
            ready = ready or datagram[:1] != NOT_READY
            everything = everything or datagram[:1] == EVERYTHING
            ended += _ids_of(datagram)
        self._heard(ready, None if everything else ended)


class _Peer:
    """Another process, and what it has not been told yet."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._ready = False
        self._ids = bytearray()
        self._everything = False

    def note(self, ready: bool, ended: Sequence[str] | None) -> None:
        self._ready = self._ready or ready
        self._ids += "".join(ended or ()).encode()
        if ended is None or len(self._ids) > MAX_BYTES:
            self._forget_ids()

    def send(self, through: socket.socket) -> bool:
        """Return whether there is nothing left to tell. A process that does not listen needs nothing."""
        if not (self._ready or self._ids or self._everything):
            return True
        first = EVERYTHING if self._everything else READY if self._ready else NOT_READY
        try:
            through.sendto(first + self._ids, self._address)
        except OSError as error:
            if error.errno in LATER:
                return False
            if error.errno == errno.EMSGSIZE and self._ids:
                self._forget_ids()
                return self.send(through)
            if error.errno == errno.ENOENT:
                # Somebody removed its socket, and it will make another; until then, too much happens to tell it all.
                self._forget_ids()
                return True
        self._ready = self._everything = False
        self._ids.clear()
        return True

    def _forget_ids(self) -> None:
        self._ids.clear()
        self._everything = True


class _Folder:
    """Addresses of sockets in a folder, however long its path: the system allows 108 bytes only (man 7 unix)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        short = Path(f"/proc/self/fd/{self._handle}")
        self._short = short if short.exists() else path

    def address(self, worker: int) -> str:
        return str(self._short / f"worker-{worker}.bell")

    def has(self, worker: int) -> bool:
        return Path(self.address(worker)).exists()

    def bound_socket(self, worker: int) -> socket.socket:
        (self._path / f"worker-{worker}.bell").unlink(missing_ok=True)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        made.setblocking(False)
        try:
            made.bind(self.address(worker))
        except OSError:
            made.close()
            raise
        return made

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._handle)


def _no_socket(folder: Path, error: OSError) -> EnvironmentFault:
    return EnvironmentFault(f"No socket can be made in {folder}: {error.strerror or error}.")


def _ids_of(datagram: bytes) -> list[str]:
    text = datagram[1:].decode("ascii", "replace")
    return [text[start : start + ID_LENGTH] for start in range(0, len(text), ID_LENGTH)]


def _nothing(*_: object) -> None:
    """Stand in until somebody listens."""
