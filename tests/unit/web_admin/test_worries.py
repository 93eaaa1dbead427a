"""What the overview says that wants a person."""

from datetime import UTC, datetime
from typing import Any

import pytest

from zato.web_admin.pages.overview import lately_failed, worries

SERVER = {"name": "one", "alive": True, "draining": False}
QUEUE = {"name": "mail", "paused": False, "stranded": 0}


def said(failed: int = 0, queue: dict[str, Any] | None = None, server: dict[str, Any] | None = None) -> list[str]:
    """Return the texts of what is wrong."""
    queues, servers = [{**QUEUE, **(queue or {})}], [{**SERVER, **(server or {})}]
    return [worry.text for worry in worries(failed=failed, queues=queues, servers=servers)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, [], id="all is well"),
        pytest.param({"failed": 1}, ["1 call failed in the last hour"], id="one failed"),
        pytest.param({"failed": 1234}, ["1,234 calls failed in the last hour"], id="many failed"),
        pytest.param({"queue": {"stranded": 2}}, ["2 calls stranded"], id="stranded"),
        pytest.param({"queue": {"paused": True}}, ["Queue mail is paused"], id="paused"),
        pytest.param({"server": {"alive": False}}, ["Server one does not answer"], id="away"),
        pytest.param({"server": {"draining": True}}, ["Server one drains"], id="draining"),
        pytest.param({"server": {"alive": False, "draining": True}}, ["Server one does not answer"], id="gone"),
    ],
)
def test_worry(given: dict[str, Any], expected: list[str]) -> None:
    """Each thing that is wrong is said once, in words."""
    assert said(**given) == expected


def test_what_has_gone_wrong_comes_first() -> None:
    """Then what somebody did on purpose."""
    servers = [{**SERVER, "alive": False}, {**SERVER, "draining": True}]
    found = list(worries(failed=1, queues=[{**QUEUE, "stranded": 1, "paused": True}], servers=servers))
    assert [worry.is_grave for worry in found] == [True, True, True, False, False]


def test_lately_is_an_hour() -> None:
    """What failed before is no news."""
    asked = lately_failed(datetime(2026, 1, 31, 12, 30, tzinfo=UTC))
    assert asked == {"status": "failed", "since": "2026-01-31T11:30:00+00:00"}
