"""The access log: what its lines hold, and that nothing waits for it."""

import io
import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import wait_until
from zato.core.access import AccessLine, Answered, Ran, kept
from zato.core.masks import Masks
from zato.server.logs.access import AccessLog
from zato.server.logs.backlog import Backlog, Block
from zato.server.logs.files import LogFile
from zato.server.logs.lines import Line, notice
from zato.server.logs.root import Outlets, logging_to

REQUEST: dict[str, Any] = {
    "began": 0.0,
    "ended": 0.0012,
    "cid": "e7a1b2c3d4e5f60718293a4b",
    "method": "POST",
    "path": "/zato/admin/invoke",
    "status": 200,
    "bytes_in": 10,
    "bytes_out": 20,
    "client": "127.0.0.1:5000",
    "service": "crm.sync",
    "channel": "invoke",
    "user": "admin.invoke",
    "accepted": None,
}
RUN = Ran(0.5, "e7a1", "crm.sync", "invoke-async", "failed", 7, 3, 2)
# When the clock that requests are timed with began.
BOOT = datetime.now(UTC) - timedelta(seconds=time.perf_counter())
SHAPE = {"level": "info", "logger": "zato.access"}


def written(tmp_path: Path, *entries: Answered | Ran, style: str = "json") -> tuple[list[dict[str, Any]], str]:
    """Log entries, and return the parsed lines of the file and the text of the stream."""
    stream, access = io.StringIO(), tmp_path / "access.log"
    with logging_to(Outlets(file=tmp_path / "server.log", access=access, style=style, stream=stream)) as logs:
        assert logs.access is not None
        for entry in entries:
            logs.access.put(entry)
    return [json.loads(line) for line in access.read_text("utf-8").split("\n")[:-1]], stream.getvalue()


def test_line_of_a_request(tmp_path: Path) -> None:
    """It says what was asked by whom, how it ended, and how long that took."""
    (line,), text = written(tmp_path, Answered(**REQUEST))
    rest = {name: REQUEST[name] for name in REQUEST if name not in ("began", "ended", "accepted")}
    made = datetime.fromisoformat(line.pop("timestamp"))
    assert abs(made - BOOT).total_seconds() < 5
    assert line == {**SHAPE, "event": "POST /zato/admin/invoke 200", "ms": 1.2, **rest}
    assert line.items() <= json.loads(text).items()


def test_line_of_an_accepted_call(tmp_path: Path) -> None:
    """It has the CID under which the call runs."""
    (line,), _ = written(tmp_path, Answered(**{**REQUEST, "accepted": "f00"}))
    assert (line["async"], line["accepted"]) == (True, "f00")


def test_line_of_a_request_that_did_not_come_far(tmp_path: Path) -> None:
    """What nobody knows is not there."""
    (line,), _ = written(tmp_path, Answered(**{**REQUEST, "service": None, "channel": None, "user": None}))
    assert {"service", "channel", "user", "async", "accepted", "outcome"}.isdisjoint(line)


def test_line_of_a_run(tmp_path: Path) -> None:
    """It has the same shape, with the fields that a run has."""
    (line,), _ = written(tmp_path, RUN)
    assert line == {
        **SHAPE,
        "timestamp": "1970-01-01T00:00:00.500Z",
        "event": "crm.sync failed",
        "cid": "e7a1",
        "service": "crm.sync",
        "channel": "invoke-async",
        "outcome": "failed",
        "ms": 7,
        "waited_ms": 3,
        "attempt": 2,
    }


def test_line_as_text(tmp_path: Path) -> None:
    """People see it like any other line."""
    _, text = written(tmp_path, Answered(**REQUEST), style="text")
    assert "Z [info     ] POST /zato/admin/invoke 200" in text
    assert "cid=e7a1b2c3d4e5f60718293a4b service=crm.sync channel=invoke" in text


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize("name", ["path", "service", "channel", "method"])
def test_texts_of_clients_stay_on_their_line(tmp_path: Path, style: str, name: str) -> None:
    """What clients choose holds no control characters, no secrets by name, and has an end."""
    hostile = 'x\n{"event": "forged"}\r\x1b[1m\u2028\x85\udc80 password=hunter2 ' + "y" * 5000
    lines, text = written(tmp_path, Answered(**{**REQUEST, name: hostile}), style=style)
    assert (len(lines), len(text.splitlines()), text[:-1].isprintable()) == (1, 1, True)
    assert len(lines[0][name]) < 600
    assert "hunter2" not in text + json.dumps(lines)


