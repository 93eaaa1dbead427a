"""Where each backend keeps its data, and how that can be made to run out of room."""

import itertools
import resource
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from zato.broker.base import Backend, Clock
from zato.broker.open import Location, open_backend, open_reader

__all__ = ["STORES", "SQLiteStore", "Store"]


class Store(Protocol):
    """What keeps the data of one backend. Opening it again shows what it kept.

    Attributes:
        broker: the setting that names the backend.
        folder: the data folder of the environment it stands for.
    """

    broker: str
    folder: Path

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


STORES: Mapping[str, type[SQLiteStore]] = {"sqlite": SQLiteStore}
