"""`zato logs`: what was logged, in the order of time."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.commands import Zato
from tests.support.environments import ZATO, make_environment
from tests.support.terminals import on_a_terminal
from tests.support.waiting import wait_until

CID = "c" + "0" * 23


def line(second: int, event: str = "", **values: object) -> str:
    """Return a line of a log."""
    stamp = {"timestamp": f"2026-11-21T00:00:{second:02}.000Z", "level": "info", "logger": "crm"}
    return json.dumps({"event": event or f"n{second}", **stamp, **values}) + "\n"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The folder of logs of an environment without a server."""
    return make_environment(tmp_path / "env").logs


def add(file: Path, *texts: str) -> None:
    """Add text to a file."""
    with file.open("a") as opened:
        opened.write("".join(texts))


def test_newest_lines_of_both_logs(zato: Zato, logs: Path) -> None:
    """They are merged by time, oldest first, with what is known of each."""
    add(logs / "server.log.1", line(1), line(2))
    add(logs / "server.log", line(4, cid=CID, service="crm.order", channel=None))
    add(logs / "access.log", line(3, status=200), line(5))
    done = zato("logs", logs.parent, "--lines", 4)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "2026-11-21T00:00:02.000Z INFO     n2 [crm]",
        "2026-11-21T00:00:03.000Z INFO     n3 status=200 [crm]",
        f"2026-11-21T00:00:04.000Z INFO     n4 cid={CID} service=crm.order [crm]",
        "2026-11-21T00:00:05.000Z INFO     n5 [crm]",
    ]


def test_fifty_lines_unless_told(zato: Zato, logs: Path) -> None:
    """As many as fit a screen or two."""
    add(logs / "server.log", *(line(second % 60) for second in range(100)))
    assert len(zato("logs", logs.parent).out.splitlines()) == 50
    assert zato("logs", logs.parent, "--lines", 0).out == ""


def test_every_line_of_a_cid(zato: Zato, logs: Path) -> None:
    """Also those in files that were put aside, however many there are."""
    add(logs / "server.log.2", *(line(1, cid=CID) for _ in range(60)))
    add(logs / "server.log.1", line(2, cid="other"), line(2, f"speaks of {CID}"))
    add(logs / "server.log", line(3, cid=CID))
    assert len(zato("logs", logs.parent, "--cid", CID).out.splitlines()) == 61
    assert "n3" in zato("logs", logs.parent, "--cid", CID, "--lines", 1).out


@pytest.mark.parametrize("cid", ['quote " \\ end', "żółw", "a b"])
def test_any_cid_is_found(zato: Zato, logs: Path, cid: str) -> None:
    """However JSON spells it."""
    add(logs / "server.log", line(1, cid=cid))
    add(logs / "access.log", json.dumps({"event": "utf-8", "cid": cid}, ensure_ascii=False) + "\n")
    assert len(zato("logs", logs.parent, "--cid", cid).out.splitlines()) == 2


def test_unknown_cid(zato: Zato, logs: Path) -> None:
    """It is an error, unlike an empty log."""
    done = zato("logs", logs.parent, "--cid", CID)
    assert (done.code, done.out, CID in done.err) == (4, "", True)
    assert zato("logs", logs.parent).code == 0


def test_filters(zato: Zato, logs: Path) -> None:
    """By level and all above it, and by service."""
    levels = ("debug", "info", "warning", "error", "critical")
    add(logs / "server.log", *(line(1, f"is {level}", level=level, service=f"crm.{level}") for level in levels))
    shown = {level: zato("logs", logs.parent, "--level", level).out.count("\n") for level in levels}
    assert shown == {"debug": 5, "info": 4, "warning": 3, "error": 2, "critical": 1}
    assert zato("logs", logs.parent, "--service", "crm.error").out.count("\n") == 1


