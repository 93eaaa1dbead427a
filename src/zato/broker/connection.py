"""The embedded broker's file: opening it, waiting for other processes, and what its errors mean.

The only importer of apsw. What is kept in the file, and how, is the business of `zato.broker.sqlite`.
"""

import time
from collections.abc import Mapping
from pathlib import Path

import apsw

from zato.core.errors import EnvironmentFault

__all__ = ["FORMAT_VERSION", "Connection", "Cursor", "is_file_at_fault", "is_locked", "open_file"]

FORMAT_VERSION = 1

BUSY_PAUSE = 0.0003
PRAGMAS = ("journal_mode = WAL", "busy_timeout = 0", "wal_autocheckpoint = 4000", "cache_size = -16000")

# The state of the file or of the machine: the same statement may succeed later.
FILE_FAULTS = (
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.CorruptError,
    apsw.FullError,
    apsw.IOError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.NotADBError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
    MemoryError,
)

Cursor = apsw.Cursor


class Connection(apsw.Connection):
    """A connection that waits in its own way for the locks of other processes."""

    def __init__(self, path: Path, *, patience: float) -> None:
        """Open the file, or make it; `patience` is how many seconds to wait for a lock."""
        super().__init__(str(path))
        self._patience = patience

    def insist(self, statement: str) -> None:
        """Execute a statement that another process's lock may hold up.

        SQLite's own waiting backs off to 100 ms, which makes a writer late that shares the file with a
        busy one; a short pause of our own does not (docs/decisions/0001-store-thread.md).
        """
        give_up = time.monotonic() + self._patience
        while True:
            try:
                self.execute(statement)
                return
            except apsw.BusyError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(BUSY_PAUSE)


def is_locked(error: BaseException) -> bool:
    """Tell whether another process held the file for too long."""
    return isinstance(error, apsw.BusyError)


def is_file_at_fault(error: BaseException) -> bool:
    """Tell whether the file, and not what was to be written, is why something failed."""
    return isinstance(error, FILE_FAULTS)


def open_file(path: Path, sql: Mapping[str, str], *, boot_id: str, patience: float) -> Connection:
    """Return a connection to a broker file, which is made if there is none.

    Args:
        path: the file.
        sql: the statements of `sqlite.sql`.
        boot_id: tells this start of the machine from others; leases of before it are ended.
        patience: seconds to wait for another process's lock.

    Raises:
        EnvironmentFault: the file cannot be opened, is no broker file, or a newer version wrote it.
    """
    try:
        connection = Connection(path, patience=patience)
    except apsw.Error as error:
        raise EnvironmentFault(f"{path} cannot be opened: {error}. Check the rights of the folder.") from error
    try:
        _prepare(connection, path, sql, boot_id)
    except BaseException as error:
        connection.close()
        if isinstance(error, apsw.BusyError):
            raise EnvironmentFault(f"{path} is locked by another process. Stop that one, or try again.") from error
        if isinstance(error, apsw.Error):
            raise EnvironmentFault(f"{path} is no usable broker file: {error}.") from error
        raise
    return connection


def _prepare(connection: Connection, path: Path, sql: Mapping[str, str], boot_id: str) -> None:
    """Make the tables of a new file, check the version of an old one, end leases of before a reboot."""
    for pragma in PRAGMAS:
        connection.insist(f"PRAGMA {pragma}")
    connection.insist("BEGIN IMMEDIATE")
    version = connection.pragma("user_version")
    if version > FORMAT_VERSION:
        raise EnvironmentFault(
            f"{path} is of format {version}; this version of zato reads up to {FORMAT_VERSION}. Upgrade zato."
        )
    if version == 0:
        connection.execute(sql["schema"])
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    known = connection.execute(sql["boot_id"]).fetchall()
    if known != [(boot_id,)]:
        connection.execute(sql["reclaim"])
        connection.execute(sql["set_boot_id"], {"boot_id": boot_id})
    connection.insist("COMMIT")
