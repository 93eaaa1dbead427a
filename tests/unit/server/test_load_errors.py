"""What is said of a file that does not load: the line, the reason, what to do about it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.imports import imports_undone
from tests.support.rights import not_as_root
from zato.server.load_errors import LoadError
from zato.server.loader import Loading, load_folder

PYTHON_2 = "This is Python 2: 'zato migrate check' lists what to change."
SYNTAX = [
    pytest.param(b"x = 1\ndef f(:\n", 2, "SyntaxError: invalid syntax in 'def f(:'", id="syntax"),
    pytest.param(b"def f():\nreturn 1\n", 2, "IndentationError: expected an indented block", id="indentation"),
    pytest.param(b"x = '" + b"a" * 500, 1, f'(detected at line 1) in "x = \'{"a" * 75}"', id="long-line"),
    pytest.param(b"#\n# coding: nonsense\n", 2, "SyntaxError: unknown encoding: nonsense", id="no-such-encoding"),
    pytest.param(b"\xff\xfex\x00", 1, "It is in UTF-16. Save it as UTF-8.", id="utf-16"),
    pytest.param(b"#\nx = '\x00'\n", 2, "It holds a null byte, so it is no text", id="null-byte"),
    pytest.param(
        b"x = 1\ny = '\xe9'\n",
        2,
        "It is not UTF-8: byte 6 of the line is 0xe9. Save it as UTF-8, or declare its encoding in the first line",
        id="not-utf-8",
    ),
    pytest.param(b"\xef\xbb\xbf'\xe9'\n", 1, "It is not UTF-8: byte 5 of the line is 0xe9", id="after-a-mark"),
    pytest.param(
        b"# coding: ascii\nx = 'a\xc3\xa9'\n",
        2,
        "It is not in 'ascii', as it declares: byte 7 of",
        id="not-as-declared",
    ),
]
OLD = [
    pytest.param("print 'x'", "SyntaxError: Missing parentheses in call to 'print'", id="print"),
    pytest.param("print", None, id="print-alone"),
    pytest.param("try:\n    pass\nexcept A, e:\n    pass", "SyntaxError: multiple exception types", id="except"),
    pytest.param("raise ValueError, 'x'", "SyntaxError: invalid syntax in", id="raise"),
    pytest.param("x = `1`", "SyntaxError: invalid syntax in", id="backticks"),
    pytest.param("1 <> 2", "SyntaxError: invalid syntax in", id="unequal"),
    pytest.param("x = 0777", "SyntaxError: leading zeros in decimal integer", id="octal"),
    pytest.param("x = 10L", "SyntaxError: invalid decimal literal in", id="long"),
    pytest.param("x = ur'a'", "SyntaxError: invalid syntax in", id="raw-unicode"),
    pytest.param("unicode('x')", "NameError: name 'unicode' is not defined", id="name"),
    pytest.param("import urllib2", "ModuleNotFoundError: No module named 'urllib2'", id="module"),
]
IMPORTS = [
    pytest.param(
        "\nimport no_such.module",
        f"No module named 'no_such'. Install it into the Python of this server, '{sys.executable} -m pip install no_",
        id="not-installed",
    ),
    pytest.param("\nimport json.nosuch", "No module named 'json.nosuch'. json is there: another version", id="version"),
    pytest.param("\nimport zato.nosuch", "'zato migrate check' says what there is instead.", id="of-ours"),
    pytest.param("\nfrom . import other", "import each other by their plain names: 'import other'.", id="relative"),
    pytest.param("\nraise ModuleNotFoundError('x')", "ModuleNotFoundError: x. What it imports is there", id="nameless"),
]


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may look into."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A services folder whose imports are undone."""
    with imports_undone():
        yield tmp_path


