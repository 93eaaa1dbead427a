"""Log files on a disk that takes a part of a line."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zato.server.logs.files import LogFile


@contextmanager
def files_of(size: int) -> Iterator[None]:
    """Let no file be larger while the context lasts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_half_a_line(tmp_path: Path) -> None:
    """What comes after a line of which only a part could be written begins a line of its own."""
    said: list[str] = []
    file = LogFile(tmp_path / "server.log", said.append)
    with files_of(10):
        file.write(b"first\n")
        file.write(b"second\n")
        file.write(b"nothing\n")
    file.write(b"third\n")
    file.close()
    assert (tmp_path / "server.log").read_text().splitlines() == ["first", "seco", "third"]
    assert said == [f"{tmp_path / 'server.log'} cannot be written: File too large. Lines are missing in it."]


def test_file_that_was_removed(tmp_path: Path) -> None:
    """It is made again, and lines go there."""
    file = LogFile(tmp_path / "server.log", print)
    (tmp_path / "server.log").unlink()
    file.write(b"first\nsecond\n")
    file.close()
    assert (tmp_path / "server.log").read_text() == "first\nsecond\n"
