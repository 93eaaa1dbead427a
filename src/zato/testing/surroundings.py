"""What services under test have around them: time, configuration, cryptography, and a Redis if the test has one."""

import base64
import os
import platform
from pathlib import Path
from typing import Any

from zato import __version__
from zato.broker.open import Location
from zato.core.errors import InvalidSetting
from zato.core.server_info import ServerInfo
from zato.core.user_config import ConfigTable, user_config
from zato.server.crypto import ServerCrypto
from zato.server.facilities import ServerFacilities
from zato.server.kvdb import ServerKVDB
from zato.server.registry import Services
from zato.server.threads import Threads
from zato.server.user_config import UserConfigFolder
from zato.testing.clock import Clock

__all__ = ["KitFacilities"]

FOLDER = "user-config"
# A Fernet key is that many random bytes.
KEY_BYTES = 32


class _GivenRedis(ServerKVDB):
    """The client that a test has given, if it has."""

    given: Any = None

    @property
    def conn(self) -> Any:
        if self.given is None:
            raise InvalidSetting(
                "self.kvdb.conn needs a Redis, and this test has none. Give it a client: zato.redis = redis.Redis(...)."
            )
        return self.given


class KitFacilities(ServerFacilities):
    """What a server has for its services, with a clock, a configuration and a Redis that the test gives.

    Attributes:
        config: what `self.user_config` says: for each file, without its suffix, what is in it.
    """

    def __init__(self, services: Services, threads: Threads, clock: Clock) -> None:
        """Take what is deployed, what runs blocking functions, and what tells the time."""
        self.config: dict[str, dict[str, Any]] = {}
        self._redis = _GivenRedis(Location("sqlite", Path()))
        super().__init__(
            services,
            threads,
            clock=lambda: clock.wall() / 1000,
            server=_server(clock),
            config=UserConfigFolder(Path(FOLDER)),
            kvdb=self._redis,
            crypto=ServerCrypto(base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()),
        )

    @property
    def user_config(self) -> ConfigTable:
        """What the test has given."""
        return user_config(self.config, {}, FOLDER)

    @property
    def redis(self) -> Any:
        """What `self.kvdb.conn` is, or None."""
        return self._redis.given

    @redis.setter
    def redis(self, client: Any) -> None:
        self._redis.given = client


def _server(clock: Clock) -> ServerInfo:
    """Return what `self.server` says: this process, at no address."""
    return ServerInfo(
        name="testing",
        cluster="default",
        broker="memory",
        host="127.0.0.1",
        port=0,
        address="",
        pid=os.getpid(),
        worker=1,
        workers=1,
        version=__version__,
        python=platform.python_version(),
        started=clock.now(),
        environment=Path.cwd(),
    )
