"""The wall clock of a process, turned as an operator may turn a machine's.

Only what reads the time through the module `time` is deceived, which is everything that decides here.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

__all__ = ["turn_clock", "turned_clock"]

FILE = "clock"


def turn_clock(folder: Path, seconds: float) -> None:
    """Set the wall clock of all processes of an environment forward, or back, from what it really is."""
    draft = folder / f"{FILE}.draft"
    draft.write_text(repr(seconds), "ascii")
    draft.rename(folder / FILE)


@contextmanager
def turned_clock(folder: Path) -> Iterator[None]:
    """Have this process see the wall clock as it is turned at each moment."""
    file, real, real_ns = folder / FILE, time.time, time.time_ns

    def offset() -> float:
        try:
            return float(file.read_text("ascii"))
        except FileNotFoundError:
            return 0.0

    def turned() -> float:
        return real() + offset()

    def turned_ns() -> int:
        return real_ns() + round(offset() * 1e9)

    with mock.patch.object(time, "time", turned), mock.patch.object(time, "time_ns", turned_ns):
        yield
