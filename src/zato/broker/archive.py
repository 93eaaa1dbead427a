"""Backups of the embedded broker's file, made and restored while servers run or while none does."""

from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zato.broker.base import Clock
from zato.broker.connection import PATIENCE, Connection, FileError, is_damaged, is_full, is_locked
from zato.broker.copies import copy_beside, copy_into, draft_of, scratch
from zato.broker.format import check_version, open_file, upgrade_copy
from zato.broker.open import FILE
from zato.broker.statements import load_statements
from zato.core.errors import EnvironmentFault

__all__ = ["Contents", "Restored", "back_up", "inspect", "restore"]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a broker file holds: calls that have no outcome yet, and outcomes."""

    pending: int
    outcomes: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and where the copy is of what it replaced, if there was anything."""

    contents: Contents
    kept: Path | None


def back_up(data: Path, file: Path) -> Contents:
    """Write a consistent copy of an environment's broker file, and return what it holds.

    Args:
        data: the environment's data folder.
        file: the copy. It is there when it is complete, checked and on the disk, or not at all.

    Raises:
        EnvironmentFault: there is nothing to copy, `file` is there already, or it cannot be written.
    """
    path = data / FILE
    if not path.exists():
        raise EnvironmentFault(f"There is nothing to back up: {path} does not exist. The first start makes it.")
    with draft_of(file) as draft:
        copy_into(path, draft)
        return inspect(draft, called=path)


def restore(data: Path, file: Path, clock: Clock) -> Restored:
    """Replace what an environment's broker file holds by what a backup holds, in one transaction.

    What ran when the backup was made is ready to run again, which counts as no take-over. Which services
    are deployed stays as it is; so do documents if the backup has none, being of an older version. Of the audit
    nothing is lost: it has the entries of both.

    Args:
        data: the environment's data folder. If it has no broker file, it gets one.
        file: the backup, of this version or an older one. It stays as it is.
        clock: says which start of the machine this is.

    Raises:
        EnvironmentFault: `file` is no backup that this version reads, or the environment's file cannot be
            written. Nothing was changed then.
    """
    path = data / FILE
    if path.exists() and file.exists() and path.samefile(file):
        raise EnvironmentFault(f"{file} is what is to be replaced, and no backup of it.")
    inspect(file)
    sql = load_statements("zato.broker", "sqlite.sql")
    with scratch(data) as incoming:
        copy_into(file, incoming, to="read")
        upgrade_copy(incoming, sql)
        existed = path.exists()
        with closing(_open(path, sql, clock)) as connection:
            kept = _replace(connection, sql, incoming, path if existed else None)
            return Restored(_contents(connection, sql), kept)


def inspect(file: Path, *, called: Path | None = None) -> Contents:
    """Check a file from end to end, and return what it holds.

    Args:
        file: the file.
        called: the name to blame it by, if not its own.

    Raises:
        EnvironmentFault: it is not there, damaged, no broker file, or of a newer version.
    """
    name = called or file
    if not file.is_file():
        raise EnvironmentFault(f"{name} is not there, or is no file. Name one that 'zato backup' has made.")
    sql = load_statements("zato.broker", "sqlite.sql")
    try:
        with closing(Connection(file, patience=PATIENCE, to="read")) as connection:
            version = connection.pragma("user_version")
            check_version(name, version)
            contents = _contents(connection, sql)
            problem = connection.execute("PRAGMA integrity_check(1)").fetchall()[0][0]
    except FileError as error:
        raise EnvironmentFault(f"{name} is no broker file, or it is damaged: {error}.") from error
    if version == 0:
        raise EnvironmentFault(f"{name} is no broker file: it has no version.")
    if problem != "ok":
        raise EnvironmentFault(f"{name} is damaged: {' '.join(str(problem).split())}.")
    return contents


def _open(path: Path, sql: dict[str, str], clock: Clock) -> Connection:
    try:
        return open_file(path, sql, boot_id=clock.boot_id(), patience=PATIENCE)
    except EnvironmentFault as error:
        # Not for any other fault, such as a lock: a file that could be copied must not be lost.
        if isinstance(error.__cause__, FileError) and is_damaged(error.__cause__):
            raise EnvironmentFault(f"{error} Move it away, then restore again.") from error
        raise


def _replace(connection: Connection, sql: dict[str, str], incoming: Path, path: Path | None) -> Path | None:
    """Replace everything, after a copy of what is there now: nobody writes in between."""
    try:
        connection.execute(sql["attach_backup"], {"file": str(incoming)})
        connection.insist("BEGIN IMMEDIATE")
        with nullcontext(lambda: None) if path is None else copy_beside(path, "before-restore") as keep:
            connection.execute(sql["restore"])
            kept = keep()
            connection.insist("COMMIT")
    except FileError as error:
        if is_locked(error):
            raise EnvironmentFault(f"{incoming.parent / FILE} is locked by another process. Try again.") from error
        reason = "there is no room for it" if is_full(error) else "it is no backup"
        raise EnvironmentFault(f"It cannot be restored, {reason}: {error}. Nothing was changed.") from error
    return kept


def _contents(connection: Connection, sql: dict[str, str]) -> Contents:
    counts: list[tuple[Any, ...]] = connection.execute(sql["contents"]).fetchall()
    return Contents(*counts[0])
