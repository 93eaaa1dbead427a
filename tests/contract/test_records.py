"""What a look shows of a call, at every station of its life: the same with every backend."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.calls import START, TOKEN, accept, ask, call_id, finish, lease, look, make_call
from tests.support.clocks import TurnableClock
from zato.broker.base import Backend, Cancel, Find, Finish, Look, Postpone, Release
from zato.core.invocation import ErrorInfo, Failure, Invocation, Outcome, Record, Status
from zato.core.retry import Retry

FULL = Invocation(
    id=call_id(1),
    cid="zażółć-☃",
    service="crm.sync",
    payload='{"größe": "🎈", "zero": "\\u0000"}'.encode(),
    created=START - 5,
    channel="scheduler",
    queue="slow",
    priority=2,
    parent="p",
    in_reply_to="r",
    replay_of=call_id(7),
    not_before=START - 3,
    expires=START + 60_000,
    callback=("crm.answer", "ünï"),
    on_failure=("crm.alarm",),
    retry=Retry(attempts=4, backoff=0.5, cap=9.0, jitter=0.25, on=("ünï.Error",), not_on=("other.Error",)),
    time_limit=2.5,
    data_format="json",
    transport="plain_http",
    environ='{"a": "ż"}'.encode(),
    idempotency_key="ключ\n7",
)
FAILED = Outcome(
    status=Status.FAILED,
    ended=START + 9,
    error=ErrorInfo("error", "ValueError", "Zażółć\nnicht", "Traceback …"),
    attempts=2,
    started=START + 4,
    server="sërver",
    version="1.2.3",
)
DONE = Outcome(
    status=Status.DONE,
    ended=START + 9,
    response='{"ok": "☃"}'.encode(),
    attempts=1,
    started=START + 4,
    server="server1",
    version="1.2.3",
)
CANCELLED = Outcome(status=Status.CANCELLED, ended=START + 9, server="server1", version="1.2.3")

CALL = make_call(1, expires=START + 60_000)
WAITING = Record(
    invocation=CALL,
    status=Status.WAITING,
    attempts=0,
    takeovers=0,
    started=None,
    server=None,
    not_before=None,
    outcome=None,
    cid_count=1,
)

Story = Callable[[Backend, TurnableClock], None]


def _nothing(backend: Backend, clock: TurnableClock) -> None: ...


def _leased(backend: Backend, clock: TurnableClock) -> None:
    lease(backend)


def _released(backend: Backend, clock: TurnableClock) -> None:
    lease(backend)
    ask(backend, Release(call_id(1), TOKEN))


def _postponed(backend: Backend, clock: TurnableClock) -> None:
    lease(backend)
    ask(backend, Postpone(call_id(1), TOKEN, START + 7, 1))


def _leased_after_a_retry(backend: Backend, clock: TurnableClock) -> None:
    _postponed(backend, clock)
    clock.turn(1)
    lease(backend)


def _taken_over(backend: Backend, clock: TurnableClock) -> None:
    lease(backend)
    clock.turn(20)
    lease(backend)


def _done(backend: Backend, clock: TurnableClock) -> None:
    lease(backend)
    ask(backend, Finish(call_id(1), TOKEN, DONE))


def _failed_after_a_takeover(backend: Backend, clock: TurnableClock) -> None:
    _taken_over(backend, clock)
    ask(backend, Finish(call_id(1), TOKEN, FAILED))


def _expired(backend: Backend, clock: TurnableClock) -> None:
    clock.turn(61)
    lease(backend)


def _cancelled(backend: Backend, clock: TurnableClock) -> None:
    ask(backend, Cancel(call_id(1), CANCELLED))


def _ended(outcome: Outcome, **changes: Any) -> Record:
    known = {"attempts": outcome.attempts, "started": outcome.started, "server": outcome.server}
    return replace(WAITING, status=outcome.status, outcome=outcome, **{**known, **changes})


EXPIRED = Outcome(status=Status.EXPIRED, ended=START + 61_000)


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        pytest.param(_nothing, WAITING, id="waiting"),
        pytest.param(
            _leased,
            replace(WAITING, status=Status.RUNNING, attempts=1, started=START, server="server1"),
            id="running",
        ),
        pytest.param(_released, replace(WAITING, started=START), id="waiting-after-release"),
        pytest.param(
            _postponed,
            replace(WAITING, status=Status.DELAYED, attempts=1, started=START, not_before=START + 7),
            id="delayed-after-an-attempt",
        ),
        pytest.param(
            _leased_after_a_retry,
            replace(WAITING, status=Status.RUNNING, attempts=2, started=START + 1000, server="server1"),
            id="running-again",
        ),
        pytest.param(
            _taken_over,
            replace(WAITING, status=Status.RUNNING, attempts=1, takeovers=1, started=START + 20_000, server="server1"),
            id="running-after-a-takeover",
        ),
        pytest.param(_done, _ended(DONE), id="done"),
        pytest.param(_failed_after_a_takeover, _ended(FAILED, takeovers=1), id="failed"),
        pytest.param(_expired, _ended(EXPIRED), id="expired"),
        pytest.param(_cancelled, _ended(CANCELLED), id="cancelled"),
    ],
)
def test_record(backend: Backend, clock: TurnableClock, story: Story, expected: Record) -> None:
    """Every field of a record says how things stand, at every station of a call's life."""
    accept(backend, CALL)
    story(backend, clock)

    assert look(backend) == expected


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"not_before": START + 5}, Status.DELAYED, id="delayed"),
        pytest.param({"service": "unknown"}, Status.STRANDED, id="stranded"),
        pytest.param({"service": "unknown", "not_before": START + 5}, Status.DELAYED, id="delayed-and-stranded"),
    ],
)
def test_record_of_what_cannot_run_now(backend: Backend, fields: dict[str, Any], status: Status) -> None:
    """A call that waits for its time, or for its service, says so."""
    call = make_call(1, **fields)
    accept(backend, call)

    assert look(backend) == replace(WAITING, invocation=call, status=status, not_before=call.not_before)


