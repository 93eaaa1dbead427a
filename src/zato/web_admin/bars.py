"""What an invocation spent its time with, as a bar: waiting, running, each attempt that failed, the pauses between.

The picture and the words beside it are made of the same stretches, so that neither says more than the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["WIDTH", "Part", "Stretch", "course", "parts_of"]

# Of the whole picture, and the least that anything in it has, so that it can be seen.
WIDTH = 1000.0
LEAST = 6.0

WORDS: Mapping[str, str] = {
    "delayed": "Delayed",
    "waiting": "Waiting",
    "stranded": "Stranded: no live server has the service",
    "pause": "Pause before the next attempt",
    "earlier": "Earlier attempts",
    "running": "Running",
    "done": "Ran",
    "failed": "Ran, and failed",
    "cancelled": "Ran, and was cancelled",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """Something that lasted.

    Attributes:
        kind: one of the words of the style sheet, such as `waiting`, `pause` or `failed`.
        text: the same for people.
        start: Unix time in seconds.
        end: Unix time in seconds.
    """

    kind: str
    text: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return max(0.0, self.end - self.start)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch, and where in the picture it is."""

    stretch: Stretch
    x: float
    width: float


def course(record: Mapping[str, Any], now: float) -> list[Stretch]:
    """Return what became of an invocation, in order of time.

    Args:
        record: as `zato.invocation.get` returns it.
        now: Unix time in seconds, the end of what has not ended.
    """
    return list(_Course(record, now).stretches())


def parts_of(stretches: Sequence[Stretch]) -> list[Part]:
    """Return where in a picture of `WIDTH` the stretches are; what is short is widened until it can be seen."""
    total = sum(stretch.seconds for stretch in stretches) or 1.0
    widths = [max(LEAST, WIDTH * stretch.seconds / total) for stretch in stretches]
    scale = WIDTH / sum(widths) if widths else 1.0
    parts, x = [], 0.0
    for stretch, width in zip(stretches, widths, strict=True):
        parts.append(Part(stretch, x, width * scale))
        x += width * scale
    return parts


class _Course:
    """Reads a record from its beginning."""

    def __init__(self, record: Mapping[str, Any], now: float) -> None:
        self._record = record
        self._end = _seconds(record["ended"]) or now
        self._not_before = _seconds(record["not_before"])
        self._at = _seconds(record["created"]) or now

    def stretches(self) -> Iterator[Stretch]:
        is_first = True
        for failure in self._record["failures"]:
            started, ended = _seconds(failure["started"]), _seconds(failure["ended"])
            if started is None or ended is None:
                continue
            is_cut = is_first and failure["attempt"] > 1
            yield from self._earlier(started) if is_cut else self._gap(started, is_first)
            yield Stretch("failed", f"Attempt {failure['attempt']} failed", started, ended)
            self._at, is_first = ended, False
        yield from self._last(is_first)

    def _last(self, is_first: bool) -> Iterator[Stretch]:
        started, status = _seconds(self._record["started"]), self._record["status"]
        # What waits for its next attempt still has the start of the one before.
        if started is None or started < self._at or status in ("delayed", "waiting", "stranded"):
            yield from self._gap(self._end, is_first)
            return
        yield from self._earlier(started) if self._lacks_failures(is_first) else self._gap(started, is_first)
        yield Stretch(status, WORDS.get(status, status), started, self._end)

    def _lacks_failures(self, is_first: bool) -> bool:
        return is_first and self._record["attempts"] > 1

    def _earlier(self, end: float) -> Iterator[Stretch]:
        yield Stretch("earlier", WORDS["earlier"], self._at, end)

    def _gap(self, end: float, is_first: bool) -> Iterator[Stretch]:
        """Yield what lies between two runs: what was meant to pass, and then the waiting for a free place."""
        start, due = self._at, self._not_before
        kind = "delayed" if is_first else "pause"
        if due is not None and start < due < end:
            yield Stretch(kind, WORDS[kind], start, due)
            start = due
            kind = "waiting"
        elif is_first and (due is None or due < end or end < self._end):
            # What is due later is so for the next attempt, unless there was none.
            kind = "waiting"
        if self._record["status"] == "stranded" and end == self._end:
            kind = "stranded"
        if end > start:
            yield Stretch(kind, WORDS[kind], start, end)


def _seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()
