"""What the embedded broker's file holds and whether it is whole: for people who look after it.

Nothing is written, and a server that uses the file meanwhile is not held up.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zato.broker.connection import PATIENCE, Connection, FileError, sqlite_version
from zato.broker.format import FORMAT_VERSION, open_to_read
from zato.broker.open import FILE
from zato.broker.statements import load_statements
from zato.core.errors import EnvironmentFault

__all__ = ["FILE", "FORMAT_VERSION", "Survey", "damage", "sqlite_version", "survey"]


@dataclass(frozen=True, slots=True)
class Survey:
    """What a broker file holds at one moment.

    Attributes:
        newest: when the newest call was accepted, or the newest outcome recorded, in Unix milliseconds; None if
            there is neither.
    """

    waiting: int
    delayed: int
    running: int
    stranded: int
    newest: int | None


def survey(data: Path) -> Survey:
    """Return what an environment's broker file holds.

    Args:
        data: the environment's data folder.

    Raises:
        EnvironmentFault: there is none, or it cannot be read.
    """
    with _opened(data / FILE) as connection:
        rows: list[tuple[Any, ...]] = connection.execute(_statement()).fetchall()
    waiting, delayed, running, stranded, *moments = rows[0]
    newest = max((moment for moment in moments if moment is not None), default=None)
    return Survey(waiting, delayed, running, stranded, newest)


def damage(data: Path) -> str:
    """Look through an environment's broker file, and return what is wrong with it, or an empty text.

    Raises:
        EnvironmentFault: there is none, or it cannot be read.
    """
    with _opened(data / FILE) as connection:
        found: list[tuple[Any, ...]] = connection.execute("PRAGMA quick_check(1)").fetchall()
    return "" if found == [("ok",)] else " ".join(str(found[0][0]).split())


@contextmanager
def _opened(path: Path) -> Iterator[Connection]:
    """Lend a connection for reading. A log that a killed server left behind is still there afterwards."""
    log = path.with_name(f"{path.name}-wal")
    has_log = log.exists() and log.stat().st_size > 0
    try:
        with closing(open_to_read(path, patience=PATIENCE)) as connection:
            if has_log:
                connection.leave_log()
            yield connection
    except FileError as error:
        raise EnvironmentFault(f"{path} cannot be read: {error}.") from error


def _statement() -> str:
    return load_statements("zato.broker", "sqlite.sql")["survey"]
