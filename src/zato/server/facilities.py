"""What a server has for its services beside calling each other. See `zato.core.facilities`."""

import os
import platform
import time
from collections.abc import Callable
from contextvars import copy_context
from datetime import datetime
from functools import partial
from typing import TypeVar

from zato import __version__
from zato.broker.open import Location
from zato.core.errors import UnknownService
from zato.core.server_info import ServerInfo
from zato.core.times import Time
from zato.core.user_config import ConfigTable
from zato.running import reachable, url_of
from zato.server.crypto import ServerCrypto
from zato.server.failures import run_contained
from zato.server.kvdb import ServerKVDB
from zato.server.orders import Orders
from zato.server.registry import Services
from zato.server.threads import Threads
from zato.server.user_config import UserConfigFolder

__all__ = ["ServerFacilities", "facilities_of", "server_info"]

Result = TypeVar("Result")


class ServerFacilities:
    """What services reach as `self.time`, `self.crypto` and so on. Nothing is opened before it is used.

    Attributes:
        time: dates and times.
        server: the server that this process is of.
        kvdb: the Redis of the cluster.
        crypto: passwords, hashes and encryption.
    """

    def __init__(
        self,
        services: Services,
        threads: Threads,
        *,
        clock: Callable[[], float],
        server: ServerInfo,
        config: UserConfigFolder,
        kvdb: ServerKVDB,
        crypto: ServerCrypto,
    ) -> None:
        """Take what is deployed, where to run what blocks, and what services ask for."""
        self._services = services
        self._threads = threads
        self._config = config
        self.time = Time(clock)
        self.server = server
        self.kvdb = kvdb
        self.crypto = crypto

    @property
    def user_config(self) -> ConfigTable:
        """The files of the folder `user-config` as they are now."""
        return self._config.current()

    def name_by_id(self, service_id: object) -> str:
        """Return the name of a service by its name, or by that of its implementation, as `/zato/admin/invoke` does.

        Raises:
            UnknownService: nothing is deployed under it.
        """
        return self._services.get(self._services.current.resolved(str(service_id))).name

    def name_by_impl_name(self, impl_name: str) -> str:
        """Return the name of a service by that of its implementation.

        Raises:
            UnknownService: nothing is deployed under it.
        """
        known = self._services.current.by_impl_name
        if impl_name not in known:
            raise UnknownService.named(impl_name, deployed=known)
        return known[impl_name]

    async def run_in_thread(self, work: Callable[[], Result]) -> Result:
        """Run something that blocks on a thread, in the context of whoever asks, and return what it returns."""
        return await self._threads.run(partial(copy_context().run, run_contained, work))

    def close(self) -> None:
        """Close what was opened."""
        self.kvdb.close()


def facilities_of(
    orders: Orders, location: Location, info: ServerInfo, *, services: Services, threads: Threads
) -> ServerFacilities:
    """Return what a process of a server has for its services."""
    return ServerFacilities(
        services,
        threads,
        clock=time.time,
        server=info,
        config=UserConfigFolder(orders.environment.user_config),
        kvdb=ServerKVDB(location),
        crypto=ServerCrypto(orders.credentials.encryption_key),
    )


def server_info(orders: Orders, machine: str, started: datetime) -> ServerInfo:
    """Return what services are told of their server.

    Args:
        orders: what this process was started with.
        machine: the name of this machine.
        started: when this process was, in UTC.
    """
    settings = orders.settings
    # What listens on every address is known to others by the machine's name.
    host = settings.host if reachable(settings.host) == settings.host else machine
    return ServerInfo(
        name=settings.name,
        cluster=settings.cluster,
        broker=settings.broker,
        host=settings.host,
        port=settings.port,
        address=url_of(host, settings.port, tls=bool(settings.tls_cert)),
        pid=os.getpid(),
        worker=orders.worker,
        workers=settings.workers,
        version=__version__,
        python=platform.python_version(),
        started=started,
        environment=orders.environment.path,
    )
