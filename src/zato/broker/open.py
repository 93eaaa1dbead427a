"""From settings to a backend. Libraries of backends that are not used are not loaded."""

from dataclasses import dataclass, field
from pathlib import Path

from zato.broker.base import Backend, Clock
from zato.core.errors import InvalidSetting

__all__ = ["FILE", "Location", "check_known", "is_shared", "open_backend", "open_reader"]

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
        EnvironmentFault: it cannot be used.
    """
    if location.broker == "sqlite":
        from zato.broker.sqlite import SQLiteBackend

        return SQLiteBackend(location.data / FILE, clock)

    raise _unknown(location.broker)


def open_reader(location: Location, clock: Clock) -> Backend:  # noqa: ARG001 -- others have times in what they read
    """Return a backend that answers `Look` and `Find` alone, beside one that was opened before.

    It has a connection of its own, never holds up whoever writes, and sees what was written before it is asked.

    Raises:
        InvalidSetting: nothing is known by that name.
        EnvironmentFault: it cannot be used.
    """
    if location.broker == "sqlite":
        from zato.broker.reading import SQLiteReader

        return SQLiteReader(location.data / FILE)

    raise _unknown(location.broker)


def _unknown(broker: str) -> InvalidSetting:
    return InvalidSetting(f"broker = {broker!r} is not known. Use 'sqlite', or a URL such as 'redis://host:6379'.")