def test_every_field_of_a_call_is_kept(backend: Backend) -> None:
    """What was accepted is what is looked up, and what is delivered, before and after the end."""
    accept(backend, FULL)

    before = look(backend).invocation
    (delivery,) = lease(backend)
    finish(backend)

    assert [before, delivery.invocation, look(backend).invocation] == [FULL] * 3


def test_a_cid_stands_for_its_newest_call(backend: Backend) -> None:
    """Of several calls with one CID the last accepted is found, and all say how many there are."""
    accept(backend, *(make_call(number, cid="again") for number in (2, 3, 1)), make_call(4, cid="other"))

    newest, other = ask(backend, Look(cid="again")), ask(backend, Look(cid="other"))

    assert newest == look(backend, 1)
    assert (newest.cid_count, look(backend, 2).cid_count, other and other.cid_count) == (3, 3, 1)


def test_calls_with_one_cid_end_one_by_one(backend: Backend) -> None:
    """Each has an outcome of its own."""
    accept(backend, make_call(1, cid="again"), make_call(2, cid="again"))
    lease(backend)
    finish(backend, 1, response=b"1")

    assert [look(backend, 1).status, look(backend, 2).status] == [Status.DONE, Status.RUNNING]


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param(Look(id=call_id(9)), id="id"),
        pytest.param(Look(cid="nobody"), id="cid"),
        pytest.param(Look(id="c1"), id="cid-as-id"),
        pytest.param(Look(cid=call_id(1)), id="id-as-cid"),
        pytest.param(Look(), id="nothing"),
    ],
)
def test_unknown_calls_are_none(backend: Backend, unknown: Look) -> None:
    """What was never accepted, or is gone by now, is not an error."""
    accept(backend, make_call(1))

    assert ask(backend, unknown) is None


@pytest.mark.parametrize("size", [0, 1, 5_000_000], ids=["empty", "one-byte", "5-megabytes"])
def test_payloads_and_responses_of_any_size(backend: Backend, size: int) -> None:
    """Bytes come back as they were stored, however many there are."""
    payload, response = b"p" * size, b"\x00\xff" * (size // 2)
    accept(backend, make_call(1, payload=payload))
    (delivery,) = lease(backend)
    finish(backend, response=response)

    outcome = look(backend).outcome
    assert delivery.invocation.payload == payload
    assert outcome is not None
    assert outcome.response == response


def test_no_response_is_not_an_empty_one(backend: Backend) -> None:
    """A service that returned nothing is told from one that returned an empty text."""
    accept(backend, make_call(1))
    lease(backend)
    finish(backend, response=None)

    outcome = look(backend).outcome
    assert outcome is not None
    assert outcome.response is None


def _failure(attempt: int) -> Failure:
    error = ErrorInfo("exception", "ValueError", f"Größe {attempt}", "Traceback …")
    return Failure(attempt=attempt, started=START + attempt, ended=START + attempt + 1, server="sërver", error=error)


def _fail(backend: Backend, attempt: int) -> None:
    lease(backend)
    ask(backend, Postpone(call_id(1), TOKEN, START, attempt, failure=_failure(attempt)))


def test_failed_attempts_are_kept(backend: Backend) -> None:
    """A record tells of each attempt that was tried again, oldest first, while it waits and after its end."""
    accept(backend, make_call(1), make_call(2, not_before=START + 60_000))
    for attempt in (1, 2):
        _fail(backend, attempt)
    before = look(backend).failures
    lease(backend)
    finish(backend)

    assert (before, look(backend).failures, look(backend, 2).failures) == ((_failure(1), _failure(2)),) * 2 + ((),)


def test_lists_have_the_failed_attempts_of_each_call(backend: Backend, reader: Backend) -> None:
    """Those of others are not among them."""
    accept(backend, make_call(0), make_call(1), make_call(2, cid="c1"))
    for attempt in (1, 2):
        _fail(backend, attempt)
    listed = ask(reader, Find()).records

    assert [record.failures for record in listed] == [(), (_failure(1), _failure(2)), ()]
    assert [record.cid_count for record in listed] == [2, 2, 1]


def test_only_the_last_failures_are_kept(backend: Backend) -> None:
    """A call that is tried for ever does not grow for ever."""
    accept(backend, make_call())
    for attempt in range(1, 24):
        _fail(backend, attempt)

    assert look(backend).failures == tuple(_failure(attempt) for attempt in range(14, 24))


def test_ten_failures_are_kept_whatever_their_numbers(backend: Backend) -> None:
    """Attempts of which nobody said why they failed leave no gap in what is kept."""
    accept(backend, make_call())
    attempts = [1, *range(3, 40, 3)]
    for attempt in attempts:
        _fail(backend, attempt)

    assert [failure.attempt for failure in look(backend).failures] == attempts[-10:]


def test_who_holds_nothing_adds_no_failure(backend: Backend) -> None:
    """A sleeper's attempt that failed is not told of: somebody else runs the call by now."""
    accept(backend, make_call())
    lease(backend)
    ask(backend, Postpone(call_id(1), b"another!", START, 1, failure=_failure(1)))

    assert look(backend).failures == ()


def test_a_cancelled_retry_keeps_its_failures(backend: Backend) -> None:
    """Why it was about to be tried again can still be seen."""
    accept(backend, make_call())
    _fail(backend, 1)
    ask(backend, Cancel(call_id(1), CANCELLED))

    assert (look(backend).status, look(backend).failures) == (Status.CANCELLED, (_failure(1),))
