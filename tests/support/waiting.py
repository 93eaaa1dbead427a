"""Waiting on a condition instead of sleeping for a guessed time."""

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["wait_until"]

T = TypeVar("T")

PAUSE = 0.005


def wait_until(condition: Callable[[], T], timeout: float = 60.0, *, what: str = "") -> T:
    """Return the condition's first true value; fail once `timeout` seconds have passed without one."""
    deadline = time.monotonic() + timeout
    while True:
        if value := condition():
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"Not within {timeout:g} s: {what or repr(condition)}; last value {value!r}")
        time.sleep(PAUSE)
