"""The clocks of this machine."""

import time
from pathlib import Path

__all__ = ["SystemClock"]

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """Wall clock and boot clock. Where the system has no boot clock, the monotonic one stands in."""

    def __init__(self) -> None:
        self._boot_clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def wall(self) -> int:
        """Return Unix time in milliseconds."""
        return time.time_ns() // 1_000_000

    def boot(self) -> int:
        """Return milliseconds since the machine started."""
        return time.clock_gettime_ns(self._boot_clock) // 1_000_000

    def boot_id(self) -> str:
        """Return what tells one start of the machine from another, or an empty text where nothing does."""
        return BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
