"""A connection lost before Redis was asked, or before its answer came: nothing is lost, and nothing is doubled."""

import time

import msgspec
import pytest

from tests.contract.calls import DEPLOYED, HOLDER, ROOM, accept, ask, call_id, finish, lease, look, make_call
from tests.support.cutting import Cutter
from zato.broker.audit import Note, Notes
from zato.broker.base import (
    Accept,
    AcceptAll,
    Accepted,
    Announce,
    Backend,
    Cancel,
    Finish,
    Lease,
    Look,
    Operation,
    Postpone,
    Release,
)
from zato.broker.cluster import Known, Lock, Members, Queues
from zato.broker.documents import Browse, Keep
from zato.core.audit import AuditEntry
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import ErrorInfo, Failure, Invocation, Lane, Outcome, Status, Terms

TOKEN = b"token--1"
LOST = ("lose_questions", "lose_answers")

lost = pytest.mark.parametrize("lose", LOST)


def _call(number: int = 1, **fields: object) -> Invocation:
    now = int(time.time() * 1000)
    return msgspec.structs.replace(make_call(number), created=now, **fields)


def _lose(cutter: Cutter, lose: str, script: str, times: int = 1) -> None:
    getattr(cutter, lose)(script, times)


def _count(backend: Backend) -> int:
    """Return how many calls there are without an outcome."""
    return sum(queue.waiting + queue.delayed + queue.running for queue in ask(backend, Queues()))


# Asked once more.


@lost
def test_a_call_is_stored_once(cutter: Cutter, near: Backend, lose: str) -> None:
    """Whether it was stored already or not, and also if it stands for an earlier one."""
    _lose(cutter, lose, "accept")
    later = int(time.time() * 1000) + 99_000
    results = near.apply([Accept(_call(1, not_before=later)), Accept(_call(2, idempotency_key="k"))]).results

    assert results == [Accepted(call_id(number), f"c{number}") for number in (1, 2)]
    assert _count(near) == 2


@lost
def test_calls_that_go_together_are_stored_once(cutter: Cutter, near: Backend, lose: str) -> None:
    """Those with a key, too."""
    _lose(cutter, lose, "accept")
    calls = (_call(1), _call(2, idempotency_key="k"), _call(3, idempotency_key="k"))

    assert [each.id for each in ask(near, AcceptAll(calls))] == [call_id(number) for number in (1, 2, 2)]
    assert _count(near) == 2


@lost
def test_an_outcome_is_recorded_once(cutter: Cutter, near: Backend, lose: str) -> None:
    """And so are its follow-ups."""
    accept(near, _call())
    lease(near)
    _lose(cutter, lose, "finish")

    assert finish(near, follow_ups=(_call(2),)) is True
    assert (look(near).status, _count(near)) == (Status.DONE, 1)


@lost
@pytest.mark.parametrize("how", ["postpone", "put off", "release"])
def test_what_is_given_back_is_given_back_once(cutter: Cutter, near: Backend, lose: str, how: str) -> None:
    """One attempt is counted once, and one failure is kept once."""
    error = ErrorInfo("error", "ValueError", "No")
    failure = Failure(attempt=1, started=1, ended=2, server="a", error=error)
    operations: dict[str, Operation[bool]] = {
        "postpone": Postpone(call_id(1), TOKEN, 1, 1, failure=failure),
        "put off": Postpone(call_id(1), TOKEN, 1, 0, started=False),
        "release": Release(call_id(1), TOKEN),
    }
    accept(near, _call())
    lease(near)
    _lose(cutter, lose, "give_back")

    assert ask(near, operations[how]) is True
    assert [len(look(near).failures), len(lease(near))] == [int(how == "postpone"), 1]


@lost
def test_a_document_is_kept_once(cutter: Cutter, near: Backend, lose: str) -> None:
    """Who asked for a new one has got it, even if that was the first time it was asked; somebody else has not."""
    _lose(cutter, lose, "documents")

    assert ask(near, Keep("user", "anna", b"1", owner="o", only_new=True)) is True
    _lose(cutter, lose, "documents")
    assert ask(near, Keep("user", "anna", b"2", owner="o", only_new=True)) is False
    assert [document.value for document in ask(near, Browse("user"))] == [b"1"]