def errors(folder: Path, how: Loading | None = None, **files: str | bytes) -> dict[str, LoadError]:
    """Return why files do not load, by their stems."""
    for stem, text in files.items():
        (folder / f"{stem}.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    return {Path(error.file).stem: error for error in load_folder(folder, how).errors}


@pytest.mark.parametrize(("text", "line", "reason"), SYNTAX)
def test_text_that_is_no_python(folder: Path, text: bytes, line: int, reason: str) -> None:
    """Line and text, or line and byte, are told."""
    error = errors(folder, b=text)["b"]
    assert (error.line, error.cause) == (line, None)
    assert reason in error.reason


@pytest.mark.parametrize("text", [b"# coding: latin-1\nx = '\xe9'\n", b"\xef\xbb\xbfx = 1\n"], ids=["cookie", "mark"])
def test_other_encodings_are_fine(folder: Path, text: bytes) -> None:
    """A file may declare its own, and begin with a mark."""
    assert errors(folder, b=text) == {}


@pytest.mark.parametrize(("text", "reason"), OLD)
def test_python_2(folder: Path, text: str, reason: str | None) -> None:
    """What looks like it is called so."""
    found = errors(folder, b=text + "\n")
    if reason is None:
        assert found == {}
    else:
        assert (found["b"].reason.startswith(reason), found["b"].reason.endswith(PYTHON_2)) == (True, True)


@pytest.mark.parametrize("text", ["x = (1,", "print(1) 2", "raise ValueError('a, b') from", "x = '<' '>' )"])
def test_python_3_is_not_taken_for_python_2(folder: Path, text: str) -> None:
    """Ordinary mistakes get no hint that leads away."""
    assert "Python 2" not in errors(folder, b=text + "\n")["b"].reason


@pytest.mark.parametrize(("text", "reason"), IMPORTS)
def test_what_cannot_be_imported(folder: Path, text: str, reason: str) -> None:
    """It is said what to do, which depends on what is missing."""
    error = errors(folder, b=text)["b"]
    assert error.line == 2
    assert reason in error.reason


@pytest.mark.parametrize(
    ("last", "message"),
    [
        pytest.param("from a import z\n", "ImportError: cannot import name 'z' from 'a'", id="names"),
        pytest.param("import a\na.z\n", "AttributeError: module 'a' has no attribute 'z'", id="attributes"),
    ],
)
def test_circular_import(folder: Path, last: str, message: str) -> None:
    """The circle is shown, from the file on, and how to open it."""
    found = errors(folder, a="import b\nz = 1\n", b="import c\n", c=last)
    circle = "A circular import: a.py, which imports b.py, which imports c.py, which imports a.py. "
    assert found["a"].reason.startswith(circle + message)
    assert "inside of methods only, or move what both need into a third file." in found["a"].reason


def test_message_without_an_end(folder: Path) -> None:
    """It is cut: the reports of all files go to the supervisor together."""
    reason = errors(folder, b="raise ValueError('x' * 1_000_000)")["b"].reason
    assert reason == "ValueError: " + "x" * 1000 + " ... cut"


def test_file_that_another_one_reads(folder: Path) -> None:
    """Nothing is said of what may be wrong with the file itself, which is there."""
    reason = errors(folder, b="\nopen('/no/such/file')")["b"].reason
    assert reason == "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/file'"


def test_module_that_hangs(folder: Path) -> None:
    """Where it hangs is told, those that import it learn of it at once, and the others are loaded."""
    hangs = "import time\nwith open(__file__ + '.runs', 'a') as runs: runs.write('x')\ntime.sleep(50)\n"
    found = errors(folder, Loading(limit=0.1), a="\nimport b", b=hangs, c="import b", d="x = 1")
    assert [(error.file[-4:], error.line) for error in found.values()] == [("a.py", 2), ("b.py", 3), ("c.py", 1)]
    assert found["a"].reason.startswith(
        "Its import has not ended after 0.1 s (in b.py:3, which it imports) and was given"
    )
    assert found["b"].reason.endswith("belongs into 'handle'; or allow more (setting import_timeout).")
    assert found["c"].reason == "It imports b.py, which could not be loaded either. Put that one right first."
    assert ("b" in sys.modules, (folder / "b.py.runs").read_text()) == (False, "x")


def test_module_whose_function_hangs_in_another(folder: Path) -> None:
    """The one that called it is given up, and not the one in which it is written."""
    function = "import time\ndef wait():\n    time.sleep(50)\n"
    found = errors(folder, Loading(limit=0.1), a="import z\nz.wait()", z=function)
    assert [(stem, error.line) for stem, error in found.items()] == [("a", 2)]
    assert "(in z.py:3, which it imports)" in found["a"].reason


def test_module_that_hangs_under_the_name_of_an_installed_one(folder: Path) -> None:
    """The installed one can still be imported."""
    found = errors(folder, Loading(limit=0.1), json="import time\ntime.sleep(50)", z="import json\njson.loads('1')")
    assert list(found) == ["json"]


def test_file_that_ended_a_process(folder: Path) -> None:
    """It is not run again, by nobody, and the report says how the process ended."""
    how = Loading(ended_by={str(folder / "b.py"): "It ended."})
    found = errors(folder, how, a="import b", b="import os\nos._exit(3)", c="x = 1")
    assert list(found) == ["a", "b"]
    assert str(found["b"]).startswith(f"{folder / 'b.py'}: It ended. It is left out until the server is started again")


def test_file_that_is_being_imported_is_told(folder: Path) -> None:
    """The innermost one, and the one around it when that has ended."""
    said: list[str] = []
    errors(folder, Loading(now_at=lambda file: said.append(Path(file).name)), a="import b\n", b="", json="")
    assert said == ["a.py", "b.py", "a.py", "json.py", ""]


def test_file_that_may_not_be_read(folder: Path, public: Path) -> None:
    """The user is named who may not."""
    (public / "b.py").write_text("x = 1\n")
    (public / "b.py").chmod(0)
    with not_as_root():
        error = errors(public)["b"]
    assert (error.line, error.reason.startswith("PermissionError: ")) == (None, True)
    assert "who may not read it: 'chmod a+r' or 'chown' helps." in error.reason


def test_folder_that_may_not_be_read(folder: Path, public: Path) -> None:
    """It is no empty one."""
    (public / "services").mkdir(mode=0)
    with not_as_root():
        error = errors(public / "services")["services"]
    assert str(error).startswith(f"{public / 'services'}: PermissionError: ")


@pytest.mark.parametrize("target", ["b.py", "nowhere.py"], ids=["circle", "nowhere"])
def test_link_that_leads_to_no_file(folder: Path, target: str) -> None:
    """It is reported, without a line."""
    (folder / "b.py").symlink_to(folder / target)
    error = errors(folder)["b"]
    assert (error.line, error.reason.endswith("If it is a link, it leads nowhere, or in a circle.")) == (None, True)


def test_folder_that_is_a_link_in_a_circle(folder: Path) -> None:
    """It is reported as what it is."""
    (folder / "services").symlink_to(folder / "services")
    error = errors(folder / "services")["services"]
    assert error.reason.endswith("If it is a link, it leads nowhere, or in a circle.")


def test_what_is_no_file(folder: Path) -> None:
    """A folder is not looked into, and nobody waits for a pipe."""
    (folder / "a.py").mkdir()
    os.mkfifo(folder / "b.py")
    found = errors(folder)
    assert found["a"].reason == "It is a folder. Only files are loaded: move it away, or rename it."
    assert found["b"].reason == "It is no regular file. Only files are loaded: move it away, or rename it."
