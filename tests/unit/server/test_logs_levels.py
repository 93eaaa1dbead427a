"""Levels that are changed while the server runs."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disks import no_room
from tests.support.rights import not_as_root
from zato.core.errors import EnvironmentFault, TooManyRequests
from zato.server.logs.levels import Levels
from zato.server.logs.root import Outlets, logging_to

NAMES = ("root", "tests.levels", "tests.levels.other")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the levels as they were."""
    before = {name: logging.getLogger(name).level for name in NAMES}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What the processes share."""
    return tmp_path / "levels.json"


def test_other_process_sees_a_change(file: Path) -> None:
    """What one process changes, another puts in force when it looks, and undoes in the same way."""
    one, other = Levels(file, default="INFO"), Levels(file, default="INFO")
    log = logging.getLogger("tests.levels")
    log.setLevel(logging.ERROR)
    one._write(file, "tests.levels", "DEBUG")
    other.look()
    assert (log.level, other.current()) == (logging.DEBUG, {"tests.levels": "DEBUG"})

    one._write(file, "tests.levels", None)
    other.look()
    assert (log.level, other.current()) == (logging.ERROR, {})


def test_change_is_in_force_here_at_once(file: Path) -> None:
    """The root logger has a name like any other."""
    Levels(file, default="INFO").change("root", "ERROR")
    assert logging.getLogger().level == logging.ERROR


def test_changes_of_several_loggers(file: Path) -> None:
    """One does not undo another, whichever process makes it."""
    Levels(file, default="INFO").change("tests.levels", "DEBUG")
    Levels(file, default="INFO").change("tests.levels.other", "ERROR")
    assert Levels(file, default="INFO").current() == {"tests.levels": "DEBUG", "tests.levels.other": "ERROR"}


def test_undo(file: Path) -> None:
    """At the end the loggers are as they were before."""
    log = logging.getLogger("tests.levels")
    log.setLevel(17)
    levels = Levels(file, default="INFO")
    levels.change("tests.levels", "DEBUG")
    levels.undo()
    assert log.level == 17


@pytest.mark.parametrize("text", ["", "[]", "{", '{"tests.levels": "LOUD"}'])
def test_file_that_makes_no_sense(file: Path, text: str) -> None:
    """Whoever wrote it, nothing changes."""
    file.write_text(text)
    levels = Levels(file, default="INFO")
    levels.look()
    assert levels.current() == {}


def test_process_begins_with_what_was_changed(tmp_path: Path, file: Path) -> None:
    """One that replaces another logs like that one from its first line on."""
    file.write_text('{"root": "ERROR", "tests.levels": "DEBUG"}')
    with logging_to(Outlets(file=tmp_path / "server.log", levels=file)):
        logging.getLogger("tests.other").warning("not this")
        logging.getLogger("tests.levels").debug("this")
    assert [json.loads(line)["event"] for line in (tmp_path / "server.log").read_text().splitlines()] == ["this"]


def test_number_of_loggers_has_a_limit(file: Path) -> None:
    """The file does not grow without end."""
    file.write_text(json.dumps({f"tests.many.{number}": "INFO" for number in range(100)}))
    with pytest.raises(TooManyRequests, match="100 loggers have changed levels"):
        Levels(file, default="INFO").change("tests.levels", "DEBUG")


def test_folder_that_cannot_be_written(file: Path) -> None:
    """The caller learns which file, and why."""
    file.parent.chmod(0o500)
    with not_as_root(), pytest.raises(EnvironmentFault, match=r"levels\.lock cannot be written: Permission denied"):
        Levels(file, default="INFO").change("tests.levels", "DEBUG")


def test_folder_that_is_gone(tmp_path: Path) -> None:
    """The same for a folder that somebody removed."""
    with pytest.raises(EnvironmentFault, match=r"levels\.lock cannot be written: No such file or directory"):
        Levels(tmp_path / "gone" / "levels.json", default="INFO").change("tests.levels", "DEBUG")


def test_disk_that_is_full(file: Path) -> None:
    """The levels stay, and no draft does."""
    levels = Levels(file, default="INFO")
    levels.change("tests.levels", "DEBUG")
    with no_room(), pytest.raises(EnvironmentFault, match="cannot be written: File too large"):
        levels.change("tests.levels", "ERROR")
    assert levels.current() == {"tests.levels": "DEBUG"}
    assert not list(file.parent.glob("*.new"))
