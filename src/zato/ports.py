"""The port of a server or a web admin: keeping it for its processes, and saying who has it if it is taken."""

import contextlib
import errno
import os
import random
import socket
import sys
import time
from pathlib import Path

from zato.core.errors import EnvironmentFault
from zato.environment import Environment

__all__ = ["claim", "reserve"]

PROC = Path("/proc")
# Who listens, by the setting that says where.
LISTENERS = {"host": "The server", "web_admin_host": "The web admin"}
LOCK_NAME = "run/server.lock"
ATTEMPTS = 20
# Seconds, at most, between two of them.
PAUSE = 0.02


def reserve(host: str, port: int, *, setting: str = "host") -> socket.socket:
    """Return a socket that keeps an address for the processes that listen there, until it is closed.

    Args:
        host: a name or an address.
        port: 0 for any that is free.
        setting: the one that names the host, 'host' or 'web_admin_host', for messages.

    Raises:
        EnvironmentFault: the address cannot be had; the message says which environment's server has it.
    """
    try:
        for _ in range(ATTEMPTS):
            kept = _reserved(host, port)
            if kept is not None:
                return kept
            time.sleep(random.uniform(0, PAUSE))  # noqa: S311 -- no secret
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    except (OSError, UnicodeError) as error:
        raise EnvironmentFault(_refusal(error, host, port, setting)) from error


def claim(lock: int, port: int) -> None:
    """Say in an environment's lock which port its server has, for those who ask whose it is.

    It is a courtesy: that it cannot be written, on a full disk for instance, is no fault.
    """
    with contextlib.suppress(OSError):
        os.pwrite(lock, str(port).encode(), 0)


def _reserved(host: str, port: int) -> socket.socket | None:
    """Return the socket, or None if others ask for the address at this moment, and perhaps none of us has it.

    It is bound without SO_REUSEPORT, which would hide that somebody else listens there, and has that
    afterwards, so that the processes can listen beside it, and nobody who does not share. SO_REUSEADDR
    is for the remains of an earlier server's connections, and goes afterwards, or it would let others in
    for as long as no process listens.

    Raises:
        OSError: the address is taken, or cannot be used.
    """
    kept = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind((host, port))
        alone = _listens_alone(kept)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if alone and sys.platform == "linux":
            # It would get a share of the connections, and answer none.
            kept.shutdown(socket.SHUT_RD)
    except BaseException:
        kept.close()
        raise
    if not alone:
        kept.close()
    return kept if alone else None


def _listens_alone(kept: socket.socket) -> bool:
    """Listen for a moment: of several sockets that were bound at once, Linux lets at most one do that."""
    if sys.platform != "linux":
        return True
    try:
        kept.listen()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


def _refusal(error: OSError | UnicodeError, host: str, port: int, setting: str) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        owner = _environment_on(port)
        if owner is not None:
            return f"Port {port} on {host} is taken by the server of {owner}. Choose another with --port."
        return f"Port {port} on {host} is taken by another program. Choose another with --port."
    reason = getattr(error, "strerror", None) or error
    if number == errno.EACCES:
        return f"Port {port} on {host} cannot be used: {reason}. Choose one from 1024 with --port."
    return f"{LISTENERS[setting]} cannot listen on {host!r}: {reason}. Check {setting!r} in config.toml."


def _environment_on(port: int) -> Path | None:
    """Return the environment whose server has a port, as far as the system tells this user.

    It need not listen yet, or just then. A server is known by the lock that its processes hold open.
    """
    for process in PROC.glob("[0-9]*"):
        for lock in _locks_of(process):
            with contextlib.suppress(OSError, EnvironmentFault):
                environment = Environment(lock.parents[1])
                if lock.read_bytes() == str(port).encode() and environment.is_locked():
                    return environment.path
    return None


def _locks_of(process: Path) -> set[Path]:
    """Return the locks of environments that a process has open (man 5 proc)."""
    found = set()
    with contextlib.suppress(OSError):
        for link in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                name = os.readlink(link)  # noqa: PTH115 -- a Path would normalise what is no path
                if name.endswith(f"/{LOCK_NAME}"):
                    found.add(Path(name))
    return found
