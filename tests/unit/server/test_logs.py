"""Log lines: what is in them, and what cannot be smuggled into them."""

import fcntl
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest

from tests.support.subprocesses import unmeasured_environment
from tests.support.waiting import wait_until
from zato.core.errors import EnvironmentFault
from zato.core.exchange import ServiceLogger
from zato.server.logs.files import put_aside
from zato.server.logs.root import Outlets, logging_to

EXTRA = {"cid": "e7a1b2c3d4e5f60718293a4b", "service": "crm.sync", "channel": "rest"}
# Writes lines of very different lengths.
WRITER = """
import logging, sys
from pathlib import Path
from zato.server.logs.root import Outlets, logging_to

with logging_to(Outlets(file=Path(sys.argv[1]), level="INFO", style="json", stream=None)):
    for number in range(200):
        length = 50_000 if number % 5 == 0 else 9_000 if number % 2 else 100
        logging.getLogger("users.own").info("%s%d %s", sys.argv[2], number, sys.argv[2] * length)
"""
FLOOD = """
import logging, sys
from pathlib import Path
from zato.server.logs.root import Outlets, logging_to

with logging_to(Outlets(file=Path(sys.argv[1]), level="INFO", style="json", stream=sys.stderr)):
    for number in range(3000):
        logging.getLogger("users.own").info("x" * 100)
"""
HOSTILE = 'a\nb\r{"event": "forged"}\x1b[2J\x00\x7f\x85\x9b1m\u2028end'


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def logged(
    file: Path, act: Callable[[logging.Logger], object], *, style: str = "json", stream: TextIO | None = None
) -> tuple[list[dict[str, Any]], str]:
    """Log something, and return the parsed lines of the file and the text of the stream."""
    stream = stream or io.StringIO()
    with logging_to(Outlets(file=file, level="INFO", style=style, stream=stream)):
        act(logging.getLogger("users.own"))
    text = stream.getvalue() if isinstance(stream, io.StringIO) else ""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()], text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The log file."""
    return tmp_path / "logs" / "server.log"


def test_line_is_an_object(file: Path) -> None:
    """A line says when, how grave, who and what; a user's own logger needs nothing of ours."""
    (line,), text = logged(file, lambda log: log.warning("%d orders of %r", 2, "ż"))
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "2 orders of 'ż'", "level": "warning", "logger": "users.own"}
    assert json.loads(text)["event"] == "2 orders of 'ż'"


def test_line_of_a_service_carries_what_it_belongs_to(file: Path) -> None:
    """CID, service and channel are fields, so that a log can be searched by them; a secret is not shown."""
    (line,), _ = logged(file, lambda log: ServiceLogger(log, EXTRA).info("now", extra={"password": "hunter2"}))
    assert {name: line[name] for name in EXTRA} == EXTRA
    assert "hunter2" not in json.dumps(line)


def test_time_is_when_it_was_said(file: Path) -> None:
    """A line's time is that of its record, however late it is written."""
    record = logging.makeLogRecord({"msg": "late", "created": 0.5, "levelno": 20, "levelname": "INFO", "name": "x"})
    (line,), _ = logged(file, lambda log: log.handle(record))
    assert line["timestamp"] == "1970-01-01T00:00:00.500Z"


def test_message_is_fixed_when_it_is_said(file: Path) -> None:
    """An argument that changes afterwards does not change the line."""

    def act(log: logging.Logger) -> None:
        orders = [1]
        log.info("%s", orders)
        orders.append(2)

    (line,), _ = logged(file, act)
    assert line["event"] == "[1]"


@pytest.mark.parametrize(("level", "events"), [("DEBUG", ["d", "i", "e"]), ("INFO", ["i", "e"]), ("ERROR", ["e"])])
def test_level_is_the_least_that_is_logged(file: Path, level: str, events: list[str]) -> None:
    """What is below the level leaves no line."""
    with logging_to(Outlets(file=file, level=level, style="json", stream=io.StringIO())):
        log = logging.getLogger("users.own")
        log.debug("d")
        log.info("i")
        log.error("e")
    assert [json.loads(line)["event"] for line in file.read_text().splitlines()] == events


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda log: log.info("%s", HOSTILE), id="argument"),
        pytest.param(lambda log: log.info(HOSTILE), id="message"),
        pytest.param(lambda log: log.info("x", extra={"channel": HOSTILE}), id="channel"),
        pytest.param(lambda log: log.getChild(HOSTILE).info("x"), id="name-of-the-logger"),
    ],
)
def test_control_characters_stay_on_their_line(file: Path, style: str, act: Callable[[logging.Logger], None]) -> None:
    """Nobody forges a line, or speaks to the terminal of whoever reads the log."""
    lines, text = logged(file, act, style=style)

    assert (len(lines), len(text.splitlines()), text[-1]) == (1, 1, "\n")
    assert text[:-1].isprintable()
    assert "forged" in text


def test_half_a_surrogate_pair_is_no_obstacle(file: Path) -> None:
    """The name of an undecodable file can be logged."""
    (line,), _ = logged(file, lambda log: log.info("caf\udce9"))
    assert line["event"] == "caf\udce9"


