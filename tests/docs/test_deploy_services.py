"""The how-to on deploying services: every report in its table is what a file of that kind is told."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.imports import imports_undone
from zato.core.settings import Settings
from zato.server.load_errors import import_error
from zato.server.loader import LoadError, Loading, load_folder
from zato.server.store_hooks import before_add

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "deploy-services.md"
ROW = re.compile(r"^\| (?P<kind>.+?) \| `(?P<report>.+?)` \| (?P<todo>.+) \|$", re.MULTILINE)
SYNC = "from zato.server.service import Service\nclass Sync(Service):\n{}\n    def handle(self): pass\n"
NAMED = SYNC.format("    name = '{}'")
# The files of each kind; the last one is the one that the row is about.
FILES: dict[str, dict[str, str | bytes]] = {
    "raises an exception": {"broken": "1 / 0"},
    "imports one that raises": {"broken": "1 / 0", "file": "import broken"},
    "does not end": {"broken": "while True: pass"},
    "imports one that does not end": {"broken": "while True: pass", "file": "import broken"},
    "calls `sys.exit`": {"file": "import sys\nsys.exit('bye')"},
    "has a syntax error": {"file": "def f(:"},
    "is Python 2": {"file": "print 'x'"},
    "is not UTF-8": {"file": b"x = '\xe9'\n"},
    "is in another encoding than it declares": {"file": b"# coding: ascii\nx = '\xc3\xa9'\n"},
    "needs a package": {"file": "import no_such"},
    "imports in a circle": {"other": "from circle import x", "circle": "from other import y"},
    "has a service whose name is taken": {"first": NAMED.format("sync"), "second": NAMED.format("sync")},
    "has a name that starts with `zato`": {"file": NAMED.format("zato.sync")},
    "has a hook that fails": {
        "file": SYNC.format("    @staticmethod\n    def before_add_to_store(): raise ValueError('no')")
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A services folder whose imports are undone."""
    with imports_undone():
        yield tmp_path


def rows() -> dict[str, str]:
    """Return the report of each kind of file, as the page has it."""
    return {row["kind"]: row["report"] for row in ROW.finditer(PAGE.read_text("utf-8"))}


def report_on(folder: Path, kind: str) -> LoadError:
    """Return what is said of a file."""
    file = folder / "file.py"
    how = Loading(limit=0.1)
    if kind == "is a folder":
        file.mkdir()
    elif kind == "is a link to nowhere":
        file.symlink_to("nowhere")
    elif kind == "may not be read":
        return import_error(file, PermissionError(13, "Permission denied", str(file)))
    elif kind == "ends or crashes its process":
        file.touch()
        how = Loading(ended_by={str(file): "The process that loaded it ended with status 3."})
    for stem, text in FILES.get(kind, {}).items():
        file = folder / f"{stem}.py"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    loaded = load_folder(folder, how)
    before_add(loaded, how)
    return next(error for error in loaded.errors if error.file == str(file))


@pytest.mark.parametrize("kind", rows())
def test_report_is_what_the_page_says(folder: Path, kind: str) -> None:
    """From its first word on; the page leaves out what differs from one to the other."""
    documented = re.compile(".*".join(map(re.escape, rows()[kind].split("..."))))
    assert documented.match(report_on(folder, kind).reason)


def test_every_kind_is_in_the_table() -> None:
    """None of the kinds that are known here is forgotten on the page."""
    assert set(FILES) < set(rows())


def test_time_that_the_page_names() -> None:
    """It is the setting's default."""
    assert f"{Settings().import_timeout:g} s by default" in PAGE.read_text("utf-8")


def test_example_runs(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The class on the page is deployed, and its hook is called."""
    (example,) = re.findall(r"```python\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (folder / "rates.py").write_text(example)
    caplog.set_level("INFO")
    loaded = load_folder(folder)
    before_add(loaded, Loading())
    assert [service.name for service in loaded.services] == ["rates.rates"]
    assert caplog.messages == ["Rates are about to be deployed"]