def test_many_lines(tmp_path: Path) -> None:
    """All of them are there at the end, in their order."""
    entries = [Answered(**{**REQUEST, "bytes_in": number}) for number in range(3000)]
    lines, text = written(tmp_path, *entries)
    assert [line["bytes_in"] for line in lines] == list(range(3000))
    assert len(text.splitlines()) == 3000


def test_line_is_written_within_a_quarter_of_a_second(tmp_path: Path) -> None:
    """Whoever looks finds it soon, and not only at the end."""
    access = tmp_path / "access.log"
    with logging_to(Outlets(file=tmp_path / "server.log", access=access)) as logs:
        assert logs.access is not None
        took = []
        for _ in range(3):
            began, size = time.monotonic(), access.stat().st_size
            logs.access.put(Answered(**REQUEST))
            wait_until(lambda size=size: access.stat().st_size > size)  # type: ignore[misc]
            took.append(time.monotonic() - began)
    # A busy machine may be late now and then.
    assert min(took) < 0.25


def test_disk_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Memory has an end: what does not fit is dropped, and said once the disk is back."""
    monkeypatch.setattr("zato.server.logs.access.ROOM", 10)
    hanging = threading.Event()
    seen: list[int] = []

    def hang(lines: Sequence[AccessLine], data: bytes) -> None:
        hanging.wait()
        seen.append(len(lines))

    file = LogFile(tmp_path / "access.log", print)
    log = AccessLog(file, Masks(), hang)
    log.put(RUN)
    wait_until(lambda: not log._waiting)
    for _ in range(100):
        log.put(RUN)
    hanging.set()
    log.stop()
    file.close()
    assert seen == [1, 10]
    assert caplog.messages == ["The disk was too slow for 90 access lines: they are missing"]


def missing(lines: int, access: int) -> Line:
    """Return a line that says what is missing."""
    return notice(30, f"{lines} {access}")


def shown(backlog: Backlog) -> list[str]:
    """Return what is in a backlog when it is closed."""
    backlog.close()
    found = []
    while taken := backlog.take():
        found += [each.text if isinstance(each, Block) else each.event for each in taken]
    return found


def test_access_lines_give_way() -> None:
    """While a stream is slow, lines of the access log are dropped before any others."""
    backlog = Backlog(4, 1000, missing)
    for number in range(3):
        backlog.put_block(Block(f"access {number}", 1))
    for number in range(4):
        backlog.put(notice(20, str(number)))
    assert shown(backlog) == ["0", "1", "2", "3", "0 3"]


def test_access_lines_leave_half_of_the_room() -> None:
    """They do not fill a backlog themselves."""
    backlog = Backlog(4, 1000, missing)
    for number in range(6):
        backlog.put_block(Block(f"access {number}", 1))
    assert shown(backlog) == ["access 0", "access 1", "access 2", "0 3"]


def test_backlog_has_limits_of_size() -> None:
    """A few large lines fill it too; one line always fits."""
    backlog = Backlog(100, 10, missing)
    backlog.put(notice(20, "x" * 50))
    backlog.put(notice(20, "y"))
    assert shown(backlog) == ["x" * 50, "1 0"]


def test_what_is_logged_while_a_backlog_is_busy() -> None:
    """A finaliser that logs, in a garbage collection at the worst moment, holds up nobody."""

    def logs_too(lines: int, access: int) -> Line:
        backlog.put(notice(20, "finaliser"))
        return missing(lines, access)

    backlog = Backlog(2, 1000, logs_too)
    for number in range(3):
        backlog.put(notice(20, str(number)))
    closing = threading.Thread(target=backlog.close, daemon=True)
    closing.start()
    closing.join(5)
    assert not closing.is_alive()


def test_stop_is_seen_whenever_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also at the moment in which the thread has waited and goes to write."""
    monkeypatch.setattr("zato.server.logs.access.PAUSE", 0.001)
    file = LogFile(tmp_path / "access.log", print)
    for _ in range(400):
        log = AccessLog(file, Masks(()))
        log.put(RUN)
        time.sleep(0.001)
        stopping = threading.Thread(target=log.stop, daemon=True)
        stopping.start()
        stopping.join(5)
        assert not stopping.is_alive()
    file.close()
    assert (tmp_path / "access.log").read_bytes().count(b"\n") == 400


def test_long_path_is_not_kept() -> None:
    """What anybody may send, without a password, fills no memory."""
    assert (kept("/" + "x" * 60_000), kept("/short")) == ("/" + "x" * 500, "/short")
