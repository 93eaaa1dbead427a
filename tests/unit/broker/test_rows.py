"""Rows of the embedded broker's file become nouns."""

from dataclasses import replace

import pytest

from zato.broker.rows import failure_of, record_of, restore_invocation
from zato.core.invocation import ErrorInfo, Failure, Invocation, Outcome, Record, Status
from zato.core.packing import pack_error, pack_failed, pack_options

CALL = Invocation(
    id="0" * 26,
    cid="abc",
    service="crm.sync",
    payload=b'"x"',
    created=1,
    parent="p",
    not_before=2,
    expires=3,
    queue="slow",
    priority=7,
    callback=("crm.answer",),
)
ERROR = ErrorInfo("error", "ValueError", "No.", "Traceback")
FAILURE = Failure(attempt=2, started=40, ended=45, server="server2", error=ERROR)
CALL_COLUMNS = [CALL.id, "abc", "crm.sync", "p", 1, 2, 3, "slow", 7, b'"x"', pack_options(CALL)]
NO_OUTCOME = [None] * 9
NOT_PENDING = [0, *[None] * 7]
RECORD = Record(
    invocation=CALL,
    status=Status.WAITING,
    attempts=1,
    takeovers=2,
    started=50,
    server=None,
    not_before=None,
    outcome=None,
    cid_count=4,
)
OUTCOME = Outcome(
    status=Status.FAILED,
    ended=60,
    started=50,
    response=b"1",
    error=ERROR,
    attempts=3,
    server="server2",
    version="1.0",
)


def test_an_invocation_has_every_column_and_option() -> None:
    """Columns and packed options together are the call that was accepted."""
    assert restore_invocation(CALL_COLUMNS) == CALL


@pytest.mark.parametrize(
    ("pending", "changes"),
    [
        pytest.param([1, "thread", None, 0, "server1/run-1/1", 50, 1, 2], {}, id="waiting"),
        pytest.param([1, None, None, 0, None, 50, 1, 2], {"status": Status.STRANDED}, id="stranded"),
        pytest.param([1, "thread", 9, 0, None, 50, 1, 2], {"status": Status.DELAYED, "not_before": 9}, id="delayed"),
        pytest.param([1, None, 9, 0, None, 50, 1, 2], {"status": Status.DELAYED, "not_before": 9}, id="both"),
        pytest.param(
            [1, None, None, 1, "north/1/run-1/2", 50, 1, 2],
            {"status": Status.RUNNING, "attempts": 2, "server": "north/1"},
            id="running-though-undeployed",
        ),
    ],
)
def test_a_call_without_outcome(pending: list[object], changes: dict[str, object]) -> None:
    """Its status follows from who holds it, its time and its lane, in this order; the current attempt counts."""
    assert record_of([*CALL_COLUMNS, *pending, *NO_OUTCOME], cid_count=4) == replace(RECORD, **changes)  # type: ignore[arg-type]


def test_a_call_with_an_outcome() -> None:
    """The outcome says all, and the delay shown is the one that was asked for."""
    row = [*CALL_COLUMNS, *NOT_PENDING, "failed", 60, 50, b"1", pack_error(ERROR), 3, 2, "server2", "1.0"]

    expected = replace(RECORD, status=Status.FAILED, attempts=3, server="server2", not_before=2, outcome=OUTCOME)
    assert record_of(row, cid_count=4) == expected
    assert record_of(row, cid_count=4, failures=(FAILURE,)) == replace(expected, failures=(FAILURE,))


def test_a_failed_attempt() -> None:
    """Every column of it comes back."""
    assert failure_of([2, 40, 45, "server2", pack_failed(ERROR)]) == FAILURE
