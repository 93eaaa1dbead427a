"""What a service raised, made safe to pass on, to record and to log."""

import asyncio
import logging

import pytest

from zato.core.errors import Conflict
from zato.server.failures import ServiceExited, contained, describe, log_failure, process_died


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


DEADLY = [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), StopIteration(1), asyncio.CancelledError()]


@pytest.mark.parametrize("error", DEADLY, ids=lambda error: type(error).__name__)
def test_error_that_would_end_more_than_its_service(error: BaseException) -> None:
    """It is wrapped, and the wrapper says what it was and that the server goes on."""
    safe = contained(error)

    assert isinstance(safe, ServiceExited)
    assert safe.__cause__ is error
    assert str(safe).startswith(type(error).__name__)
    assert "The server goes on" in str(safe)


def test_ordinary_error() -> None:
    """An ordinary error is passed on as it is."""
    error = ValueError("x")

    assert contained(error) is error


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        pytest.param(ValueError("x"), "exception", "x", id="of-somebody-else"),
        pytest.param(Conflict("cid", "x"), "conflict", "x", id="of-ours"),
        pytest.param(Unprintable(), "exception", "", id="unprintable"),
        pytest.param(ValueError("a \udcff"), "exception", r"a \udcff", id="half-a-surrogate-pair"),
    ],
)
def test_error_as_it_is_recorded(error: Exception, code: str, message: str) -> None:
    """A record has the code, the type and the text, whatever the error's own code does."""
    info = describe(error)

    assert (info.code, info.type, info.message) == (code, type(error).__name__, message)
    assert type(error).__name__ in info.traceback


def test_error_with_more_to_say_than_can_be_stored() -> None:
    """Message and traceback are cut, and say so; the beginning is what tells one error from another."""
    info = describe(ValueError("begin " + "x" * 10_000_000))

    for text in (info.message, info.traceback):
        assert len(text) == 65_536
        assert text.endswith(" ... cut")
    assert info.message.startswith("begin xxx")


def test_message_that_is_just_short_enough() -> None:
    """What fits is recorded whole."""
    assert describe(ValueError("x" * 65_536)).message == "x" * 65_536


def test_call_that_lost_its_process_too_often() -> None:
    """The reason says how often, which setting counts, and what to do."""
    info = process_died(4)

    assert info.code == "process_died"
    assert "died 4 times" in info.message
    assert "max_takeovers" in info.message


@pytest.mark.parametrize(
    ("error", "level", "has_trace"),
    [
        pytest.param(Conflict("x"), logging.INFO, False, id="meant"),
        pytest.param(ValueError("x"), logging.ERROR, True, id="not-meant"),
        pytest.param(Unprintable(), logging.ERROR, True, id="unprintable"),
    ],
)
def test_line_in_the_log(caplog: pytest.LogCaptureFixture, error: Exception, level: int, has_trace: bool) -> None:
    """What a service meant to say is one line; anything else comes with its traceback."""
    with caplog.at_level(logging.INFO):
        log_failure("service", "cid", "invoke", error)

    (line,) = caplog.records
    assert (line.levelno, bool(line.exc_info)) == (level, has_trace)
    assert line.__dict__["cid"] == "cid"
    assert line.getMessage().startswith("service ")
