"""Files of any kind: each is read or named, and none is run."""

import os
import tempfile
from pathlib import Path

import pytest

from tests.support.rights import not_as_root
from zato.migrate import sources
from zato.migrate.report import check
from zato.migrate.sources import files_below


def whats(path: Path) -> list[tuple[str, int, str]]:
    """Return file, line and name of every finding."""
    return [(file.file.name, finding.line, finding.what) for file in check(path).files for finding in file.findings]


def test_folders_are_read_in_order(tmp_path: Path) -> None:
    """Hidden folders, caches and installed packages are left out, and so is what is not Python."""
    for name in ("b.py", "a.py", "c/d.py", ".git/e.py", "__pycache__/f.py", "site-packages/g.py", ".h.py", "i.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert [str(file.relative_to(tmp_path)) for file in files_below(tmp_path)] == ["a.py", "b.py", "c/d.py"]


def test_loops_of_links_end(tmp_path: Path) -> None:
    """A folder that holds a link to itself, or is linked twice, is read once."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.py").touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")

    assert [file.name for file in files_below(tmp_path)] == ["x.py"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b"\xef\xbb\xbfx = 1\r\ny = `x`\r\n", [("x.py", 2, "backticks")], id="mark-and-returns"),
        pytest.param(b"# coding: latin-1\nx = '\xe9'\n", [], id="declared"),
        pytest.param(b"\ny = '\xe9'\nimport sha", [("x.py", 2, "not UTF-8"), ("x.py", 3, "import sha")], id="foreign"),
        pytest.param(b"# coding: klingon\nx = 1\n", [("x.py", 1, "not UTF-8")], id="unknown-encoding"),
    ],
)
def test_bytes(tmp_path: Path, data: bytes, expected: list[tuple[str, int, str]]) -> None:
    """Whatever a file holds, the rest of it is read as well as can be."""
    (tmp_path / "x.py").write_bytes(data)
    assert whats(tmp_path) == expected


def test_what_cannot_be_read_is_named() -> None:
    """A pipe, a link to nowhere, and what is closed to this user are findings of their files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        os.mkfifo(folder / "pipe.py")
        (folder / "link.py").symlink_to(folder / "nowhere")
        (folder / "closed.py").touch(0o000)
        (folder / "folder").mkdir(0o000)
        with not_as_root():
            found = whats(folder)

    assert found == [
        ("closed.py", 0, "unreadable: Permission denied"),
        ("link.py", 0, "no regular file"),
        ("pipe.py", 0, "no regular file"),
        ("folder", 0, "unreadable: Permission denied"),
    ]


def test_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data that is called Python does not hold up the check."""
    monkeypatch.setattr(sources, "LARGEST", 10)
    (tmp_path / "x.py").write_text("x = 1234567")
    (tmp_path / "y.py").write_text("x = 123456")

    assert whats(tmp_path) == [("x.py", 0, "too large")]


def test_deeply_nested_file(tmp_path: Path) -> None:
    """What Python itself cannot hold is a finding, and the other files are checked."""
    (tmp_path / "x.py").write_text("x = " + "-" * 20_000 + "1")
    (tmp_path / "y.py").write_text("x = " + " + ".join(["a.b"] * 1500) + "\nimport urllib2")
    found = whats(tmp_path)

    assert {name for name, _, _ in found} == {"x.py", "y.py"}


def test_nothing_is_run(tmp_path: Path) -> None:
    """A file that would leave a trace leaves none, and no cache is written."""
    (tmp_path / "x.py").write_text(f"open({str(tmp_path / 'trace')!r}, 'w')\nraise SystemExit(3)\n")
    check(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["x.py"]
