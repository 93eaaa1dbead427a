"""A process that ends when its parent does, however the parent ended."""

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

__all__ = ["end_with_parent"]

# linux/prctl.h
PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int, line: socket.socket) -> None:
    """Have this process end at once when its parent has.

    On Linux the kernel sees to it, even if this process is stopped or busy. Elsewhere a thread waits for
    the other end of `line` to close.

    Args:
        parent: the process that started this one.
        line: a connection to it; nothing more is to be read from it.
    """
    if sys.platform == "linux":
        _ask_the_kernel()
    else:
        watch(line, _end)
    if os.getppid() != parent:
        _end()


def watch(line: socket.socket, ended: Callable[[], None]) -> threading.Thread:
    """Call `ended`, on a thread that is returned, when the other end of a connection is closed."""

    def wait() -> None:
        # An end that was closed before it had read everything resets the connection.
        with contextlib.suppress(OSError):
            while line.recv(1):
                pass
        ended()

    thread = threading.Thread(target=wait, name="zato-lifeline", daemon=True)
    thread.start()
    return thread


def _ask_the_kernel() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def _end() -> None:
    os._exit(1)
