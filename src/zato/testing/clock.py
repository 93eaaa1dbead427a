"""A clock that stands still until a test turns it."""

from datetime import UTC, datetime

__all__ = ["Clock"]


class Clock:
    """What the kit reads the time from: when calls are accepted, due, tried again and expired.

    It does not replace the clock of Python: `time.time()` and `datetime.now()` go on as ever, and so do timeouts and
    time limits, which stop real code.
    """

    def __init__(self, now: datetime | None = None) -> None:
        """Set the clock. A time without a zone is in UTC; without a time, it is the moment of this call."""
        moment = datetime.now(UTC) if now is None else _in_utc(now)
        self._wall = round(moment.timestamp() * 1000)
        self._boot = 0

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.fromtimestamp(self._wall / 1000, UTC)

    def turn(self, seconds: float) -> None:
        """Let time pass. What is due then runs when background calls are run the next time.

        Raises:
            ValueError: the seconds are negative: time does not run backwards.
        """
        if seconds < 0:
            raise ValueError(f"turn({seconds!r}) is not possible: a clock is turned by seconds from 0.")
        self._wall += round(seconds * 1000)
        self._boot += round(seconds * 1000)

    def wall(self) -> int:
        """Return Unix time in milliseconds."""
        return self._wall

    def boot(self) -> int:
        """Return the milliseconds that the clock was turned by."""
        return self._boot

    def boot_id(self) -> str:
        """Return what tells one start of a machine from another; here there is one."""
        return "testing"


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
