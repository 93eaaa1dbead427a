"""When time will next change something in a store, so that it is not searched for nothing."""

import math
from collections.abc import Iterable

__all__ = ["Due"]

# Other processes may have added something earlier: look at least this often, in milliseconds.
LOOK_AGAIN = 500


class Due:
    """The earliest times known, in milliseconds of both clocks. What is not known yet is due now."""

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self.forget()

    def forget(self) -> None:
        """Know nothing: look at the next opportunity."""
        self._wall: float = 0
        self._boot: float = 0
        self._look_at: float = 0

    def found(self, boot: int, *, wall_due: Iterable[int | None], boot_due: int | None) -> None:
        """Take what a look at the store has found; None is never."""
        self._wall = min((time for time in wall_due if time is not None), default=math.inf)
        self._boot = math.inf if boot_due is None else boot_due
        self._look_at = boot + LOOK_AGAIN

    def at_wall(self, milliseconds: int | None) -> None:
        """Know of one more time on the wall clock."""
        if milliseconds is not None:
            self._wall = min(self._wall, milliseconds)

    def at_boot(self, milliseconds: int) -> None:
        """Know of one more time on the boot clock."""
        self._boot = min(self._boot, milliseconds)

    def is_now(self, wall: int, boot: int) -> bool:
        """Tell whether the store should be looked at."""
        return wall >= self._wall or boot >= self._boot or boot >= self._look_at

    def seconds(self, wall: int, boot: int) -> float | None:
        """Return the seconds until the earliest known time, or None if none is known."""
        wait = min(self._wall - wall, self._boot - boot)
        return None if math.isinf(wait) else max(0.0, wait / 1000)
