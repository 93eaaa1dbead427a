"""Dates and times as services read and write them."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.facilities import NOON
from tests.support.subprocesses import run_python
from zato.core.times import Time

TIME = Time(NOON.timestamp)
LOADS = "import sys; from zato.core.times import Time; Time(lambda: 0.0).{}; print('arrow' in sys.modules)"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param(TIME.utcnow(), "2024-02-29 12:30:15", id="utcnow"),
        pytest.param(TIME.utcnow("DD.MM.YY HH:mm"), "29.02.24 12:30", id="utcnow-in-a-format"),
        pytest.param(TIME.utcnow(format="[at] h:mm A, dddd"), "at 12:30 PM, Thursday", id="words"),
        pytest.param(TIME.today(), "2024-02-29", id="today"),
        pytest.param(TIME.today("D/M/YYYY"), "29/2/2024", id="today-in-a-format"),
        pytest.param(TIME.today(tz="Pacific/Auckland"), "2024-03-01", id="today-elsewhere"),
        pytest.param(TIME.now("Asia/Kolkata"), "2024-02-29 18:00:15", id="now-elsewhere"),
        pytest.param(TIME.now("UTC", "X"), "1709209815.0", id="timestamp"),
        pytest.param(TIME.now("-03:30"), "2024-02-29 09:00:15", id="offset"),
        pytest.param(TIME.reformat("29.02.2024", "DD.MM.YYYY", "YYYY-MM-DDTHH:mm"), "2024-02-29T00:00", id="reformat"),
        pytest.param(TIME.reformat("7:05 +02:00", "H:mm ZZ", "HH:mmZZ"), "07:05+02:00", id="reformat-with-zone"),
        pytest.param(TIME.format(datetime(2024, 1, 2, 3, 4, 5)), "2024-01-02 03:04:05", id="naive"),  # noqa: DTZ001
    ],
)
def test_text(shown: str, expected: str) -> None:
    """Tokens are those of arrow, and the defaults are date and time as people sort them."""
    assert shown == expected


def test_without_a_format_it_is_a_datetime() -> None:
    """One that knows its time zone."""
    assert TIME.utcnow(None) == TIME.now("Europe/Berlin", format=None) == TIME.now(format=None) == NOON
    assert TIME.now("Europe/Berlin", format=None).utcoffset() == timedelta(hours=1)
    assert TIME.today(None) == datetime(2024, 2, 29, tzinfo=UTC)
    assert TIME.parse("2024-02-29 12:30:15") == NOON


def test_local_time_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day is that of UTC all the same: servers of one cluster are in one day, wherever they are."""
    with monkeypatch.context() as there:
        there.setenv("TZ", "Pacific/Auckland")
        time.tzset()
        shown = [TIME.now(), TIME.today("DD"), TIME.today("DD", tz="local")]
    time.tzset()
    assert shown == ["2024-03-01 01:30:15", "29", "01"]


def test_local_midnight_is_before_the_clocks_were_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the day when summer begins, noon is farther from UTC than midnight was."""
    noon = datetime(2024, 3, 31, 10, tzinfo=UTC)
    with monkeypatch.context() as there:
        there.setenv("TZ", "Europe/Berlin")
        time.tzset()
        days = [Time(noon.timestamp).today(None, tz) for tz in ("local", "Europe/Berlin")]
    time.tzset()
    assert [day.astimezone(UTC) for day in days] == [datetime(2024, 3, 30, 23, tzinfo=UTC)] * 2


def test_midnight_has_no_fraction() -> None:
    """Two calls on one day return the same."""
    assert Time(lambda: NOON.timestamp() + 0.25).today(None) == datetime(2024, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize("value", ["2024-02-30", "29.02.2024", "", "x", None, 7])
def test_value_in_another_format(value: Any) -> None:
    """The message has the value and the format."""
    with pytest.raises(ValueError, match=r"is not written in the format 'YYYY-MM-DD': ") as caught:
        TIME.reformat(value, "YYYY-MM-DD", "X")
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("zone", ["Europe/Berlín", "../etc/passwd", "25", ""])
def test_time_zone_that_there_is_not(zone: str) -> None:
    """The message says how one is written."""
    with pytest.raises(ValueError, match=r"is no time zone\. Write one as 'Europe/Berlin', 'UTC' or '\+02:00'\."):
        TIME.now(zone)


@pytest.mark.parametrize(("call", "loaded"), [("utcnow()", "False"), ("today()", "False"), ("utcnow('X')", "True")])
def test_library_is_loaded_when_it_is_needed(call: str, loaded: str) -> None:
    """A server whose services only want to know what time it is has no use for it."""
    assert run_python(LOADS.format(call)).strip() == loaded
