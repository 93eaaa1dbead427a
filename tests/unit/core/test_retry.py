"""Whether a failed call is tried again, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.errors import BadRequest
from zato.core.retry import Retry

SHARES = st.floats(min_value=0, max_value=1)
SECONDS = st.floats(min_value=0, max_value=1e9)
POLICIES = st.builds(
    Retry, attempts=st.integers(min_value=1, max_value=1000), backoff=SECONDS, cap=SECONDS, jitter=SHARES
)
STEADY = Retry(attempts=10, backoff=2.0, cap=30.0, jitter=0.0)


def test_default_never_tries_again() -> None:
    """Without a policy the first failure is the last."""
    assert Retry().pause(1, 0.0) is None


@pytest.mark.parametrize(
    ("attempt", "pause"),
    [
        pytest.param(1, 2.0, id="first"),
        pytest.param(2, 4.0, id="doubled"),
        pytest.param(4, 16.0, id="doubled-thrice"),
        pytest.param(5, 30.0, id="capped"),
        pytest.param(9, 30.0, id="last-pause"),
        pytest.param(10, None, id="last-attempt"),
        pytest.param(11, None, id="after-the-last"),
    ],
)
def test_pause_doubles_up_to_the_cap(attempt: int, pause: float | None) -> None:
    """Each pause is twice the one before, never more than the cap, and there is none after the last attempt."""
    assert STEADY.pause(attempt, 1.0) == pause


@pytest.mark.parametrize(
    ("chance", "pause"),
    [
        pytest.param(0.0, 8.0, id="whole"),
        pytest.param(0.5, 7.0, id="half-of-the-share"),
        pytest.param(1.0, 6.0, id="whole-share"),
    ],
)
def test_chance_shortens_a_pause(chance: float, pause: float) -> None:
    """Chance takes away at most the share that `jitter` allows."""
    assert Retry(attempts=9, backoff=8.0, jitter=0.25).pause(1, chance) == pause


@given(POLICIES, st.integers(min_value=1, max_value=1000), SHARES)
def test_pause_stays_within_bounds(retry: Retry, attempt: int, chance: float) -> None:
    """A pause is from 0 to the cap, and there is one exactly while attempts are left."""
    pause = retry.pause(attempt, chance)
    assert (pause is None) == (attempt >= retry.attempts)
    assert pause is None or 0 <= pause <= retry.cap


@given(POLICIES, st.integers(min_value=1, max_value=999))
def test_pauses_never_get_shorter(retry: Retry, attempt: int) -> None:
    """Without chance, a later pause is at least as long as an earlier one."""
    pauses = [retry.pause(n, 0.0) for n in (attempt, attempt + 1)]
    assert pauses[1] is None or (pauses[0] is not None and pauses[0] <= pauses[1])


@given(POLICIES)
def test_legal_policy_is_taken_as_it_is(retry: Retry) -> None:
    """A policy within the bounds comes back unchanged."""
    assert Retry.of(retry) is retry


@pytest.mark.parametrize(
    ("value", "retry"),
    [
        pytest.param(5, Retry(attempts=5), id="number-of-attempts"),
        pytest.param({}, Retry(), id="empty-dict"),
        pytest.param({"attempts": 3, "cap": 9}, Retry(attempts=3, cap=9), id="dict"),
        pytest.param({"attempts": 1000, "jitter": 1, "backoff": 0}, Retry(1000, 0, jitter=1), id="at-the-limits"),
    ],
)
def test_short_forms(value: object, retry: Retry) -> None:
    """A number means attempts, a dict the fields."""
    assert Retry.of(value) == retry


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("5", "retry='5' is not understood: give a number", id="text"),
        pytest.param(None, "retry=None is not understood", id="none"),
        pytest.param(True, "retry=True is not understood", id="flag"),
        pytest.param(2.5, r"retry=2\.5 is not understood", id="fraction"),
        pytest.param({"tries": 5}, "retry={'tries': 5} is not understood: .*'tries'", id="unknown-field"),
        pytest.param({1: 5}, "retry={1: 5} is not understood", id="field-without-a-name"),
        pytest.param({"attempts": 2.5}, r"attempts=2\.5 is no whole number", id="fraction-of-an-attempt"),
        pytest.param({"attempts": True}, "attempts=True is no whole number", id="flag-for-attempts"),
        pytest.param({"backoff": "1"}, "holds something that is no number", id="text-for-seconds"),
        pytest.param({"jitter": True}, "holds something that is no number", id="flag-for-a-share"),
        pytest.param({"cap": None}, "holds something that is no number", id="none-for-seconds"),
    ],
)
def test_what_is_no_policy_is_refused(value: object, message: str) -> None:
    """The message shows what was given and what is wrong with it."""
    with pytest.raises(BadRequest, match=message):
        Retry.of(value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(0, id="no-attempt"),
        pytest.param(1001, id="too-many-attempts"),
        pytest.param(Retry(attempts=-5), id="own-class"),
        pytest.param({"backoff": -1}, id="negative-pause"),
        pytest.param({"cap": -0.1}, id="negative-cap"),
        pytest.param({"jitter": 1.1}, id="share-over-one"),
        pytest.param({"jitter": -0.1}, id="negative-share"),
        pytest.param({"backoff": float("inf")}, id="infinite-pause"),
        pytest.param({"cap": float("inf")}, id="infinite-cap"),
        pytest.param({"backoff": float("nan")}, id="nan"),
        pytest.param({"cap": 10**400}, id="huge-number"),
    ],
)
def test_numbers_out_of_range_are_refused(value: object) -> None:
    """A policy that could not be stored or kept is refused when it is given, whatever its form."""
    with pytest.raises(BadRequest, match="is out of range: attempts 1 to 1000"):
        Retry.of(value)
