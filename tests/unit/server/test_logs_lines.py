"""What is in a log line, whatever those who log give it."""

import io
import json
import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from zato.core.call import Call
from zato.server.logs.root import Outlets, logging_to
from zato.server.scope import enter, leave

CALL = Call(cid="e7a1b2c3d4e5f60718293a4b", service="crm.sync", channel="rest")
OURS = {"cid": CALL.cid, "service": "crm.sync", "channel": "rest"}
FORGED = '{"timestamp": "2026-01-01T00:00:00.000Z", "level": "info", "event": "forged"}'
Act = Callable[[logging.Logger], object]


class Broken:
    """Has no text."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The log file."""
    return tmp_path / "logs" / "server.log"


def logged(file: Path, act: Act, *, style: str = "json", **options: Any) -> tuple[list[dict[str, Any]], str]:
    """Log something while a service runs, and return the parsed lines of the file and the text of the stream."""
    stream = io.StringIO()
    with logging_to(Outlets(file=file, style=style, stream=stream, **options)):
        token = enter(CALL)
        try:
            act(logging.getLogger("mylib"))
        finally:
            leave(token)
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()], stream.getvalue()


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda log: log.info("x"), id="logging"),
        pytest.param(lambda log: structlog.get_logger("mylib").info("x"), id="structlog"),
        pytest.param(lambda log: log.info("x", extra={"cid": CALL.cid}), id="the-same-as-extra"),
    ],
)
def test_lines_of_others_carry_what_they_belong_to(file: Path, act: Act) -> None:
    """Whoever logs while a service runs needs nothing of ours."""
    (line,), _ = logged(file, act)
    del line["timestamp"]
    assert line == {"level": "info", "logger": "mylib", "event": "x", **OURS}


