"""Ending what takes too long, and leaving signals as they were."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from zato.server.alarm import TookTooLong, limited_to

LIMIT = 0.05
LONG = 20.0


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """No timer and no handler, and afterwards those of the test's process."""
    handler, timer = signal.signal(signal.SIGALRM, signal.SIG_DFL), signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.setitimer(signal.ITIMER_REAL, *timer)
    signal.signal(signal.SIGALRM, handler)


def theirs(number: int, frame: FrameType | None) -> None:
    """Handle a signal, as a module of a user does."""


def wait_for_a_lock() -> None:
    """Wait for what nobody releases."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def compute() -> None:
    """Never end, in Python."""
    while True:
        pass


def catch_exceptions() -> None:
    """Go on after every usual exception."""
    while True:
        try:
            time.sleep(LONG)
        except Exception:
            continue


def catch_once() -> None:
    """Go on after the first interruption, whatever it is."""
    try:
        time.sleep(LONG)
    except BaseException:
        time.sleep(LONG)


@pytest.mark.parametrize(
    "act", [lambda: time.sleep(LONG), wait_for_a_lock, compute, catch_exceptions], ids=["sleep", "lock", "cpu", "catch"]
)
def test_what_takes_too_long_is_interrupted(act: Callable[[], None]) -> None:
    """The error says how long that was, and the alarm is off."""
    with pytest.raises(TookTooLong, match=r"^not done after 0\.05 s$"):
        limited_to(LIMIT, act)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_catches_everything_is_interrupted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Often it does so once."""
    monkeypatch.setattr("zato.server.alarm.AGAIN", LIMIT)
    with pytest.raises(TookTooLong):
        limited_to(LIMIT, catch_once)


def test_what_ends_in_time_returns() -> None:
    """Its result is handed on, its errors are its own, and nothing rings later."""
    assert limited_to(LONG, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        limited_to(LONG, lambda: 1 / 0)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL


def test_no_limit() -> None:
    """No timer runs, and the handler is nobody's."""
    assert limited_to(0, lambda: signal.getitimer(signal.ITIMER_REAL)) == (0.0, 0.0)


def test_other_threads_have_no_limit() -> None:
    """Signals do not reach them."""
    came: list[int] = []
    thread = threading.Thread(target=lambda: came.append(limited_to(LIMIT, lambda: 7)))
    thread.start()
    thread.join()
    assert came == [7]


def test_alarm_that_was_set_before_is_set_again() -> None:
    """Handler and time are those of whoever set it."""
    signal.signal(signal.SIGALRM, theirs)
    signal.setitimer(signal.ITIMER_REAL, 30.0, 7.0)
    limited_to(LONG, lambda: None)
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert (left > LONG, interval, signal.getsignal(signal.SIGALRM)) == (True, 7.0, theirs)


def test_alarm_that_is_set_meanwhile_stays() -> None:
    """A module that uses the signal itself has no limit, and keeps what it set."""

    def set_theirs() -> None:
        signal.signal(signal.SIGALRM, theirs)
        signal.alarm(30)

    limited_to(LONG, set_theirs)
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert (left > LONG, interval, signal.getsignal(signal.SIGALRM)) == (True, 0.0, theirs)


def test_handler_that_is_set_meanwhile_is_not_rung_by_our_timer() -> None:
    """Without a timer of its own it hears nothing."""
    limited_to(LONG, lambda: signal.signal(signal.SIGALRM, theirs))
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is theirs
