"""The format of the embedded broker's file: how one is made, checked, and upgraded from an older version.

An upgrade is one transaction, in which the old file is first copied. The copy gets its name beside the file
right before the commit: whoever is killed before that leaves the old file behind and nothing that stays, and
the next start upgrades.
"""

from collections.abc import Mapping
from contextlib import closing, nullcontext
from pathlib import Path

from zato.broker.connection import Connection, FileError, is_full, is_locked
from zato.broker.copies import copy_beside
from zato.core.errors import EnvironmentFault

__all__ = ["FORMAT_VERSION", "check_version", "open_file", "open_to_read", "upgrade_copy"]

# The statements `upgrade_1`, `upgrade_2` and so on lead from each older version to the next one.
FORMAT_VERSION = 4

PRAGMAS = ("journal_mode = WAL", "busy_timeout = 0", "wal_autocheckpoint = 4000", "cache_size = -16000")

# How much longer than for any other lock to wait for another process that upgrades the file.
UPGRADE_TAKES = 30


def open_file(path: Path, sql: Mapping[str, str], *, boot_id: str, patience: float) -> Connection:
    """Return a connection to a broker file, which is made if there is none, and upgraded if it is old.

    Args:
        path: the file.
        sql: the statements of `sqlite.sql`.
        boot_id: tells this start of the machine from others; leases of before it are ended.
        patience: seconds to wait for another process's lock.

    Raises:
        EnvironmentFault: the file cannot be opened, is no broker file, a newer version wrote it, or there is
            no room to upgrade it.
    """
    connection = _connect(path, patience)
    try:
        _prepare(connection, path, sql, boot_id)
    except FileError as error:
        connection.close()
        raise _explained(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_read(path: Path, *, patience: float) -> Connection:
    """Return a connection to a broker file that somebody has opened by `open_file`, for reading alone.

    Raises:
        EnvironmentFault: the file cannot be opened, or is of another version.
    """
    if not path.exists():
        raise EnvironmentFault(f"{path} does not exist. The first start of a server makes it.")
    connection = _connect(path, patience)
    try:
        # Not a read-only connection: without a writer, such a one could not read the log.
        for pragma in (*PRAGMAS[1:], "query_only = ON"):
            connection.insist(f"PRAGMA {pragma}")
        version = connection.pragma("user_version")
        check_version(path, version)
        if version < FORMAT_VERSION:
            raise EnvironmentFault(f"{path} is of format {version}. The next start of a server upgrades it.")
    except FileError as error:
        connection.close()
        raise _explained(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def check_version(path: Path, version: int) -> None:
    """Check that a file's version is no newer than what is known here.

    Raises:
        EnvironmentFault: it is.
    """
    if version > FORMAT_VERSION:
        raise EnvironmentFault(
            f"{path} is of format {version}; this version of zato reads up to {FORMAT_VERSION}. Upgrade zato."
        )


def upgrade_copy(path: Path, sql: Mapping[str, str]) -> None:
    """Upgrade a file that nobody else uses and that is itself a copy.

    Raises:
        EnvironmentFault: it is no broker file, or there is no room for it.
    """
    with closing(_connect(path, patience=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            _upgrade(connection, sql, connection.pragma("user_version"))
            connection.execute("COMMIT")
        except FileError as error:
            raise _explained(path, error) from error


def _connect(path: Path, patience: float) -> Connection:
    try:
        return Connection(path, patience=patience)
    except FileError as error:
        raise EnvironmentFault(f"{path} cannot be opened: {error}. Check the rights of the folder.") from error


def _prepare(connection: Connection, path: Path, sql: Mapping[str, str], boot_id: str) -> None:
    """Make the tables of a new file, upgrade those of an old one, end leases of before a reboot."""
    for pragma in PRAGMAS:
        connection.insist(f"PRAGMA {pragma}")
    _begin(connection)
    version = connection.pragma("user_version")
    check_version(path, version)
    # Others read meanwhile, but none writes: the copy is what is upgraded, to the last call.
    is_old = 0 < version < FORMAT_VERSION
    with copy_beside(path, f"v{version}") if is_old else nullcontext(lambda: path) as keep:
        _make_current(connection, sql, version)
        _end_leases_of_before(connection, sql, boot_id)
        keep()
        connection.insist("COMMIT")


def _make_current(connection: Connection, sql: Mapping[str, str], version: int) -> None:
    """Make the tables that a file of a version, or of none, does not have."""
    if version == 0:
        connection.execute(sql["schema"])
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    elif version < FORMAT_VERSION:
        _upgrade(connection, sql, version)


def _end_leases_of_before(connection: Connection, sql: Mapping[str, str], boot_id: str) -> None:
    """End all leases and locks if the machine has started again since: nobody holds them any more."""
    known = connection.execute(sql["boot_id"]).fetchall()
    if known != [(boot_id,)]:
        connection.execute(sql["reclaim_all"])
        connection.execute(sql["forget_boot"])
        connection.execute(sql["set_boot_id"], {"boot_id": boot_id})


def _begin(connection: Connection) -> None:
    """Begin to write, after whoever upgrades the file now."""
    try:
        connection.insist("BEGIN IMMEDIATE")
    except FileError as error:
        if not is_locked(error) or not 0 < connection.pragma("user_version") < FORMAT_VERSION:
            raise
        connection.insist("BEGIN IMMEDIATE", times=UPGRADE_TAKES)


def _upgrade(connection: Connection, sql: Mapping[str, str], version: int) -> None:
    for older in range(version, FORMAT_VERSION):
        connection.execute(sql[f"upgrade_{older}"])
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")


def _explained(path: Path, error: Exception) -> EnvironmentFault:
    """Say which file is to blame."""
    if is_locked(error):
        return EnvironmentFault(f"{path} is locked by another process. Stop that one, or try again.")
    if is_full(error):
        return EnvironmentFault(f"{path} cannot be made or upgraded: {error}. Make room, then try again.")
    return EnvironmentFault(f"{path} is no usable broker file: {error}.")
