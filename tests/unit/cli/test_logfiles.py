"""Reading log files from their end, and as they grow."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from zato.cli import logfiles
from zato.cli.logfiles import Follower, newest_first
from zato.core.errors import EnvironmentFault


def line(second: int, **values: object) -> str:
    """Return a line of a log."""
    return json.dumps({"event": f"n{second}", "timestamp": f"2026-11-21T00:00:{second:02}.000Z", **values}) + "\n"


def add(file: Path, *texts: str) -> None:
    """Add text to a file."""
    with file.open("a") as opened:
        opened.write("".join(texts))


def events(logs: list[Path], word: bytes = b"") -> list[str]:
    """Return the messages of logs, the newest first."""
    lines = newest_first(logs, lambda raw: word in raw)
    return [found.raw.decode() if found.values is None else found.values["event"] for found in lines]


@pytest.mark.parametrize("block", [1, 7, 100_000])
def test_lines_come_merged_from_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """Two logs and what was put aside of them are one, in whatever pieces they are read."""
    monkeypatch.setattr(logfiles, "BLOCK", block)
    server, access = tmp_path / "server.log", tmp_path / "access.log"
    add(tmp_path / "server.log.1", line(1), line(3))
    add(server, line(5), line(7))
    add(access, line(2), line(4), line(6), line(8))
    assert events([server, access]) == ["n8", "n7", "n6", "n5", "n4", "n3", "n2", "n1"]


@pytest.mark.parametrize("block", [1, 50, 100_000])
def test_unwanted_lines_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """One wanted line is found, wherever pieces of the file end."""
    monkeypatch.setattr(logfiles, "BLOCK", block)
    add(tmp_path / "a.log", *(line(second) for second in range(60)))
    assert events([tmp_path / "a.log"], b'"n33"') == ["n33"]


def test_broken_lines_stay_beside_their_neighbours(tmp_path: Path) -> None:
    """What has no time stamp is where it stood."""
    add(tmp_path / "a.log", line(1), "half {\n", "[1]\n", line(3), '{"event": "no time"}\n', line(5), "unfinished")
    add(tmp_path / "b.log", line(2), line(4))
    expected = ["unfinished", "n5", "no time", "n4", "n3", "[1]", "half {", "n2", "n1"]
    assert events([tmp_path / "a.log", tmp_path / "b.log"]) == expected


def test_logs_that_are_not_there(tmp_path: Path) -> None:
    """They are empty; one that was just put aside counts."""
    add(tmp_path / "b.log.1", line(1))
    assert events([tmp_path / "a.log", tmp_path / "b.log"]) == ["n1"]


def test_log_that_cannot_be_read(tmp_path: Path) -> None:
    """The file is named, and what was opened before is closed."""
    add(tmp_path / "a.log", line(1))
    (tmp_path / "a.log.1").symlink_to("a.log.1")
    with pytest.raises(EnvironmentFault, match=r"a\.log\.1 cannot be read: "):
        events([tmp_path / "a.log"])


def test_follower_waits_for_the_other_half(tmp_path: Path) -> None:
    """A line is shown once it is whole; those from before are not."""
    log = tmp_path / "a.log"
    add(log, line(1), line(2)[:9])
    with closing(Follower(log)) as follower:
        first = follower.lines(bool)
        add(log, line(2)[9:], line(3)[:5])
        assert (first, [found.raw.decode() + "\n" for found in follower.lines(bool)]) == ([], [line(2)])


def test_follower_goes_on_in_new_files(tmp_path: Path) -> None:
    """What was added to the old file comes first, and a file that came and went meanwhile is read too."""
    log = tmp_path / "a.log"
    add(log, line(1))
    with closing(Follower(log)) as follower:
        add(log, line(2), "half")
        log.rename(tmp_path / "a.log.2")
        add(tmp_path / "a.log.1", line(3))
        add(log, line(4))
        found = [found.raw.decode() for found in follower.lines(bool)]
        add(log, line(5))
        found += [found.raw.decode() for found in follower.lines(bool)]
    assert found == [line(2).strip(), "half", line(3).strip(), line(4).strip(), line(5).strip()]


def test_follower_of_a_log_that_begins_later(tmp_path: Path) -> None:
    """There may be no file yet; one that was emptied begins anew."""
    log = tmp_path / "a.log"
    with closing(Follower(log)) as follower:
        assert follower.lines(bool) == []
        add(log, line(1), line(2))
        assert len(follower.lines(bool)) == 2
        log.write_text(line(3))
        assert [found.time[-7:-5] for found in follower.lines(bool)] == ["03"]
