"""Dates and times as services read and write them: by format strings such as `YYYY-MM-DD HH:mm:ss`.

The tokens are those of the library arrow, which is loaded by the first service that needs more than the default
formats. What time it is comes in as an argument.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, overload

__all__ = ["DATE", "DATE_TIME", "Time"]

DATE_TIME = "YYYY-MM-DD HH:mm:ss"
DATE = "YYYY-MM-DD"
LOCAL = "local"
# What most services ask for, without loading a library for it.
PLAIN = {DATE_TIME: "%Y-%m-%d %H:%M:%S", DATE: "%Y-%m-%d"}


class Time:
    """What `self.time` is. Texts by default; with `format=None`, datetimes that know their time zone."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take what tells Unix time, in seconds."""
        self._clock = clock

    @overload
    def utcnow(self, format: str = DATE_TIME) -> str: ...
    @overload
    def utcnow(self, format: None) -> datetime: ...
    def utcnow(self, format: str | None = DATE_TIME) -> str | datetime:
        """Return the time in UTC."""
        return _shown(datetime.fromtimestamp(self._clock(), UTC), format)

    @overload
    def now(self, tz: str = LOCAL, format: str = DATE_TIME) -> str: ...
    @overload
    def now(self, tz: str = LOCAL, *, format: None) -> datetime: ...
    def now(self, tz: str = LOCAL, format: str | None = DATE_TIME) -> str | datetime:
        """Return the time in a time zone.

        Args:
            tz: such as `Europe/Berlin`, `UTC`, `+02:00` or `local`, that of the machine.
            format: what the text is like; None returns a datetime.

        Raises:
            ValueError: there is no such time zone.
        """
        return _shown(self._in(tz), format)

    @overload
    def today(self, format: str = DATE, tz: str = "UTC") -> str: ...
    @overload
    def today(self, format: None, tz: str = "UTC") -> datetime: ...
    def today(self, format: str | None = DATE, tz: str = "UTC") -> str | datetime:
        """Return the day in a time zone, UTC by default; with `format=None`, its midnight.

        Raises:
            ValueError: there is no such time zone.
        """
        return _shown(_midnight_of(self._in(tz), tz), format)

    def reformat(self, value: str, from_: str, to: str) -> str:
        """Return a date or time that is written in one format in another one.

        Raises:
            ValueError: the value is not written in the format `from_`.
        """
        return self.format(self.parse(value, from_), to)

    def parse(self, value: str, from_: str = DATE_TIME) -> datetime:
        """Return what a text says, in UTC if it does not name a time zone.

        Raises:
            ValueError: the value is not written in the format `from_`.
        """
        try:
            parsed: datetime = _arrow().get(value, from_).datetime
        except (ValueError, TypeError, OverflowError, re.error) as error:
            raise ValueError(f"{value!r:.100} is not written in the format {from_!r:.100}: {error}") from error
        return parsed

    def format(self, value: datetime, to: str = DATE_TIME) -> str:
        """Return a date or time as text; one that does not say its time zone is taken for UTC."""
        return str(_arrow().get(value).format(to))

    def _in(self, tz: str) -> datetime:
        seconds = self._clock()
        if tz == "UTC":
            return datetime.fromtimestamp(seconds, UTC)
        if tz == LOCAL:
            return datetime.fromtimestamp(seconds, UTC).astimezone()
        try:
            here: datetime = _arrow().get(seconds, tzinfo=tz).datetime
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{tz!r:.100} is no time zone. Write one as 'Europe/Berlin', 'UTC' or '+02:00'."
            ) from error
        return here


def _midnight_of(moment: datetime, tz: str) -> datetime:
    """Return when the day of a moment began, which may have been at another distance from UTC."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return midnight.replace(tzinfo=None).astimezone() if tz == LOCAL else midnight


def _shown(moment: datetime, format: str | None) -> str | datetime:
    if format is None:
        return moment
    plain = PLAIN.get(format)
    return str(_arrow().get(moment).format(format)) if plain is None else moment.strftime(plain)


def _arrow() -> Any:
    import arrow

    return arrow
