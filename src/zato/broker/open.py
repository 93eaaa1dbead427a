"""From settings to a backend. Libraries of backends that are not used are not loaded."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from zato.broker.base import Backend, Clock
from zato.broker.known import is_shared, unknown
from zato.core.errors import EnvironmentFault

__all__ = [
    "FILE",
    "Bell",
    "Location",
    "durability",
    "is_shared",
    "open_backend",
    "open_bell",
    "open_client",
    "open_reader",
]

FILE = "broker.db"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a broker keeps its data, and how sure it has to be of what it has stored.

    Attributes:
        broker: `sqlite`, the file `broker.db` in `data`, or the URL of a Redis.
        data: the environment's data folder.
        cluster: servers with the same Redis and the same one are one cluster.
        password: of the user in the URL, which has none itself.
        replicas: how many replicas of Redis must have a call before it counts as stored.
        fsync: whether it must be on the disk of Redis before it counts as stored.
        tag: tells this process from others that ring the same bell.
    """

    broker: str
    data: Path
    cluster: str = "default"
    password: str = field(default="", repr=False)
    replicas: int = 0
    fsync: bool = False
    tag: str = ""


class Bell(Protocol):
    """Hears what other servers did with a shared store."""

    def listen(self, heard: Callable[[bool, Sequence[str] | None], None]) -> None:
        """Tell, on the event loop, whether there is work, and which calls have ended; None is "look for yourself"."""

    def ring(self, *, ready: bool, ended: Sequence[str] | None) -> None:
        """Tell the others."""

    def close(self) -> None:
        """Hear nothing any more."""


def open_backend(location: Location, clock: Clock) -> Backend:
    """Return the backend that a location names.

    Raises:
        InvalidSetting: nothing is known by that name.
        EnvironmentFault: it cannot be used, or its library is not installed.
    """
    if location.broker == "sqlite":
        from zato.broker.sqlite import SQLiteBackend

        return SQLiteBackend(location.data / FILE, clock)

    if is_shared(location.broker):
        return _redis(location, clock, reads_only=False)

    raise unknown(location.broker)


def open_reader(location: Location, clock: Clock) -> Backend:
    """Return a backend that answers questions alone, beside one that was opened before.

    It has a connection of its own, never holds up whoever writes, and sees what was written before it is asked.

    Raises:
        InvalidSetting: nothing is known by that name.
        EnvironmentFault: it cannot be used, or its library is not installed.
    """
    if location.broker == "sqlite":
        from zato.broker.reading import SQLiteReader

        return SQLiteReader(location.data / FILE, clock)

    if is_shared(location.broker):
        return _redis(location, clock, reads_only=True)

    raise unknown(location.broker)


def open_bell(location: Location, loop: asyncio.AbstractEventLoop) -> Bell | None:
    """Return what hears the other servers that share a store, or None where there are none.

    Raises:
        InvalidSetting: the URL is not understood.
    """
    if not is_shared(location.broker):
        return None

    _check_library()
    from zato.broker.redis.bell import RedisBell

    return RedisBell(location, loop)


def open_client(location: Location) -> Any:
    """Return a client of redis-py for whatever services keep in a shared store; it connects when it is used.

    Raises:
        InvalidSetting: the URL is not understood.
        EnvironmentFault: its library is not installed.
    """
    _check_library()
    from zato.broker.redis.client import client_of

    return client_of(location)


def durability(location: Location) -> tuple[str, tuple[str, ...]]:
    """Say how durable a shared store is, and what endangers what it stores; of a file there is nothing to say.

    Raises:
        EnvironmentFault: it cannot be reached.
    """
    if not is_shared(location.broker):
        return "", ()

    _check_library()
    from zato.broker.redis.survey import look_at

    report = look_at(location)
    return report.durability, report.problems


def _redis(location: Location, clock: Clock, *, reads_only: bool) -> Backend:
    _check_library()
    from zato.broker.redis.backend import RedisBackend

    return RedisBackend(location, clock, reads_only=reads_only)


def _check_library() -> None:
    if find_spec("redis") is None:
        raise EnvironmentFault("For a Redis, zato needs the library 'redis': pip install 'openzato[redis]'.")