@lost
def test_an_entry_of_the_audit_is_noted_once(cutter: Cutter, near: Backend, lose: str) -> None:
    """What was done twice stands there twice all the same."""
    entry = AuditEntry(time=1, user="anna", action="a", cid="c")
    ask(near, Note(msgspec.structs.replace(entry, cid="before")))
    _lose(cutter, lose, "documents")
    ask(near, Note(entry))

    assert [each.cid for each in ask(near, Notes()).entries] == ["c", "before"]
    ask(near, Note(entry))
    assert len(ask(near, Notes()).entries) == 3


@lost
def test_a_cancellation_is_told_to_who_asked(cutter: Cutter, near: Backend, lose: str) -> None:
    """It was this one that ended the call, even if that was the first time it was asked."""
    accept(near, _call())
    _lose(cutter, lose, "cancel")

    assert ask(near, Cancel(call_id(1), Outcome(status=Status.CANCELLED, ended=5))) is True


@lost
def test_a_lock_is_taken_by_who_asked(cutter: Cutter, near: Backend, lose: str) -> None:
    """Not lost to itself."""
    _lose(cutter, lose, "lock")

    assert ask(near, Lock("invoices", TOKEN, 20)) is True


@lost
def test_what_was_leased_in_vain_is_leased_again_at_once(cutter: Cutter, near: Backend, lose: str) -> None:
    """It is no take-over, because nobody ran it."""
    accept(near, _call())
    _lose(cutter, lose, "lease")
    (delivery,) = lease(near)

    assert (delivery.attempts, delivery.takeovers, look(near).attempts) == (0, 0, 1)


def test_what_was_leased_in_vain_expires_as_before(cutter: Cutter, near: Backend, far: Backend) -> None:
    """A lease that nobody knew of was no start."""
    accept(near, _call(1, expires=int(time.time() * 1000) + 99_000))
    cutter.lose_answers("lease", 2)
    with pytest.raises(BrokerUnavailable):
        lease(near)
    ask(near, Queues())

    assert 0 < (ask(far, Lease(holder=HOLDER, limits={}, token=TOKEN, seconds=15)).next_in or 0) <= 99


# Given up.


@lost
def test_a_call_that_was_refused_does_not_run(cutter: Cutter, near: Backend, far: Backend, lose: str) -> None:
    """Whoever was told of no answer may call again: what is there of the first one goes with the next connection."""
    _lose(cutter, lose, "accept", 2)
    with pytest.raises(BrokerUnavailable):
        near.apply([Accept(_call(1, parent="p", not_before=int(time.time() * 1000) + 99_000)), Accept(_call(2))])
    ask(near, Queues())

    assert (ask(far, Look(id=call_id(1))), ask(far, Queues()), lease(far)) == (None, [], [])


def test_a_call_that_was_refused_and_has_a_key_stays(cutter: Cutter, near: Backend) -> None:
    """Somebody else may have called the same, and was told that it was accepted."""
    cutter.lose_answers("accept", 2)
    with pytest.raises(BrokerUnavailable):
        near.apply([Accept(_call(1, idempotency_key="k"))])

    assert ask(near, Accept(_call(2, idempotency_key="k"))).id == call_id(1)


def test_a_call_that_was_refused_and_runs_goes_on(cutter: Cutter, near: Backend, far: Backend) -> None:
    """It is too late for it then."""
    cutter.lose_answers("accept", 2)
    with pytest.raises(BrokerUnavailable):
        near.apply([Accept(_call())])
    (delivery,) = lease(far)
    ask(near, Queues())

    assert (delivery.invocation.id, look(far).status) == (call_id(1), Status.RUNNING)


