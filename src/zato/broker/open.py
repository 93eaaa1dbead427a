"""From the setting `broker` to a backend. Libraries of backends that are not used are not loaded."""

from pathlib import Path

from zato.broker.base import Backend, Clock
from zato.core.errors import InvalidSetting

__all__ = ["FILE", "check_known", "open_backend", "open_reader"]

FILE = "broker.db"


def check_known(broker: str) -> None:
    """Check that a backend is known, without opening anything.

    Raises:
        InvalidSetting: nothing is known by that name.
    """
    if broker != "sqlite":
        raise _unknown(broker)


def open_backend(broker: str, data: Path, clock: Clock) -> Backend:
    """Return the backend a setting names.

    Args:
        broker: `sqlite`, the file `broker.db` in the environment's data folder.
        data: that folder.

    Raises:
        InvalidSetting: nothing is known by that name.
        EnvironmentFault: the backend's file cannot be used.
    """
    if broker == "sqlite":
        from zato.broker.sqlite import SQLiteBackend

        return SQLiteBackend(data / FILE, clock)

    raise _unknown(broker)


def open_reader(broker: str, data: Path, clock: Clock) -> Backend:  # noqa: ARG001 -- others have times in what they read
    """Return a backend that answers `Look` and `Find` alone, beside one that was opened before.

    It has a connection of its own, never holds up whoever writes, and sees what was written before it is asked.

    Args:
        broker: as for `open_backend`.
        data: the environment's data folder.
        clock: what it reads the time from, if it needs it.

    Raises:
        InvalidSetting: nothing is known by that name.
        EnvironmentFault: the backend's file cannot be used.
    """
    if broker == "sqlite":
        from zato.broker.reading import SQLiteReader

        return SQLiteReader(data / FILE)

    raise _unknown(broker)


def _unknown(broker: str) -> InvalidSetting:
    return InvalidSetting(f"broker = {broker!r} is not known. Use 'sqlite'.")
