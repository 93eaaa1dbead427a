"""From settings to a backend. Libraries of backends that are not used are not loaded."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from zato.broker.base import Backend, Clock
from zato.core.errors import EnvironmentFault, InvalidSetting

__all__ = [
    "FILE",
    "Bell",
    "Location",
    "check_known",
    "durability",
    "is_shared",
    "open_backend",
    "open_bell",
    "open_reader",
]

FILE = "broker.db"
SHARED = ("redis://", "rediss://", "redis+sentinel://", "rediss+sentinel://")


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


def is_shared(broker: str) -> bool:
    """Tell whether a setting names a broker that several servers can share."""
    return broker.startswith(SHARED)


def check_known(broker: str) -> None:
    """Check that a backend is known, without opening anything.

    Raises:
        InvalidSetting: nothing is known by that name.
    """
    if broker != "sqlite" and not is_shared(broker):
        raise _unknown(broker)


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

    raise _unknown(location.broker)


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

    raise _unknown(location.broker)


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


def _unknown(broker: str) -> InvalidSetting:
    return InvalidSetting(f"broker = {broker!r} is not known. Use 'sqlite', or a URL such as 'redis://host:6379'.")