@pytest.mark.parametrize("limit", [None, 1])
def test_what_nobody_knows_to_hold_is_free_at_once(
    cutter: Cutter, near: Backend, far: Backend, limit: int | None
) -> None:
    """The lease that was asked for twice in vain ends with the next connection, not by itself, and makes room."""
    terms = {"crm.sync": Terms(max_concurrency=limit)}
    ask(near, Announce(DEPLOYED, terms=terms, server=HOLDER.server))
    accept(far, _call())
    cutter.lose_answers("lease", 2)
    with pytest.raises(BrokerUnavailable):
        lease(near)
    held = look(far).status
    ask(near, Queues())
    (delivery,) = lease(far, token=b"token--2")

    assert (held, delivery.takeovers, delivery.attempts) == (Status.RUNNING, 0, 0)


def test_what_others_lease_is_left_alone(cutter: Cutter, near: Backend, far: Backend) -> None:
    """What is put right are the leases of this connection alone."""
    accept(far, _call(1), _call(2, service="ui.push"))
    ask(far, Lease(holder=HOLDER, limits={Lane.TASK: 1}, token=b"token--2", seconds=15))
    cutter.lose_answers("lease", 2)
    with pytest.raises(BrokerUnavailable):
        lease(near)
    ask(near, Queues())

    assert [look(far, number).status for number in (1, 2)] == [Status.WAITING, Status.RUNNING]


@pytest.mark.parametrize("script", ["finish", "give_back"])
def test_an_end_that_was_refused_may_be_told_again(cutter: Cutter, near: Backend, script: str) -> None:
    """Whoever keeps an outcome until Redis is back learns that it was recorded, or records it."""
    ends: dict[str, Operation[bool]] = {
        "finish": Finish(call_id(1), TOKEN, Outcome(status=Status.DONE, ended=5)),
        "give_back": Release(call_id(1), TOKEN),
    }
    accept(near, _call())
    lease(near)
    cutter.lose_answers(script, 2)
    with pytest.raises(BrokerUnavailable, match="lost the connection"):
        ask(near, ends[script])

    assert ask(near, ends[script]) is True


# What a new connection finds.


def test_scripts_that_were_forgotten_are_loaded_again(near: Backend, cutter: Cutter) -> None:
    """In the middle of a batch, too, whose order stays."""
    accept(near, _call(1))
    with cutter.server.client() as client:
        client.script_flush()
    results = near.apply([Accept(_call(2)), Look(id=call_id(2)), Cancel(call_id(2), _cancelled()), Members()]).results

    assert [type(result).__name__ for result in results] == ["Accepted", "Record", "bool", "list"]


def test_a_redis_that_lost_everything_learns_what_servers_can_run(near: Backend, cutter: Cutter) -> None:
    """Also what was only added, one after the other."""
    for number in (1, 2):
        ask(near, Announce({f"new.{number}": Lane.THREAD}, only_add=True, server=HOLDER.server))
    with cutter.server.client() as client:
        client.flushall()
        client.client_kill_filter(_type="normal", skipme=True)
    accept(near, *(_call(number, service=f"new.{number}") for number in (1, 2)), _call(3))

    assert [int(each.invocation.id) for each in lease(near)] == [1, 2, 3]


def test_a_new_connection_takes_nothing_back(near: Backend, far: Backend, cutter: Cutter) -> None:
    """What other processes of the server added stays, and terms that were said since, and lanes."""
    later = Terms(max_concurrency=1)
    ask(far, Announce({"new": Lane.THREAD}, only_add=True, server=HOLDER.server))
    ask(far, Announce({"crm.sync": Lane.TASK}, only_add=True, terms={"crm.sync": later}, server=HOLDER.server))
    with cutter.server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    accept(near, _call(1), _call(2), _call(3, service="new"))

    assert ask(near, Known(("crm.sync",))) == {"crm.sync": later}
    assert [len(ask(near, _lease(lane)).deliveries) for lane in (Lane.THREAD, Lane.TASK)] == [1, 1]


def _lease(lane: Lane) -> Lease:
    return Lease(holder=HOLDER, limits={lane: ROOM[lane]}, token=TOKEN, seconds=15)


def _cancelled() -> Outcome:
    return Outcome(status=Status.CANCELLED, ended=5)
