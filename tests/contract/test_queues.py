"""Queues that are paused and go on again, and what is told of them: the same with every backend."""

from collections.abc import Callable
from contextlib import closing

import pytest

from tests.contract.calls import (
    DEPLOYED,
    HOLDER,
    START,
    SUCCESSOR,
    TOKEN,
    accept,
    ask,
    call_id,
    finish,
    lease,
    lease_all,
    look,
    make_call,
)
from tests.contract.stores import RESTARTING, Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Announce, Backend, Cancel, Finish, Postpone, Reclaim, Release
from zato.broker.cluster import Pause, Queues, QueueState
from zato.core.invocation import Invocation, Lane, Outcome, Status

MAIL = "mail"


def _mail(number: int, **fields: object) -> Invocation:
    return make_call(number, queue=MAIL, **fields)


def _leased(backend: Backend, token: bytes = TOKEN) -> list[int]:
    return [int(delivery.invocation.id) for delivery in lease(backend, token=token)]


def _pause(backend: Backend, *, paused: bool = True) -> bool:
    return ask(backend, Pause(MAIL, paused))


# What a paused queue is.


def test_nothing_of_a_paused_queue_is_leased(backend: Backend) -> None:
    """Neither what it had nor what it gets; other queues go on."""
    accept(backend, make_call(1), _mail(2, priority=1), _mail(3, service="ui.push"))
    _pause(backend)
    accept(backend, _mail(4), make_call(5))

    assert _leased(backend) == [1, 5]


def test_what_waited_in_a_paused_queue_comes_in_its_order(backend: Backend) -> None:
    """Calls keep their places, beside those of other queues, and whoever waits for work is told."""
    accept(backend, _mail(1), make_call(2))
    _pause(backend)
    accept(backend, _mail(3), make_call(4), _mail(5, priority=1))

    resumed = backend.apply([Pause(MAIL, paused=False)])

    assert resumed.ready
    assert _leased(backend) == [5, 1, 2, 3, 4]


def test_it_is_told_whether_a_pause_is_new(backend: Backend) -> None:
    """To pause what is paused, and to let go on what goes on, is nothing new; no queue has to exist."""
    told = [_pause(backend, paused=paused) for paused in (False, True, True, False, False, True)]

    assert told == [False, True, False, True, False, True]


def test_each_queue_is_paused_alone(backend: Backend) -> None:
    """One that goes on leaves the others as they are."""
    accept(backend, make_call(1), _mail(2), make_call(3, queue="other"))
    for queue in ("default", MAIL, "other"):
        ask(backend, Pause(queue, paused=True))

    leased = [_leased(backend)]
    for queue in (MAIL, "default"):
        ask(backend, Pause(queue, paused=False))
        leased.append(_leased(backend))

    assert leased == [[], [2], [1]]


