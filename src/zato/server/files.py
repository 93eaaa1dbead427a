"""How many files this process may open, and what a child that a service forks may not keep of them."""

import contextlib
import os
import resource
import socket
from collections.abc import Iterator

__all__ = ["connections_within", "kept_from_children", "raise_file_limit"]

MAX_CONNECTIONS = 20_000
MIN_CONNECTIONS = 16
# Left to the store, the logs and whatever services open.
RESERVE = 256
# Not more, though the system may allow it: there are programs that try to close every number up to the limit.
ENOUGH = 65_536


def raise_file_limit() -> int:
    """Let this process open as many files as it may and will ever need, and return how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return ENOUGH if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        return soft
    return most


def connections_within(files: int) -> int:
    """Return how many connections may be open at once, so that they never use up all files."""
    return min(MAX_CONNECTIONS, max(files - RESERVE, files // 4, MIN_CONNECTIONS))


@contextlib.contextmanager
def kept_from_children(lock: int, port: int) -> Iterator[None]:
    """Have children that are forked in the context close the lock and the sockets of the port.

    Otherwise a child that outlives a killed server would pass for it.
    """
    held = [lock]

    def let_go() -> None:
        if held:
            for handle in [*held, *_sockets_of(port)]:
                os.close(handle)
        held.clear()

    os.register_at_fork(after_in_child=let_go)
    try:
        yield
    finally:
        held.clear()


def _sockets_of(port: int) -> list[int]:
    """Return the descriptors of the sockets, of whatever owner, that have this port on our side."""
    return [handle for handle in map(int, os.listdir("/dev/fd")) if _port_of(handle) == port]  # noqa: PTH208 -- numbers


def _port_of(handle: int) -> int | None:
    try:
        mine = socket.socket(fileno=handle)
    except OSError:
        return None
    try:
        name = mine.getsockname()
    except OSError:
        return None
    finally:
        mine.detach()
    return name[1] if isinstance(name, tuple) else None
