"""What a test left open: threads, files, sockets."""

import contextlib
import gc
import os
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from tests.support.waiting import wait_until

__all__ = ["Resources", "check_returned"]

GRACE = 2.0
MOMENT = 0.02
FD_FOLDER = next(folder for folder in (Path("/proc/self/fd"), Path("/dev/fd")) if folder.is_dir())


@dataclass(frozen=True, slots=True)
class Resources:
    """The threads, files and sockets that this process has at one moment."""

    native_threads: int
    python_threads: Counter[str]
    files: Counter[str]

    @classmethod
    def now(cls) -> Self:
        """Count everything."""
        return cls(
            psutil.Process().num_threads(),
            Counter(thread.name for thread in threading.enumerate()),
            Counter(_open_files()),
        )

    def left_since(self, before: Self) -> str:
        """Name what there is more of than before, or return an empty text."""
        found = []
        if self.files.total() > before.files.total():
            found.append(f"files or sockets {sorted((self.files - before.files).elements())}")
        if self.native_threads > before.native_threads:
            names = sorted((self.python_threads - before.python_threads).elements())
            found.append(f"{self.native_threads - before.native_threads} threads {names}")
        return " and ".join(found)


def check_returned(before: Resources, *, grace: float = GRACE) -> None:
    """Fail, naming what was left, unless all counts are back within the grace period."""
    if not Resources.now().left_since(before):
        return

    left = "unknown"

    def is_back() -> bool:
        nonlocal left
        left = Resources.now().left_since(before)
        return not left

    # The system counts a thread for a moment after its end; to look again costs less than to collect garbage.
    with contextlib.suppress(AssertionError):
        wait_until(is_back, MOMENT)
        return
    gc.collect()
    try:
        wait_until(is_back, grace)
    except AssertionError:
        raise AssertionError(f"Left open: {left}") from None


def _open_files() -> list[str]:
    """Return what each open descriptor stands for; the one that lists them is gone by then."""
    found = []
    for entry in list(FD_FOLDER.iterdir()):
        with contextlib.suppress(OSError):
            os.fstat(int(entry.name))
            found.append(_meaning(entry))
    return found


def _meaning(entry: Path) -> str:
    """Return the path or socket behind a descriptor, where the system tells."""
    return str(entry.readlink()) if entry.is_symlink() else f"descriptor {entry.name}"
