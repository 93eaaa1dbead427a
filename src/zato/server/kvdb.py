"""`self.kvdb`: the Redis of the cluster, for what services keep there themselves."""

import threading
from typing import Any

from zato.broker.open import Location, is_shared, open_client
from zato.core.errors import InvalidSetting

__all__ = ["ServerKVDB"]


class ServerKVDB:
    """A client of the broker's Redis, made by the first service that asks for it. From any thread."""

    def __init__(self, location: Location) -> None:
        """Take where the broker keeps its calls."""
        self._location = location
        self._lock = threading.Lock()
        self._conn: Any = None

    @property
    def conn(self) -> Any:
        """The client of redis-py. It connects when it is used.

        Raises:
            InvalidSetting: the server's broker is no Redis.
        """
        if self._conn is None:
            self._check()
            with self._lock:
                if self._conn is None:
                    self._conn = open_client(self._location)
        return self._conn

    def close(self) -> None:
        """Give its connections up."""
        with self._lock:
            conn, self._conn = self._conn, None
        if conn is not None:
            conn.connection_pool.disconnect()

    def _check(self) -> None:
        broker = self._location.broker
        if not is_shared(broker):
            raise InvalidSetting(
                f"self.kvdb.conn needs a Redis, and this server has broker = {broker!r}. Set broker = "
                "\"redis://host:6379/0\" in config.toml, and restart the server; 'pip install openzato[redis]' brings "
                "the library."
            )
