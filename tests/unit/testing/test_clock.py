"""The clock that a test turns."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from zato.testing import Clock, Zato

MOMENT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine is in another time zone than UTC."""
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_east")
@pytest.mark.parametrize(
    "given",
    [MOMENT, MOMENT.replace(tzinfo=None), MOMENT.astimezone(timezone(timedelta(hours=2)))],
    ids=["utc", "without-a-zone", "another-zone"],
)
def test_time_that_a_test_sets(given: datetime) -> None:
    """Without a zone it is in UTC; what the clock says is always in UTC."""
    assert Clock(given).now() == MOMENT


def test_clock_stands_still_until_it_is_turned() -> None:
    """It goes by as much as it is turned, and by nothing else."""
    clock = Clock()
    before = clock.now()
    again = clock.now()

    clock.turn(90.5)

    assert (again, clock.now() - before) == (before, timedelta(seconds=90.5))


def test_clock_begins_with_the_time_of_day() -> None:
    """A test that compares times with those of today need not set it."""
    assert abs(datetime.now(UTC) - Clock().now()) < timedelta(minutes=5)


def test_clock_is_not_turned_back() -> None:
    """Nothing that has run would be undone."""
    with pytest.raises(ValueError, match=r"turn\(-1\)"):
        Clock().turn(-1)


def test_clock_of_the_kit_can_be_set() -> None:
    """It is that of the test, from the first call on."""
    with Zato(now=MOMENT) as zato:
        zato.clock.turn(1)

        assert zato.clock.now() == MOMENT + timedelta(seconds=1)
