"""Where each backend keeps its data, and how that can be made to run out of room."""

import itertools
import resource
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar, Protocol

from tests.support.redis import RedisServer
from zato.broker.base import Backend, Clock
from zato.broker.open import Location, open_backend, open_reader
from zato.broker.redis.backend import RedisBackend

__all__ = ["REFUSING_ENDS", "RESTARTING", "SHARED", "STORES", "TAKING_ENDS", "RedisStore", "SQLiteStore", "Store"]


class Store(Protocol):
    """What keeps the data of one backend. Opening it again shows what it kept.

    Attributes:
        broker: the setting that names the backend.
        folder: the data folder of the environment it stands for.
        cluster: which of several that one place may keep.
        restarts_with_machine: whether all who use it are gone when the machine starts again.
        is_shared: whether several servers may use it.
        takes_ends: whether a full one records how what runs ends.
    """

    broker: str
    folder: Path
    cluster: str
    restarts_with_machine: bool
    is_shared: bool
    takes_ends: bool

    def open(self, clock: Clock) -> Backend:
        """Return the backend, as one more process would have it."""

    def reader(self, clock: Clock) -> Backend:
        """Return a connection for looking and finding alone, beside a backend that was opened before."""

    def fresh(self) -> "Store":
        """Return an empty store of the same kind."""

    def full(self, *, room: int = 0) -> AbstractContextManager[None]:
        """Be able to store only so many bytes more, until the block ends."""


class SQLiteStore:
    """The embedded broker's file."""

    broker = "sqlite"
    cluster = "default"
    restarts_with_machine = True
    is_shared = False
    takes_ends = False
    _numbers = itertools.count()

    def __init__(self, folder: Path) -> None:
        """Take a folder for it."""
        self.folder = folder

    def open(self, clock: Clock) -> Backend:
        """Open the file, or make it."""
        return open_backend(Location(self.broker, self.folder), clock)

    def reader(self, clock: Clock) -> Backend:
        """Open the file to read it."""
        return open_reader(Location(self.broker, self.folder), clock)

    def fresh(self) -> "SQLiteStore":
        """Return a store in a folder of its own."""
        folder = self.folder / f"fresh-{next(self._numbers)}"
        folder.mkdir()
        return SQLiteStore(folder)

    @contextmanager
    def full(self, *, room: int = 0) -> Iterator[None]:
        """Let no file of this process grow beyond the write-ahead log and that room."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = (self.folder / "broker.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + room, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class RedisStore:
    """A cluster in a Redis, which `tests/contract/conftest.py` starts."""

    restarts_with_machine = False
    is_shared = True
    takes_ends = True
    server: ClassVar[RedisServer]
    _numbers = itertools.count()

    def __init__(self, folder: Path) -> None:
        """Take a folder, which stays empty, and a cluster that nobody else has."""
        self.folder = folder
        self.broker = self.server.url
        self.cluster = f"contract-{next(self._numbers)}"

    @property
    def location(self) -> Location:
        """Where the cluster is."""
        return Location(self.broker, self.folder, cluster=self.cluster, tag=str(next(self._numbers)))

    def open(self, clock: Clock) -> Backend:
        """Connect, with the clock of the test."""
        return RedisBackend(self.location, clock, tells_time=True)

    def reader(self, clock: Clock) -> Backend:
        """Connect to read."""
        return RedisBackend(self.location, clock, tells_time=True, reads_only=True)

    def fresh(self) -> "RedisStore":
        """Return a cluster of its own."""
        folder = self.folder / f"fresh-{next(self._numbers)}"
        folder.mkdir()
        return RedisStore(folder)

    @contextmanager
    def full(self, *, room: int = 0) -> Iterator[None]:
        """Let Redis use no more memory than it does now and that room."""
        self.server.fill(room=room)
        try:
            yield
        finally:
            self.server.empty()


STORES: Mapping[str, type[RedisStore] | type[SQLiteStore]] = {"redis": RedisStore, "sqlite": SQLiteStore}
RESTARTING = sorted(name for name, store in STORES.items() if store.restarts_with_machine)
SHARED = sorted(name for name, store in STORES.items() if store.is_shared)
TAKING_ENDS = sorted(name for name, store in STORES.items() if store.takes_ends)
REFUSING_ENDS = sorted(name for name, store in STORES.items() if not store.takes_ends)
