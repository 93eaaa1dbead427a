"""What an invocation spent its time with."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from zato.web_admin.bars import WIDTH, Stretch, course, parts_of

NOW = 100.0


def at(seconds: float | None) -> str | None:
    """Return a time as records have it."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def failure(attempt: int, started: float, ended: float) -> dict[str, Any]:
    """Return an attempt that failed."""
    return {"attempt": attempt, "started": at(started), "ended": at(ended)}


def stretches(
    status: str,
    *failures: dict[str, Any],
    attempts: int = 1,
    started: float | None = None,
    ended: float | None = None,
    due: float | None = None,
) -> list[tuple[str, float]]:
    """Return kind and seconds of what became of a call that was accepted at 10 s."""
    record = {
        "status": status,
        "attempts": attempts,
        "created": at(10),
        "not_before": at(due),
        "started": at(started),
        "ended": at(ended),
        "failures": failures,
    }
    return [(stretch.kind, stretch.seconds) for stretch in course(record, NOW)]


def test_call_that_is_done() -> None:
    """It waited, then ran."""
    assert stretches("done", started=12, ended=15) == [("waiting", 2), ("done", 3)]


def test_call_that_runs() -> None:
    """Its run lasts until now."""
    assert stretches("running", started=10, attempts=1) == [("running", 90)]


@pytest.mark.parametrize("status", ["waiting", "stranded"])
def test_call_that_nobody_runs(status: str) -> None:
    """It waits until now."""
    assert stretches(status, attempts=0) == [(status, 90)]


def test_delay_comes_before_the_waiting() -> None:
    """What was meant to pass is told apart from the waiting for a free place."""
    assert stretches("done", started=32, ended=33, due=30) == [("delayed", 20), ("waiting", 2), ("done", 1)]


def test_call_that_is_delayed() -> None:
    """Nothing but the delay has happened."""
    assert stretches("delayed", attempts=0, due=200) == [("delayed", 90)]


def test_retries_and_the_pauses_between() -> None:
    """Each attempt that failed stands for itself."""
    first, second = failure(1, 10, 11), failure(2, 14, 16)
    found = stretches("failed", first, second, attempts=3, started=20, ended=25)
    assert found == [("failed", 1), ("pause", 3), ("failed", 2), ("pause", 4), ("failed", 5)]


def test_pause_before_the_next_attempt() -> None:
    """A record that waits for a retry has the start of the last attempt, which is not drawn twice."""
    found = stretches("delayed", failure(1, 11, 12), started=11, due=300)
    assert found == [("waiting", 1), ("failed", 1), ("pause", 88)]


def test_attempts_that_are_kept_no_more() -> None:
    """What came before the first one that is kept is one stretch."""
    found = stretches("done", failure(7, 40, 41), attempts=8, started=50, ended=51)
    assert found == [("earlier", 30), ("failed", 1), ("pause", 9), ("done", 1)]


def test_cancelled_calls() -> None:
    """One ran, the other had never begun."""
    assert stretches("cancelled", started=11, ended=12) == [("waiting", 1), ("cancelled", 1)]
    assert stretches("cancelled", ended=12, attempts=0) == [("waiting", 2)]


def test_expired_call_waited_until_its_end() -> None:
    """It never began."""
    assert stretches("expired", ended=15, attempts=0) == [("waiting", 5)]


def test_call_whose_start_is_the_end_has_a_bar() -> None:
    """A run that took no time can still be seen."""
    assert stretches("done", started=10, ended=10) == [("done", 0)]


def test_parts_fill_the_picture_side_by_side() -> None:
    """What is short is widened until it can be seen; the rest gives way."""
    parts = parts_of([Stretch("waiting", "", 0, 0.001), Stretch("done", "", 0.001, 1000), Stretch("failed", "", 5, 4)])
    assert [round(part.x + part.width - after.x, 6) for part, after in pairwise(parts)] == [0, 0]
    assert parts[-1].x + parts[-1].width == pytest.approx(WIDTH)
    assert all(part.width > 5 for part in parts)


def test_nothing_has_no_parts() -> None:
    """A call that was accepted this instant has an empty bar."""
    assert parts_of([]) == []
