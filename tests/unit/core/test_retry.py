"""Whether a failed call is tried again, and when."""

import dataclasses
import json
from typing import Any

import msgspec
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


class CardRefused(Exception):
    """An error of a user's."""


class CardExpired(CardRefused):
    """One that inherits."""


def test_exceptions_are_kept_as_names() -> None:
    """A policy that names classes can leave its process: their full names are what it holds."""
    retry = Retry(3, on=(ConnectionError, "requests.Timeout"), not_on=CardRefused)
    assert retry.on == ("builtins.ConnectionError", "requests.Timeout")
    assert retry.not_on == (f"{__name__}.CardRefused",)


@pytest.mark.parametrize("given", [ValueError, "ValueError", ["ValueError"], (ValueError,), {ValueError}])
def test_one_exception_or_several(given: Any) -> None:
    """A class, a name, or any collection of these."""
    retry = Retry(3, on=given)
    assert (retry.covers(ValueError()), retry.covers(KeyError())) == (True, False)


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        pytest.param("CardExpired", True, id="name"),
        pytest.param("CardRefused", True, id="name-of-a-base"),
        pytest.param("Exception", True, id="far-base"),
        pytest.param(f"{__name__}.CardRefused", True, id="with-its-module"),
        pytest.param(f"{__name__.split('.')[0]}.CardExpired", True, id="with-its-package"),
        pytest.param("other.CardExpired", False, id="of-another-module"),
        pytest.param(f"{__name__[:-1]}.CardExpired", False, id="of-a-module-with-half-the-name"),
        pytest.param("Expired", False, id="half-a-name"),
        pytest.param("ValueError", False, id="another-name"),
    ],
)
def test_what_a_name_stands_for(name: str, covered: bool) -> None:
    """The class that is called so, in its module or a package above it, and what inherits from it."""
    assert Retry(2, on=name).covers(CardExpired()) is covered


@pytest.mark.parametrize(
    ("options", "covered"),
    [
        pytest.param({}, True, id="everything"),
        pytest.param({"on": CardRefused}, True, id="named"),
        pytest.param({"on": KeyError}, False, id="another-one-named"),
        pytest.param({"not_on": CardRefused}, False, id="excluded"),
        pytest.param({"not_on": KeyError}, True, id="another-one-excluded"),
        pytest.param({"on": CardRefused, "not_on": CardExpired}, False, id="named-and-excluded"),
        pytest.param({"on": CardExpired, "not_on": CardRefused}, False, id="base-excluded"),
        pytest.param({"on": "CardRefused", "not_on": "KeyError"}, True, id="named-and-another-one-excluded"),
    ],
)
def test_which_errors_are_tried_again(options: dict[str, Any], covered: bool) -> None:
    """Without names all are; `not_on` wins over `on`."""
    assert Retry(2, **options).covers(CardExpired()) is covered


def test_class_inside_of_a_function() -> None:
    """It has no name that can be imported, and is found all the same."""

    class Local(Exception):
        pass

    retry = Retry(2, on=Local)
    assert (retry.covers(Local()), Retry.of(dataclasses.asdict(retry)) == retry) == (True, True)


@pytest.mark.parametrize("option", ["on", "not_on"])
@pytest.mark.parametrize(
    "given", [5, None, int, "", "a b", "a..b", ".a", b"a", [None], [["ValueError"]], "x" * 301, 1.5]
)
def test_what_is_no_exception_is_refused(option: str, given: Any) -> None:
    """The message says which option, what was given, and what to give."""
    with pytest.raises(BadRequest, match=f"^{option}=.* names no exception: give a class, such as ConnectionError"):
        Retry(3, **{option: given})
    with pytest.raises(BadRequest, match="names no exception"):
        Retry.of({"attempts": 3, option: given})


def test_too_many_exceptions_are_refused() -> None:
    """A policy stays small: every call carries it."""
    assert len(Retry(on=["E"] * 50).on) == 50
    with pytest.raises(BadRequest, match="on names 51 exceptions; 50 at most"):
        Retry(on=["E"] * 51)


@given(POLICIES, st.lists(st.sampled_from(["ValueError", "a.B", "C"])), st.sampled_from([(), "KeyError", CardRefused]))
def test_policy_crosses_processes(numbers: Retry, on: list[str], not_on: Any) -> None:
    """It comes back equal, and hashable, from JSON that a store or a client wrote."""
    retry = Retry(numbers.attempts, numbers.backoff, numbers.cap, numbers.jitter, on=on, not_on=not_on)
    written = msgspec.json.encode(retry)
    assert msgspec.json.decode(written, type=Retry) == retry == Retry.of(json.loads(written))
    assert hash(msgspec.json.decode(written, type=Retry)) == hash(retry)


def test_policy_stored_by_an_older_release() -> None:
    """One without names of exceptions covers everything."""
    retry = msgspec.json.decode(b'{"attempts":3}', type=Retry)
    assert (retry, retry.covers(ValueError())) == (Retry(3), True)


@pytest.mark.parametrize(
    ("retry", "shown"),
    [
        pytest.param(Retry(), None, id="once"),
        pytest.param(Retry(1, backoff=9.0), None, id="once-in-other-words"),
        pytest.param(
            Retry(3, on=KeyError),
            {"attempts": 3, "backoff": 1.0, "cap": 600.0, "jitter": 0.5, "on": ["builtins.KeyError"], "not_on": []},
            id="thrice",
        ),
    ],
)
def test_policy_as_it_is_shown(retry: Retry, shown: object) -> None:
    """All fields, or nothing if there is no second attempt."""
    assert retry.as_json() == shown


def test_policy_never_changes() -> None:
    """One policy serves many calls."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Retry().attempts = 2  # type: ignore[misc]