def fail(log: logging.Logger) -> None:
    """Log an error with its traceback, and a message that wants to be more."""
    try:
        raise ValueError("first\n2026-01-01 [info] forged\x1b[31m")
    except ValueError:
        log.exception("It failed")


def test_traceback_is_a_field(file: Path) -> None:
    """In JSON the traceback is on the line of its message."""
    (line,), text = logged(file, fail)
    assert line["event"] == "It failed"
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert len(text.splitlines()) == 1


def test_traceback_is_indented(file: Path) -> None:
    """For people it follows its message, and none of its lines looks like one of the log."""
    _, text = logged(file, fail, style="text")
    message, *trace = text.splitlines()
    assert "It failed" in message
    assert trace[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") and line.isprintable() for line in trace)


@pytest.mark.parametrize(
    ("style", "stream", "is_json", "has_colours"),
    [
        pytest.param("auto", io.StringIO, True, False, id="auto-in-a-pipe"),
        pytest.param("auto", Terminal, False, True, id="auto-on-a-terminal"),
        pytest.param("json", Terminal, True, False, id="json-on-a-terminal"),
        pytest.param("text", io.StringIO, False, False, id="text-in-a-pipe"),
    ],
)
def test_style(file: Path, style: str, stream: type[io.StringIO], is_json: bool, has_colours: bool) -> None:
    """People get coloured text on a terminal, programs get JSON, unless told otherwise; the file is always JSON."""
    lines, text = logged(file, lambda log: log.info("hello"), style=style, stream=stream())
    assert (text.startswith("{"), "\x1b[" in text, lines[0]["event"]) == (is_json, has_colours, "hello")


def test_lines_of_many_threads(file: Path) -> None:
    """Every line is there and whole when the context ends."""

    def repeat() -> None:
        for _ in range(100):
            logging.getLogger("users.own").info("x" * 100)

    def act(log: logging.Logger) -> None:
        threads = [threading.Thread(target=repeat) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    lines, _ = logged(file, act)
    assert [line["event"] for line in lines] == ["x" * 100] * 400


def large(file: Path, size: int) -> None:
    """Make the log file this large."""
    file.parent.mkdir(exist_ok=True)
    with file.open("ab") as content:
        content.truncate(size)


def test_large_file_is_put_aside(file: Path) -> None:
    """At 20 MB a new file begins; five old ones are kept."""
    large(file, 20_000_000)
    for number in range(1, 6):
        file.with_name(f"server.log.{number}").write_text(str(number))
    put_aside(file)
    lines, _ = logged(file, lambda log: log.info("first of a new file"))

    assert [line["event"] for line in lines] == ["first of a new file"]
    assert file.with_name("server.log.1").stat().st_size == 20_000_000
    assert [file.with_name(f"server.log.{number}").read_text() for number in range(2, 6)] == ["1", "2", "3", "4"]
    assert not file.with_name("server.log.6").exists()


def test_small_file_stays(file: Path) -> None:
    """So does one that is not there, or in a folder that cannot be read."""
    large(file, 19_999_999)
    put_aside(file)
    put_aside(file.with_name("none.log"))
    put_aside(file / "no-folder" / "server.log")
    assert [each.name for each in file.parent.iterdir()] == ["server.log"]


def test_file_that_is_put_aside_while_it_is_written(file: Path) -> None:
    """Who writes goes on in the new file: what was said before is in the old one, what comes after is not."""
    with logging_to(Outlets(file=file, level="INFO", style="json", stream=None)):
        log = logging.getLogger("users.own")
        log.info("before")
        wait_until(lambda: file.stat().st_size)
        large(file, 20_000_000)
        put_aside(file)
        log.info("after")
    assert json.loads(file.read_text())["event"] == "after"
    assert b'"before"' in file.with_name("server.log.1").read_bytes()[:200]


def test_processes_share_a_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines of several processes never mix, long ones neither; none is lost when the file is put aside meanwhile."""
    monkeypatch.setattr("zato.server.logs.files.MAX_FILE", 100_000)
    call = [sys.executable, "-c", WRITER, str(file)]
    with (
        subprocess.Popen([*call, "a"], env=unmeasured_environment()) as first,
        subprocess.Popen([*call, "b"], env=unmeasured_environment()) as second,
    ):
        while first.poll() is None or second.poll() is None:
            if not file.with_name("server.log.4").exists():
                put_aside(file)
    files = [file, *(file.with_name(f"server.log.{number}") for number in range(1, 6))]
    parts = [each.read_text().splitlines() for each in reversed(files) if each.exists()]
    events = [json.loads(line)["event"] for lines in parts for line in lines]

    assert len(parts) > 1
    for name in "ab":
        mine = [event.partition(" ") for event in events if event[0] == name]
        assert [number for number, _, _ in mine] == [f"{name}{number}" for number in range(200)]
        assert {len(text) for _, _, text in mine} == {100, 9_000, 50_000}


def test_everything_is_closed(file: Path) -> None:
    """Logging is as it was before; threads and files are counted after every test."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    root.setLevel(17)
    logged(file, lambda log: log.info("x"))
    left = root.level
    root.setLevel(level)
    assert (left, root.handlers) == (17, handlers)


def test_file_alone(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a stream nothing is printed; stdout is left to what the server says to people in any case."""
    with logging_to(Outlets(file=file, level="INFO", style="json", stream=None)):
        logging.getLogger("users.own").info("hello")
    assert json.loads(file.read_text())["event"] == "hello"
    assert capsys.readouterr() == ("", "")


def test_file_alone_on_a_full_disk(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is nobody to tell, and nothing is raised."""
    file.parent.mkdir()
    file.symlink_to("/dev/full")
    with logging_to(Outlets(file=file, level="INFO", style="json", stream=None)):
        logging.getLogger("users.own").info("hello")
    assert capsys.readouterr() == ("", "")


def test_file_on_a_full_disk(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said once that lines are missing; neither the lines nor the end of the log raise anything."""
    file.parent.mkdir()
    file.symlink_to("/dev/full")
    stream = io.StringIO()
    with logging_to(Outlets(file=file, level="INFO", style="json", stream=stream)):
        for number in range(3):
            logging.getLogger("users.own").info("%d", number)

    events = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    report = f"{file} cannot be written: No space left on device. Lines are missing in it."
    assert sorted(events) == sorted(["0", "1", "2", report])
    assert capsys.readouterr().err == ""


def test_folder_of_the_log_is_private(file: Path) -> None:
    """A log may hold what users sent."""
    logged(file, lambda log: log.info("x"))
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    """The file is named, with the system's reason."""
    (tmp_path / "server.log").mkdir()
    with (
        pytest.raises(EnvironmentFault, match=r"server\.log cannot be written: Is a directory\."),
        logging_to(Outlets(file=tmp_path / "server.log", level="INFO", style="json", stream=None)),
    ):
        pass


@pytest.fixture
def pipe() -> Iterator[tuple[TextIO, TextIO]]:
    """The two ends of a pipe: who reads, who writes."""
    ends = os.pipe()
    with open(ends[0]) as reader, open(ends[1], "w") as writer:  # noqa: PTH123 -- numbers
        yield reader, writer


def test_stream_that_nobody_reads(file: Path) -> None:
    """It holds up neither the file nor the end of the process."""
    call = [sys.executable, "-c", FLOOD, str(file)]
    with subprocess.Popen(call, stderr=subprocess.PIPE, env=unmeasured_environment()) as process:
        try:
            status = process.wait(60)
        finally:
            process.kill()
    assert (status, len(file.read_text().splitlines())) == (0, 3000)


def test_stream_that_is_read_too_late(file: Path, pipe: tuple[TextIO, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is dropped, and once it goes on it is said how much that was."""
    monkeypatch.setattr("zato.server.logs.streams.LINES", 50)
    reader, writer = pipe
    lines: list[str] = []
    reading = threading.Thread(target=lambda: lines.extend(reader))
    log = logging.getLogger("users.own")
    with logging_to(Outlets(file=file, level="INFO", style="json", stream=writer)):
        for number in range(3000):
            log.info("%d %s", number, "x" * 50)
        reading.start()
        wait_until(lambda: _rests(lines))
        log.info("goes on")
    writer.close()
    reading.join()

    events = [json.loads(line)["event"] for line in lines]
    gaps = [event for event in events if "missing" in event]
    counts = [int(gap.split()[2]) for gap in gaps]
    assert gaps == [f"Nobody read {each} log lines in time: they are missing here. {file} has them" for each in counts]
    assert (events[-2:], len(events) + sum(counts)) == ([gaps[-1], "goes on"], 3001 + len(gaps))
    assert min(counts) > 1
    assert len(file.read_text().splitlines()) == 3001


def _rests(lines: list[str]) -> bool:
    """Tell whether there are lines, and no more come."""
    before = len(lines)
    threading.Event().wait(0.2)
    return 0 < before == len(lines)


def test_stream_that_is_closed(file: Path, pipe: tuple[TextIO, TextIO], capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever does not want to read it any more disturbs nobody."""
    reader, writer = pipe
    reader.close()
    lines, _ = logged(file, lambda log: log.info("x"), stream=writer)
    assert ([line["event"] for line in lines], capsys.readouterr().err) == (["x"], "")


SPEAK = """
import logging, sys
from pathlib import Path
from zato.server.logs.root import Outlets, logging_to
with logging_to(Outlets(file=Path(sys.argv[1]), style="json", stream=sys.stderr)):
    for number in range(1500):
        logging.getLogger("speaker").info("%s", "x" * 200)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has pipes of a given size")
def test_lines_of_two_processes_on_one_pipe(tmp_path: Path) -> None:
    """Each line arrives whole, though the pipe is nearly always full."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    program = [sys.executable, "-c", SPEAK, str(tmp_path / "server.log")]
    speakers = [subprocess.Popen(program, stderr=writing) for _ in range(2)]
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        received = b"".join(iter(lambda: pipe.read(3000), b""))
    assert [speaker.wait(30) for speaker in speakers] == [0, 0]
    events = [json.loads(line)["event"] for line in received.decode().splitlines()]
    assert events == ["x" * 200] * 3000
