"""Ending what a user's module does for too long while it is imported, on the thread that all else waits for.

The alarm is a signal: it interrupts whatever looks for signals, which is all Python code, and sleeping, waiting for a
lock, a socket or a process. What computes in C without looking is interrupted when it is back, and what catches
everything, `except BaseException` in a loop, is not: that is left to the supervisor, which ends the process.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

__all__ = ["TookTooLong", "by_people", "limited_to"]

# Seconds between attempts, if the first one did not help. No module chooses this number, so it marks our timer.
AGAIN = 0.953125

Result = TypeVar("Result")


class TookTooLong(BaseException):
    """Time ran out. No `Exception`, because modules catch those around what they try at import."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not done after {seconds:g} s")
        self.seconds = seconds


def limited_to(seconds: float, act: Callable[[], Result]) -> Result:
    """Return what a function returns, and raise `TookTooLong` in it after some seconds, again and again; 0 is never.

    Afterwards the timer is off and the handler of SIGALRM is the one before, unless the function has set its own:
    that stays, as it would without us. Signals reach the main thread alone; on others there is no limit.

    No context manager: the alarm may go off anywhere, also between a block and the code that would switch it off. Here
    that happens within the outer `try`, and the next one is a second away.
    """
    if not seconds or threading.current_thread() is not threading.main_thread():
        return act()
    alarm = _Alarm(seconds)
    try:
        try:
            return act()
        finally:
            alarm.is_over = True
    finally:
        alarm.off()


def by_people(error: BaseException) -> bool:
    """Tell whether somebody pressed Ctrl-C. In a worker process that raises nothing, so there a file did it itself."""
    return isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler


class _Alarm:
    """One alarm that is set, and what it displaced."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._seconds = seconds
        self._handler = signal.signal(signal.SIGALRM, self._ring)
        self._timer = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)

    def off(self) -> None:
        """Switch it off, and put back what it displaced."""
        self.is_over = True
        if signal.getitimer(signal.ITIMER_REAL)[1] == AGAIN:
            signal.setitimer(signal.ITIMER_REAL, *self._timer)
        if signal.getsignal(signal.SIGALRM) == self._ring:
            signal.signal(signal.SIGALRM, self._handler)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if not self.is_over:
            raise TookTooLong(self._seconds)
