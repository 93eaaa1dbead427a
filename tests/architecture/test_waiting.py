"""Waiting on a condition."""

import pytest

from tests.support.waiting import wait_until


def test_first_true_value_is_returned() -> None:
    """What the condition finds is what the caller gets."""
    values = iter([None, "", "found", "too late"])

    assert wait_until(lambda: next(values)) == "found"


def test_failure_says_what_was_awaited_and_seen() -> None:
    """After the deadline the message names the wish and the last value."""
    with pytest.raises(AssertionError, match=r"Not within 0\.01 s: three of them; last value 0"):
        wait_until(lambda: 0, 0.01, what="three of them")
