"""From the setting `broker` to a backend. Libraries of backends that are not used are not loaded."""

from pathlib import Path

from zato.broker.base import Backend, Clock
from zato.core.errors import InvalidSetting

__all__ = ["open_backend"]


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

        return SQLiteBackend(data / "broker.db", clock)

    raise InvalidSetting(f"broker = {broker!r} is not known. Use 'sqlite'.")
