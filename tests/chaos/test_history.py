"""The checker of histories finds what it is there for."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.chaos.history import ACCEPTED, REFUSED, UNKNOWN, History, Recorded, Started, Told

TOLD = Told("a", ACCEPTED, 10.0, calls_back=True, seen="r1")
START = Started("a", "chaos.work", "r1", 1, 10.5)
ANSWER = Started("b", "chaos.callback", "r2", 1, 11.0, in_reply_to="a", reply="r1")
DONE = Recorded("a", "chaos.work", None, "done", "r1", waits=False)
CALLED = Recorded("b", "chaos.callback", "a", "done", "r2", waits=False)


def faults(
    told: Sequence[Told] = (TOLD,), started: Sequence[Started] = (START, ANSWER), recorded: Sequence[Recorded] = ()
) -> dict[str, list[str]]:
    """Return what is found in a history that is right, except for what a test makes wrong."""
    return History(told, started, recorded or (DONE, CALLED)).verdict().faults


def test_right_history() -> None:
    """A call that was started, is done, and called back once has no fault; nor has one that was refused."""
    assert faults((TOLD, Told("z", REFUSED, 10.0))) == {}


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        pytest.param((CALLED,), {"lost": ["a"], "recorded_twice": ["a"], "ghosts": ["a"]}, id="call-gone"),
        pytest.param((replace(DONE, status="failed"), CALLED), {"lost": ["a"]}, id="call-failed"),
        pytest.param((replace(DONE, status=None, waits=True), CALLED), {"lost": ["a"]}, id="call-still-waits"),
        pytest.param((DONE,), {"lost": ["a"], "ghosts": ["b"]}, id="callback-gone"),
        pytest.param((DONE, replace(CALLED, status=None, waits=True)), {"lost": ["a"]}, id="callback-still-waits"),
        pytest.param((DONE, DONE, CALLED), {"recorded_twice": ["a"]}, id="call-stored-twice"),
        pytest.param((DONE, CALLED, replace(CALLED, cid="c")), {"recorded_twice": ["a"]}, id="called-back-twice"),
        pytest.param((replace(DONE, waits=True), CALLED), {"halves": ["a"]}, id="ended-and-waits"),
        pytest.param((DONE, replace(CALLED, status=None)), {"lost": ["a"], "halves": ["b"]}, id="neither"),
        pytest.param((replace(DONE, run="r9"), CALLED), {"lost": ["a"], "recorded_twice": ["a"]}, id="outcome-changed"),
    ],
)
def test_store_that_is_wrong(recorded: Sequence[Recorded], expected: dict[str, list[str]]) -> None:
    """What was lost, doubled or cut in half is named."""
    assert faults(recorded=recorded) == expected


def test_refused_call_that_ran() -> None:
    """Who is told that nothing was stored may call again: so nothing must be stored."""
    assert faults((replace(TOLD, verdict=REFUSED),)) == {"ghosts": ["a"]}


def test_call_of_which_nothing_is_known() -> None:
    """It may be stored, and then it runs and calls back like any other; or it is not there at all."""
    assert faults((replace(TOLD, verdict=UNKNOWN), Told("z", UNKNOWN, 10.0))) == {}


def test_call_that_started_early() -> None:
    """A start before the time that was asked for is a fault, and one after it is none."""
    assert faults((replace(TOLD, not_before=10.6),)) == {"early": ["a"]}
    assert faults((replace(TOLD, not_before=10.4),)) == {}


def test_starts_are_counted_against_attempts() -> None:
    """More starts than attempts is allowed, and counted; a retry is another attempt."""
    again = replace(START, run="r0", at=10.1)
    once = History([TOLD], [again, START, ANSWER], [DONE, CALLED]).verdict()
    retried = History([TOLD], [again, START, ANSWER], [replace(DONE, attempts=2), CALLED]).verdict()

    assert (sorted(once.run_twice), once.faults, sorted(retried.run_twice)) == (["a"], {}, [])
    assert once.late == pytest.approx(0.1)


def test_refused_call_that_ran_where_a_refusal_is_not_sure() -> None:
    """It is counted, and no fault; one that nobody made stays a fault."""
    history = History([replace(TOLD, verdict=REFUSED)], [START, ANSWER], [DONE, CALLED], refused_may_run=True)
    nobodys = History([], [START, ANSWER], [DONE, CALLED], refused_may_run=True)

    assert (sorted(history.verdict().refused_ran), history.verdict().faults) == (["a"], {})
    assert nobodys.verdict().faults == {"ghosts": ["a"]}


def test_call_that_is_to_fail() -> None:
    """It is lost if it did not fail, and if nobody was told of its failure."""
    doomed = replace(TOLD, ends="failed", seen=None)
    failed = replace(DONE, status="failed", run=None)
    report = replace(ANSWER, reply=None)

    assert faults((doomed,), (START, report), (failed, CALLED)) == {}
    assert faults((doomed,), (START, report), (failed,)) == {"lost": ["a"], "ghosts": ["b"]}
    assert faults((doomed,), (START, report), (DONE, CALLED)) == {"lost": ["a"]}


def test_two_callbacks_that_started_and_one_that_is_stored() -> None:
    """Services that were called back twice saw two outcomes, whatever the store says."""
    other = replace(ANSWER, cid="c")

    assert faults(started=(START, ANSWER, other)) == {"recorded_twice": ["a"], "ghosts": ["c"]}
