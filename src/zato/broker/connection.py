"""Connections to the embedded broker's file: waiting for other processes, and what errors mean.

The only importer of apsw. How a file is made and upgraded is the business of `zato.broker.format`;
what is kept in it, of `zato.broker.sqlite`.
"""

import time
from pathlib import Path
from typing import Literal

import apsw

__all__ = [
    "PATIENCE",
    "Connection",
    "Cursor",
    "FileError",
    "is_damaged",
    "is_file_at_fault",
    "is_full",
    "is_locked",
    "reason_of",
    "sqlite_version",
]

# Seconds to wait for the lock of another process; a server that runs holds it for milliseconds.
PATIENCE = 20.0

BUSY_PAUSE = 0.0003

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

NO_MEMORY = (apsw.NoMemError, MemoryError)

FLAGS = {
    "make": apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE,
    "use": apsw.SQLITE_OPEN_READWRITE,
    "read": apsw.SQLITE_OPEN_READONLY,
}

Cursor = apsw.Cursor
FileError = apsw.Error


class Connection(apsw.Connection):
    """A connection that waits in its own way for the locks of other processes."""

    def __init__(self, path: Path, *, patience: float, to: Literal["make", "use", "read"] = "make") -> None:
        """Open the file.

        Args:
            path: the file.
            patience: how many seconds to wait for a lock.
            to: make it if there is none; use the one that is there; or read one that may be nobody's to write.
        """
        super().__init__(str(path), flags=FLAGS[to])
        self._patience = patience

    def insist(self, statement: str, *, times: float = 1) -> None:
        """Execute a statement that another process's lock may hold up.

        SQLite's own waiting backs off to 100 ms, which makes a writer late that shares the file with a
        busy one; a short pause of our own does not (docs/decisions/0001-store-thread.md).

        Args:
            statement: what to execute.
            times: how often the usual patience to have.
        """
        give_up = time.monotonic() + self._patience * times
        while True:
            try:
                self.execute(statement)
                return
            except apsw.BusyError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(BUSY_PAUSE)

    def copy_to(self, file: Path) -> None:
        """Write what the file holds at this moment into an empty one, whoever writes to it meanwhile.

        The copy is compact, stands for itself without a log beside it, and is not yet forced to the disk.
        """
        self.execute("VACUUM INTO ?", (str(file),))

    def leave_log(self) -> None:
        """Leave the log beside the file as it is when this connection is closed, also as the last one."""
        self.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)

    def give_up(self) -> None:
        """Undo the transaction, if there is one."""
        if self.in_transaction:
            self.execute("ROLLBACK")


def sqlite_version() -> tuple[int, ...]:
    """Return the version of the SQLite that is used, which comes with apsw."""
    return tuple(int(part) for part in apsw.sqlite_lib_version().split("."))


def is_locked(error: BaseException) -> bool:
    """Tell whether another process held the file for too long."""
    return isinstance(error, apsw.BusyError)


def is_full(error: BaseException) -> bool:
    """Tell whether there is no room on the disk, or none that this process may use."""
    return isinstance(error, apsw.FullError | apsw.IOError)


def is_damaged(error: BaseException) -> bool:
    """Tell whether the file is no database, or one that cannot be read any more."""
    return isinstance(error, apsw.CorruptError | apsw.NotADBError)


def is_file_at_fault(error: BaseException) -> bool:
    """Tell whether the file, and not what was to be written, is why something failed."""
    return isinstance(error, FILE_FAULTS)


def reason_of(error: BaseException) -> str:
    """Say in words why something failed. Of memory that ran out, the error itself says nothing."""
    if isinstance(error, NO_MEMORY):
        return "there is no memory left for it. Send less at once, or give the machine more memory"
    return str(error)
