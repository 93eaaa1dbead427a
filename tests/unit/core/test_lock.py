"""What may be asked of a lock, and how it is waited for."""

from typing import Any

import pytest

from zato.core.errors import BadRequest
from zato.core.lock import LockWish

GIVEN: dict[str, Any] = {"name": "a", "expires": 20, "timeout": 10}


@pytest.mark.parametrize(
    "changed",
    [{"name": "x" * 200}, {"name": "customer 7/ż"}, {"expires": 0.1}, {"expires": 86_400}, {"timeout": 0}],
    ids=str,
)
def test_legal(changed: dict[str, Any]) -> None:
    """It is taken as it was given."""
    wish = LockWish.of(**{**GIVEN, **changed}, service="s")
    assert {name: getattr(wish, name) for name in GIVEN} == {**GIVEN, **changed}


def test_name_by_default() -> None:
    """It is that of the service."""
    assert LockWish.of(None, 20, 10, service="crm.sync").name == "crm.sync"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        pytest.param({"name": ""}, "name='' is no legal lock: give a text of 1 to 200", id="empty"),
        pytest.param({"name": "x" * 201}, "1 to 200 printable characters", id="long"),
        pytest.param({"name": "a\nb"}, "1 to 200 printable characters", id="two-lines"),
        pytest.param({"name": "a\ud800"}, "1 to 200 printable characters", id="no-unicode"),
        pytest.param({"name": 7}, "name=7 is no legal lock", id="number"),
        pytest.param({"expires": 0}, "expires=0 is not legal: give seconds from 0.1 to 86400", id="no-time"),
        pytest.param({"expires": 86_401}, "expires=86401 is not legal", id="too-long"),
        pytest.param({"expires": "5"}, "expires='5' is not legal", id="text"),
        pytest.param({"expires": True}, "expires=True is not legal", id="flag"),
        pytest.param({"timeout": -1}, "timeout=-1 is not legal: give seconds from 0 to 86400", id="negative"),
        pytest.param({"timeout": float("nan")}, "timeout=nan is not legal", id="no-number"),
        pytest.param({"timeout": None}, "timeout=None is not legal", id="nothing"),
    ],
)
def test_not_legal(changed: dict[str, Any], message: str) -> None:
    """It is refused, with the range."""
    with pytest.raises(BadRequest) as caught:
        LockWish.of(**{**GIVEN, **changed}, service="s")
    assert message in str(caught.value)


def test_pauses_grow_to_a_limit() -> None:
    """Who waits asks often at first, and four times a second in the end."""
    pauses = [LockWish.pause(attempt, 0.0) for attempt in range(1, 9)]
    assert pauses == [0.01, 0.02, 0.04, 0.08, 0.16, 0.25, 0.25, 0.25]
    assert LockWish.pause(10**9, 0.0) == 0.25


def test_chance_shortens_a_pause() -> None:
    """Those who wait together do not ask together, and nobody asks all the time."""
    assert [LockWish.pause(attempt, 1.0) for attempt in (1, 3, 9)] == [0.01, 0.02, 0.125]
