"""Finding the files of a folder and reading each one as text, whatever it holds. Nothing is run."""

import codecs
import io
import os
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zato.migrate.findings import Finding
from zato.migrate.rules import FILES

__all__ = ["Source", "files_below", "source_of"]

# Bytes; a longer file is data, not a service.
LARGEST = 2_000_000
# Folders that hold other people's files.
SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


@dataclass(frozen=True, slots=True)
class Source:
    """One file as text.

    Attributes:
        text: empty if it cannot be read.
        findings: why it cannot be, or cannot be as it is.
    """

    file: Path
    text: str
    findings: tuple[Finding, ...] = ()


def files_below(path: Path) -> Iterator[Path]:
    """Yield the Python files of a folder and the folders in it, in order; or the one file that is given.

    Hidden folders, and those of installed packages, are left out. A folder that is reached twice, by a link, is
    looked at once. One that cannot be looked into is yielded itself, at the end.
    """
    if not path.is_dir():
        yield path
        return
    seen: set[tuple[int, int]] = set()
    closed: list[Path] = []
    _is_new(path, seen)
    for folder, folders, files in os.walk(path, onerror=lambda error: closed.append(error.filename), followlinks=True):
        folders[:] = sorted(name for name in folders if _is_wanted(name) and _is_new(Path(folder, name), seen))
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".py") and not name.startswith("."))
    yield from map(Path, closed)


def _is_wanted(name: str) -> bool:
    return not name.startswith(".") and name not in SKIPPED


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    try:
        status = folder.stat()
    except OSError:
        return False
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def source_of(file: Path) -> Source:
    """Return a file as text, and what is wrong with it as a file."""
    try:
        if not (file.is_file() or file.is_dir()):
            return Source(file, "", (FILES["no regular file"].at(0, "no regular file"),))
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except OSError as error:
        return Source(file, "", (FILES["unreadable"].at(0, f"unreadable: {error.strerror}"),))
    if len(data) > LARGEST:
        return Source(file, "", (FILES["too large"].at(0, "too large"),))
    return _decoded(file, data)


def _decoded(file: Path, data: bytes) -> Source:
    """Return the text of a file in UTF-8, or in the encoding that it declares."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        text = data.removeprefix(codecs.BOM_UTF8).decode("latin-1")
        line = _first_foreign_line(data)
        return Source(file, _with_line_feeds(text), (FILES["not UTF-8"].at(line, "not UTF-8"),))
    return Source(file, _with_line_feeds(text))


def _first_foreign_line(data: bytes) -> int:
    """Return the line with the first byte that is not UTF-8, or line 1 if it is the declaration that is wrong."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return 1


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
