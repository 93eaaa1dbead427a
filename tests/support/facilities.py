"""What services have around them, without a server: a folder, a clock that stands still, a key."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from zato.broker.open import Location
from zato.core.server_info import ServerInfo
from zato.server.crypto import ServerCrypto
from zato.server.facilities import ServerFacilities
from zato.server.kvdb import ServerKVDB
from zato.server.registry import Services
from zato.server.threads import Threads
from zato.server.user_config import UserConfigFolder

__all__ = ["KEY", "NOON", "make_facilities", "make_info"]

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
NOON = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)


def make_facilities(
    services: Services,
    threads: Threads,
    folder: Path,
    *,
    broker: str = "sqlite",
    clock: Callable[[], float] = NOON.timestamp,
) -> ServerFacilities:
    """Return what services of a folder's environment have."""
    return ServerFacilities(
        services,
        threads,
        clock=clock,
        server=make_info(folder),
        config=UserConfigFolder(folder / "user-config"),
        kvdb=ServerKVDB(Location(broker, folder)),
        crypto=ServerCrypto(KEY),
    )


def make_info(folder: Path, address: str = "http://127.0.0.1:11223", workers: int = 1) -> ServerInfo:
    """Return what services are told of a server."""
    return ServerInfo(
        name="server1",
        cluster="default",
        broker="sqlite",
        host="127.0.0.1",
        port=11223,
        address=address,
        pid=1,
        worker=1,
        workers=workers,
        version="1",
        python="3",
        started=NOON,
        environment=folder,
    )
