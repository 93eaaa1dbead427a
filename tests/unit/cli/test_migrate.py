"""`zato migrate check`, as people and programs read it."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.commands import Zato, zato_in
from tests.support.terminals import on_a_terminal

GOOD = """
from zato.server.service import Service
class Get(Service):
    def handle(self):
        self.response.payload = self.cid
"""
OLD = """
from zato.server.service import Service
class Old(Service):
    name = 'x' + 'y'
    def handle(self):
        print 'x'; print 'y'
        print 'z'
        print 'z'
        print 'z'
        print 'z'
        return self.outgoing
"""

EXPECTED = """\
{folder}/good.py
  service  good.get, class Get
  works    Service, self.cid, self.response.payload
  nothing to do

{folder}/old.py
  service  (a name that only running it would tell), class Old
  works    Service
                 line  kind     what              what to do
6, 7, 8, 9 and 1 more  python   print statement   Write `print(...)`, or better `self.logger.info(...)`.
                   11  changed  return in handle  What is returned is the response now, and goes before \
`self.response.payload`. Return nothing if nobody is to see it.
                   11  missing  self.outgoing     There are no outgoing connections: use a library of Python, and keep \
its address in `self.user_config`.

{folder}/other.py
  nothing to do

3 files, 2 services: 1 changed, 1 missing, 5 python.
"""


@pytest.fixture
def zato(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Zato:
    """Run a command in this process."""
    return zato_in(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file that runs here, one that does not, and one that has nothing to do with services."""
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "old.py").write_text(OLD)
    (tmp_path / "other.py").write_text("x = 1\n")
    return tmp_path


def test_file_by_file(zato: Zato, folder: Path) -> None:
    """Each file has its services, what works, and a row for all lines of one finding; the last line counts."""
    done = zato("migrate", "check", folder)

    assert (done.code, done.err) == (1, "")
    assert done.out == EXPECTED.format(folder=folder)


def test_nothing_missing(zato: Zato, folder: Path) -> None:
    """A file that runs here ends with 0."""
    done = zato("migrate", "check", folder / "good.py")

    assert (done.code, done.out.splitlines()[-1]) == (0, "1 file, 1 service: 0 changed, 0 missing, 0 python.")


def test_older_python_alone(zato: Zato, tmp_path: Path) -> None:
    """A file that this Python cannot run ends with 1, though nothing of the server is missing."""
    (tmp_path / "old.py").write_text("import sha\n")
    done = zato("migrate", "check", tmp_path)

    assert (done.code, done.out.splitlines()[-1]) == (1, "1 file, 0 services: 0 changed, 0 missing, 1 python.")


def test_json(zato: Zato, folder: Path) -> None:
    """A program gets every finding on its own, and null where there is nothing to name."""
    report = json.loads(zato("migrate", "check", folder, "--json").out)
    _, old, _ = report.pop("files")

    assert report == {"ok": False, "services": 2, "changed": 1, "missing": 1, "python": 5}
    assert old["services"] == [{"name": None, "class": "Old", "line": 3}]
    assert old["findings"][-1] == {
        "line": 11,
        "severity": "missing",
        "what": "self.outgoing",
        "remedy": "There are no outgoing connections: use a library of Python, "
        "and keep its address in `self.user_config`.",
    }


def test_no_such_folder(zato: Zato, tmp_path: Path) -> None:
    """A misspelt path is an error of usage, not a folder without findings."""
    done = zato("migrate", "check", tmp_path / "nope")

    assert done.code == 2
    assert "does not exist" in done.err


def test_folder_without_python(zato: Zato, tmp_path: Path) -> None:
    """Nothing found is said, and is no failure."""
    done = zato("migrate", "check", tmp_path)
    assert (done.code, done.out) == (0, "0 files, 0 services: 0 changed, 0 missing, 0 python.\n")


def test_names_cannot_move_the_cursor(zato: Zato, tmp_path: Path) -> None:
    """What a terminal would obey in a file's name or text is spelt out."""
    (tmp_path / "a\x1b[2J.py").write_text("import zato.x\n")
    (tmp_path / "b.py").write_text(GOOD.replace("def handle", "name = '\\x1b[2J'\n    def handle"))
    done = zato("migrate", "check", tmp_path)

    assert "\x1b" not in done.out
    assert "a\\x1b[2J.py" in done.out


def test_kinds_have_colours_on_a_terminal(folder: Path) -> None:
    """What is missing is red, what is of an older Python magenta, what changes yellow."""
    command = [sys.executable, "-m", "zato.cli.main", "migrate", "check", str(folder)]
    shown = on_a_terminal(command, columns=120, status=1)

    assert [colour in shown for colour in ("\x1b[31mmissing", "\x1b[35mpython", "\x1b[33mchanged")] == [True] * 3