def test_a_pause_is_kept(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """Another process finds it, and may undo it."""
    accept(backend, _mail(1))
    _pause(backend)

    with closing(store.open(clock)) as second:
        kept = _leased(second)
        _pause(second, paused=False)

    assert (kept, _leased(backend)) == ([], [1])


@pytest.mark.parametrize("store", RESTARTING, indirect=True)
def test_a_pause_outlives_the_start_of_the_machine(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """It is kept until it is undone, whatever restarts; also for what ran then."""
    accept(backend, _mail(1))
    lease(backend)
    _pause(backend)
    clock.restart()

    with closing(store.open(clock)) as second:
        assert _leased(second) == []
        assert look(second).status is Status.WAITING


# What happens meanwhile.


def test_what_runs_goes_on(backend: Backend) -> None:
    """A pause ends no lease."""
    accept(backend, _mail(1))
    lease(backend)
    _pause(backend)

    assert look(backend).status is Status.RUNNING
    assert finish(backend, follow_ups=(_mail(2), make_call(3))) is True
    assert _leased(backend) == [3]


def _release(backend: Backend, clock: TurnableClock) -> None:
    ask(backend, Release(call_id(1), TOKEN))


def _postpone(backend: Backend, clock: TurnableClock) -> None:
    ask(backend, Postpone(call_id(1), TOKEN, START + 1000, 1))
    clock.turn(1)


def _put_off(backend: Backend, clock: TurnableClock) -> None:
    ask(backend, Postpone(call_id(1), TOKEN, START + 1000, 0, started=False))
    clock.turn(1)


def _reclaim(backend: Backend, clock: TurnableClock) -> None:
    ask(backend, Reclaim(SUCCESSOR))


def _vanish(backend: Backend, clock: TurnableClock) -> None:
    clock.turn(15)


@pytest.mark.parametrize("give_back", [_release, _postpone, _put_off, _reclaim, _vanish])
def test_what_comes_back_to_a_paused_queue_waits(
    backend: Backend, clock: TurnableClock, give_back: Callable[[Backend, TurnableClock], None]
) -> None:
    """However a lease ends without an outcome, the next one begins when the queue goes on."""
    accept(backend, _mail(1))
    lease(backend)
    _pause(backend)
    give_back(backend, clock)

    leased = _leased(backend, b"token--2")
    status = look(backend).status
    _pause(backend, paused=False)

    assert (leased, status, _leased(backend, b"token--2")) == ([], Status.WAITING, [1])


def test_what_is_delayed_becomes_due(backend: Backend, clock: TurnableClock) -> None:
    """Its time comes in a paused queue too, and it is leased when the queue goes on."""
    _pause(backend)
    accept(backend, _mail(1, not_before=START + 1000))
    before = look(backend).status
    clock.turn(1)
    leased = _leased(backend)
    after = look(backend).status
    _pause(backend, paused=False)

    assert (before, leased, after, _leased(backend)) == (Status.DELAYED, [], Status.WAITING, [1])


def test_what_expires_expires(backend: Backend, clock: TurnableClock) -> None:
    """A pause gives no call more time to start in."""
    _pause(backend)
    accept(backend, _mail(1, expires=START + 1000))
    clock.turn(1)

    assert (_leased(backend), look(backend).status) == ([], Status.EXPIRED)


def test_what_waits_in_a_paused_queue_can_be_cancelled(backend: Backend) -> None:
    """It ends there, and does not come back."""
    accept(backend, _mail(1))
    _pause(backend)
    cancelled = ask(backend, Cancel(call_id(1), Outcome(status=Status.CANCELLED, ended=START)))
    _pause(backend, paused=False)

    assert (cancelled, _leased(backend)) == (True, [])


# Queues and services.


def test_a_service_that_comes_to_a_paused_queue_waits(backend: Backend) -> None:
    """What was stranded in it can run now, but not yet."""
    _pause(backend)
    accept(backend, _mail(1, service="new.one"), make_call(2, service="new.one"))
    before = look(backend).status
    ask(backend, Announce({**DEPLOYED, "new.one": Lane.TASK}, server=HOLDER.server))
    leased, after = _leased(backend), look(backend).status
    _pause(backend, paused=False)

    assert (before, leased, after, _leased(backend)) == (Status.STRANDED, [2], Status.WAITING, [1])


def test_a_service_that_leaves_a_paused_queue_is_stranded(backend: Backend) -> None:
    """The end of the pause does not bring it back."""
    accept(backend, _mail(1), _mail(2, service="crm.answer"))
    _pause(backend)
    ask(backend, Announce({"crm.answer": Lane.THREAD}, server=HOLDER.server))
    _pause(backend, paused=False)

    assert (look(backend).status, _leased(backend)) == (Status.STRANDED, [2])


def test_a_service_that_changes_lanes_in_a_paused_queue(backend: Backend) -> None:
    """It is leased by its new lane when the queue goes on."""
    accept(backend, _mail(1))
    _pause(backend)
    ask(backend, Announce({**DEPLOYED, "crm.sync": Lane.TASK}, server=HOLDER.server))
    _pause(backend, paused=False)

    leased = [len(lease_all(backend, limits={lane: 9}).deliveries) for lane in (Lane.THREAD, Lane.TASK)]

    assert leased == [0, 1]


# What is told of queues.


def _state(name: str, **counts: int | bool) -> QueueState:
    none = {"paused": False, "waiting": 0, "delayed": 0, "running": 0, "stranded": 0, "oldest": None}
    return QueueState(name=name, **{**none, **counts})  # type: ignore[arg-type]


def test_without_calls_there_is_no_queue(backend: Backend) -> None:
    """A queue is there because a call is in it, or because somebody paused it."""
    before = ask(backend, Queues())
    _pause(backend)
    during = ask(backend, Queues())
    _pause(backend, paused=False)

    assert (before, during, ask(backend, Queues())) == ([], [_state(MAIL, paused=True)], [])


def test_calls_are_counted_by_queue_and_status(backend: Backend, clock: TurnableClock) -> None:
    """Each is counted once, and queues come by name; what ended is in none."""
    accept(backend, make_call(1), make_call(2))
    lease(backend)
    finish(backend, 2)
    accept(
        backend,
        *(make_call(number, queue="a", created=START + number) for number in (3, 4)),
        _mail(5, service="unknown"),
        _mail(6, service="unknown", not_before=START + 1),
        _mail(7, not_before=START + 1),
    )
    _pause(backend)
    accept(backend, _mail(8, created=START + 8), _mail(9, service="unknown"))

    assert ask(backend, Queues()) == [
        _state("a", waiting=2, oldest=START + 3),
        _state("default", running=1),
        _state(MAIL, paused=True, waiting=1, delayed=2, stranded=2, oldest=START + 8),
    ]


def test_the_oldest_is_of_those_that_wait(backend: Backend) -> None:
    """Whatever its priority and service; what runs, is delayed, or is stranded is not waiting."""
    accept(backend, make_call(1, created=START + 1))
    lease(backend)
    accept(
        backend,
        make_call(2, created=START + 2, service="unknown"),
        make_call(3, created=START + 3, not_before=START + 99),
        make_call(4, created=START + 4, priority=9, service="ui.push"),
        make_call(5, created=START + 5, priority=1),
    )

    assert [queue.oldest for queue in ask(backend, Queues())] == [START + 4]


def test_queues_are_told_to_a_reader(backend: Backend, reader: Backend) -> None:
    """Whoever only looks sees what was written before."""
    accept(backend, make_call(1), _mail(2))
    _pause(backend)

    assert ask(reader, Queues()) == ask(backend, Queues())


def test_an_outcome_empties_a_queue(backend: Backend) -> None:
    """With its last call a queue is gone."""
    accept(backend, _mail(1))
    lease(backend)
    done = Finish(call_id(1), TOKEN, Outcome(status=Status.DONE, ended=START))

    assert backend.apply([Queues(), done, Queues()]).results == [[_state(MAIL, running=1)], True, []]
