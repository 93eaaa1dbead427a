"""How many entries somebody who is not known may have written: some at once, then one each second.

A flood of wrong passwords must not fill the disk. What is left out is counted, and the next entry tells.
"""

import time
from collections.abc import Callable

__all__ = ["Allowance"]

AT_ONCE = 20
# Seconds until there is room for one more.
EACH = 1.0


class Allowance:
    """Tells which entries are written. Used on the event loop only."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take what tells the time in seconds."""
        self._clock = clock
        self._full_at = clock()
        self._missing = 0

    def take(self) -> int | None:
        """Return None if an entry is left out, otherwise how many were since the last one that was written."""
        now = self._clock()
        if self._full_at - now > (AT_ONCE - 1) * EACH:
            self._missing += 1
            return None
        self._full_at = max(self._full_at, now) + EACH
        missing, self._missing = self._missing, 0
        return missing