def test_warnings_join_in(file: Path) -> None:
    """`warnings.warn` becomes a line, without the line feed at its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        (line,), _ = logged(file, lambda _: warnings.warn("careful", stacklevel=2))
    assert "UserWarning: careful" in line["event"]
    assert (line["event"][-1], line["level"], line["cid"]) == (")", "warning", CALL.cid)


def test_our_own_lines_may_be_about_another_call(file: Path) -> None:
    """What the server says of a call belongs to that one, whatever runs where it says so."""
    (line,), _ = logged(file, lambda _: logging.getLogger("zato.server").info("x", extra={"cid": "other"}))
    assert (line["cid"], line["service"]) == ("other", "crm.sync")


def test_fields_cannot_pass_for_ours(file: Path) -> None:
    """A field with the name of one of ours gets another name, so that nothing of a line can be forged."""
    extra = {"timestamp": 1, "level": 2, "logger": 3, "event": 4, "cid": 5, "service": 6, "channel": 7, "exception": 8}
    (line,), _ = logged(file, lambda log: log.info("x", extra=extra))
    assert {name: line[f"{name}_"] for name in extra} == extra
    assert {name: line[name] for name in ("level", "logger", "event")} == {
        "level": "info",
        "logger": "mylib",
        "event": "x",
    }
    assert {name: line[name] for name in OURS} == OURS
    assert "exception" not in line


def test_fields_outside_of_services(file: Path) -> None:
    """Where nothing runs, CID, service and channel are what the caller says."""
    with logging_to(Outlets(file=file)):
        logging.getLogger("mylib").info("x", extra=OURS)
    line = json.loads(file.read_text())
    assert {name: line[name] for name in OURS} == OURS


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, id="structure"),
        pytest.param(float("nan"), "nan", id="nan"),
        pytest.param(2**70, str(2**70), id="large"),
        pytest.param(10**5000, "<int object whose text raises ValueError>", id="too-large-for-text"),
        pytest.param(Broken(), "<Broken object whose text raises RuntimeError>", id="broken"),
        pytest.param({1: {2}}, {"1": [2]}, id="keys-and-sets"),
        pytest.param({"my_token": "x"}, {"my_token": "***"}, id="secret"),
    ],
)
def test_value_of_a_field(file: Path, value: object, shown: object) -> None:
    """Any value becomes JSON."""
    (line,), _ = logged(file, lambda log: log.info("x", extra={"value": value}))
    assert line["value"] == shown


@pytest.mark.parametrize(
    ("act", "words"),
    [
        pytest.param(lambda log: log.info("%d", "x"), "TypeError: %d format: a real number is required", id="type"),
        pytest.param(lambda log: log.info("%s %s", *"x"), "not enough arguments for format string", id="number"),
        pytest.param(lambda log: log.info("%s", Broken()), "RuntimeError: no text", id="broken"),
        pytest.param(lambda log: log.info(Broken()), "<Broken object whose text raises RuntimeError>", id="message"),
    ],
)
def test_line_that_cannot_be_formatted(
    file: Path, act: Act, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is there and says what is wrong with it; nothing is printed."""
    # Those of pytest raise what they cannot format.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    (line,), _ = logged(file, act)
    assert line["event"].startswith("This line cannot be formatted: ")
    assert words in line["event"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("style", ["json", "text"])
@pytest.mark.parametrize(
    "text", [FORGED, f"x\n{FORGED}", f"x\r{FORGED}", f"\u2028{FORGED}", f"\0\udc80\x1b[1m{FORGED}"]
)
@pytest.mark.parametrize("as_field", [False, True], ids=["message", "field"])
def test_forged_line(file: Path, style: str, text: str, as_field: bool) -> None:
    """It stays a part of the line that it came in."""
    extra = {"field": text} if as_field else {}
    (line,), shown = logged(file, lambda log: log.info("m" if as_field else text, extra=extra), style=style)
    assert (line["field"] if as_field else line["event"]) == text
    assert (len(shown.splitlines()), shown[:-1].isprintable()) == (1, True)


def test_text_field_cannot_look_like_two(file: Path) -> None:
    """On a terminal a value with spaces is in quotes."""
    _, text = logged(file, lambda log: log.info("x", extra={"a": "1 cid=forged"}), style="text")
    assert text.rstrip().endswith("a='1 cid=forged'")


def test_order_of_a_text_line(file: Path) -> None:
    """Time, level, event, logger, and then the call."""
    _, text = logged(file, lambda log: log.info("hello"), style="text")
    assert text.split()[1:] == ["[info", "]", "hello", "[mylib]", f"cid={CALL.cid}", "service=crm.sync", "channel=rest"]


def test_giant_line_is_cut(file: Path) -> None:
    """What nobody would read is not kept; how long it was is said."""
    (line,), _ = logged(file, lambda log: log.info("x" * 50_000_000))
    assert line["event"].endswith("xx ... cut: 50000000 characters in all")
    assert len(line["event"]) < 210_000


@pytest.mark.parametrize("style", ["json", "text"])
def test_secrets_are_in_no_line(file: Path, style: str) -> None:
    """Not in messages, fields, names, tracebacks, and not where a known one is a part of something else."""

    def act(log: logging.Logger) -> None:
        try:
            raise ValueError("password=hunter2")
        except ValueError:
            log.exception("token: hunter2", extra={"db_password": "hunter2", "x": "my-known-secret"})
        logging.getLogger("my-known-secret").info('{"secret": "hunter2"}', stack_info=True)

    lines, text = logged(file, act, style=style, secrets=["my-known-secret"])
    assert "password=***" in lines[0]["exception"]
    assert not any(word in each for word in ("hunter2", "my-known-secret") for each in (text, json.dumps(lines[0])))


def test_structlog_fields_that_logging_refuses(file: Path) -> None:
    """`name` and the like are attributes of a record; as fields they get another name."""
    (line,), _ = logged(file, lambda _: structlog.get_logger("mylib").warning("x %d", 1, name="bob", order=7))
    assert (line["event"], line["name_"], line["order"], line["level"]) == ("x 1", "bob", 7, "warning")


def test_structlog_error(file: Path) -> None:
    """Its tracebacks are fields too."""

    def act(_: logging.Logger) -> None:
        try:
            raise ValueError("x")
        except ValueError:
            structlog.get_logger("mylib").exception("failed")

    (line,), _ = logged(file, act)
    assert line["exception"].endswith("ValueError: x")


def test_error_whose_text_cannot_be_had(file: Path) -> None:
    """Its traceback is logged all the same."""

    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    (line,), _ = logged(file, lambda log: log.error("x", exc_info=BrokenError()))
    assert "BrokenError" in line["exception"]


def test_user_of_the_record_sees_it_unchanged(file: Path) -> None:
    """Other handlers get the arguments as they were given."""
    records: list[logging.LogRecord] = []

    class Other(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    def act(log: logging.Logger) -> None:
        other = Other()
        logging.getLogger().addHandler(other)
        log.info("%s", 5)
        logging.getLogger().removeHandler(other)

    logged(file, act)
    assert (records[0].msg, records[0].args) == ("%s", (5,))


def test_large_field_is_cut(file: Path) -> None:
    """Fields have room together for so many values and characters; what is beyond is not even copied."""
    rows = [list(range(1000)) for _ in range(1000)]
    began = time.process_time()
    (line,), _ = logged(file, lambda log: log.info("large", extra={"rows": rows, "text": "x" * 1_000_000}))
    assert time.process_time() - began < 2
    assert (line["rows"][0], line["rows"][2]) == (list(range(1000)), "...")
    assert line["text"] == "..."