def test_traceback_is_below_its_line(zato: Zato, logs: Path) -> None:
    """Further in than any message begins, so that none can be forged."""
    add(logs / "server.log", line(1, exception="Traceback:\n2026-11-21T00:00:09.000Z INFO forged\x1b[2J"))
    assert zato("logs", logs.parent).out.splitlines()[1:] == [
        "    Traceback:",
        "    2026-11-21T00:00:09.000Z INFO forged\\x1b[2J",
    ]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b'{"event": "half', id="half"),
        pytest.param(b"no JSON \x1b[31m\r\xff", id="no-json"),
        pytest.param(b"[1]", id="no-object"),
        pytest.param(
            rb'{"event": "two\nlines \u001b[2J", "\u001b[k": "\u009b1m\r", "timestamp": "\u001b"}', id="escaped"
        ),
        pytest.param(b'{"event": 1, "level": {"a": "\xc2\x9b"}, "logger": null, "exception": []}', id="other-types"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_nothing_in_a_log_moves_the_cursor(logs: Path, raw: bytes, options: tuple[str, ...]) -> None:
    """A broken line is shown as it is, harmless, on a terminal too; it stays one line."""
    (logs / "server.log").write_bytes(raw + b"\n")
    shown = on_a_terminal([ZATO, "logs", str(logs.parent), *options], env={"NO_COLOR": "1"})
    (only,) = shown.splitlines()
    assert only.isprintable()


def test_lines_for_programs(zato: Zato, logs: Path) -> None:
    """Each is the object that is in the file; a broken one becomes an object."""
    add(logs / "server.log", line(1, cid=CID), "half {\n", '{"event":"\\u001b","x":"\x7f"}\n')
    first, second, third = zato("logs", logs.parent, "--json").out.splitlines()
    assert first + "\n" == line(1, cid=CID)
    assert json.loads(second) == {"event": "half {", "broken": True}
    assert json.loads(third) == {"event": "\x1b", "x": "\x7f"}


def test_colours_on_a_terminal(logs: Path) -> None:
    """Levels have one each, unless somebody does not want that."""
    add(logs / "server.log", line(1, level="error"))
    command = [ZATO, "logs", str(logs.parent)]
    assert "\x1b[31mERROR" in on_a_terminal(command)
    assert "\x1b" not in on_a_terminal(command, env={"NO_COLOR": "1"})
    assert "\x1b" not in on_a_terminal(command, env={"TERM": "dumb"})


@contextmanager
def following(logs: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """Follow logs in a process of its own that reacts to Ctrl-C."""
    call = [ZATO, "logs", str(logs.parent), "--follow", *options]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True, preexec_fn=_mind_interrupts) as process:  # noqa: PLW1509
        try:
            yield process
        finally:
            process.kill()


def _mind_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_following(logs: Path) -> None:
    """New lines come, halves once they are whole, across a new file; Ctrl-C ends it with 130."""
    log = logs / "server.log"
    add(log, line(1), line(2))
    with following(logs, "--lines", "1") as process:
        assert process.stdout is not None
        seen = [process.stdout.readline()]
        add(log, line(3), line(4)[:9])
        seen.append(process.stdout.readline())
        add(log, line(4)[9:])
        seen.append(process.stdout.readline())
        log.rename(logs / "server.log.1")
        add(logs / "access.log", line(5))
        add(log, line(6))
        seen += [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        status = process.wait(10)
    assert [text.split()[2] for text in seen] == ["n2", "n3", "n4", "n5", "n6"]
    assert (rest, status) == ("", 130)


def test_following_ends_with_its_reader(logs: Path) -> None:
    """Nobody has to log anything for that."""
    add(logs / "server.log", line(1))
    with following(logs) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        wait_until(lambda: process.poll() is not None)
        assert process.returncode == 1


def test_following_is_no_busy_loop(logs: Path) -> None:
    """It looks four times a second at most."""
    add(logs / "server.log", line(1))
    with following(logs) as process:
        assert process.stdout is not None
        process.stdout.readline()
        before = _times(process.pid)
        add(logs / "server.log", line(2))
        process.stdout.readline()
        assert _times(process.pid) - before <= 0.2


def _times(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def test_large_logs_are_read_from_their_end(zato: Zato, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest lines of a large file cost one block of it."""
    read: list[bytes] = []
    add(logs / "server.log", *(line(second % 60, "x" * 1000) for second in range(5000)))
    loads = json.loads

    def counted(raw: bytes) -> object:
        read.append(raw)
        return loads(raw)

    monkeypatch.setattr("zato.cli.logfiles.json.loads", counted)
    assert zato("logs", logs.parent).out.count("\n") == 50
    assert len(read) <= 60
