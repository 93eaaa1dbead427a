"""How many calls of a service may run at once, and what its class says besides: the same with every backend."""

from contextlib import closing

import pytest

from tests.contract.calls import (
    DEPLOYED,
    HOLDER,
    ROOM,
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
from tests.contract.stores import Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Announce, Applied, Backend, Cancel, Finish, Operation, Postpone, Reclaim, Release
from zato.broker.cluster import Known, Pause
from zato.core.invocation import Holder, Lane, Outcome, Status, Terms
from zato.core.retry import Retry

SYNC = "crm.sync"
OTHER = b"token--2"
NEIGHBOUR = Holder(HOLDER.server, HOLDER.run, 2)
DONE = Outcome(status=Status.DONE, ended=START)
MEGABYTE = 1_000_000


def _limit(backend: Backend, most: int | None, *, service: str = SYNC) -> Applied:
    """Announce what is deployed; of one service, only so many calls may run at once."""
    terms = {service: Terms(max_concurrency=most)}
    return backend.apply([Announce(DEPLOYED, terms=terms, server=HOLDER.server)])


def _leased(backend: Backend, *, most: int = 99, holder: Holder = HOLDER, token: bytes = TOKEN) -> list[int]:
    leased = lease_all(backend, limits={Lane.THREAD: most, Lane.TASK: most}, holder=holder, token=token)
    return [int(delivery.invocation.id) for delivery in leased.deliveries]


# Never more at once.


def test_no_more_run_at_once(backend: Backend) -> None:
    """However many wait and however often is asked, and whoever asks."""
    _limit(backend, 2)
    accept(backend, *(make_call(number) for number in range(1, 6)))

    asked = [_leased(backend, holder=holder, token=OTHER) for holder in (HOLDER, NEIGHBOUR, HOLDER)]

    assert asked == [[1, 2], [], []]


def test_each_that_ends_lets_another_begin(backend: Backend) -> None:
    """One by one, in the order of acceptance, to the last."""
    _limit(backend, 2)
    accept(backend, *(make_call(number) for number in range(1, 6)))
    order = [_leased(backend)]
    for number in range(1, 6):
        assert finish(backend, number)
        order.append(_leased(backend))

    assert order == [[1, 2], [3], [4], [5], [], []]


def test_one_lease_after_the_other_fills_what_there_is_room_for(backend: Backend) -> None:
    """A holder that has room for one gets one."""
    _limit(backend, 3)
    accept(backend, *(make_call(number) for number in range(1, 6)))

    assert [_leased(backend, most=1) for _ in range(5)] == [[1], [2], [3], [], []]


def test_services_without_a_limit_go_on(backend: Backend) -> None:
    """Calls behind a thousand that must wait are leased as if these were not there."""
    _limit(backend, 1)
    accept(backend, *(make_call(number) for number in range(1, 1001)))
    accept(backend, make_call(1001, service="crm.answer"), make_call(1002, service="ui.push"))

    assert (_leased(backend), _leased(backend)) == ([1, 1001, 1002], [])


def test_each_service_has_its_own_limit(backend: Backend) -> None:
    """What runs of one does not count for another, in whichever lane."""
    most = {SYNC: Terms(max_concurrency=1), "crm.answer": Terms(max_concurrency=2), "ui.push": Terms(max_concurrency=1)}
    ask(backend, Announce(DEPLOYED, terms=most, server=HOLDER.server))
    for number, service in enumerate((SYNC, "crm.answer", "ui.push") * 3):
        accept(backend, make_call(number, service=service))

    assert _leased(backend) == [0, 1, 4, 2]
    assert (finish(backend, 2), finish(backend, 1), _leased(backend)) == (True, True, [7, 5])


def test_limited_and_unlimited_calls_come_in_one_order(backend: Backend) -> None:
    """Priority first, then age, as if nobody had a limit; what must wait is passed over."""
    most = {SYNC: Terms(max_concurrency=2), "new.one": Terms(max_concurrency=5)}
    ask(backend, Announce({**DEPLOYED, "new.one": Lane.THREAD}, terms=most, server=HOLDER.server))
    services = (SYNC, "crm.answer", "new.one", SYNC, SYNC, "crm.answer", "new.one")
    accept(
        backend,
        *(
            make_call(number, service=each, priority=(5, 5, 9, 5, 1, 9, 1)[number])
            for number, each in enumerate(services)
        ),
    )

    assert [_leased(backend, most=3), _leased(backend, most=3), _leased(backend)] == [[4, 6, 0], [1, 2, 5], []]


def test_what_is_delayed_or_expired_takes_no_room(backend: Backend, clock: TurnableClock) -> None:
    """Only what runs counts."""
    _limit(backend, 1)
    accept(backend, make_call(1, not_before=START + 2000), make_call(2, expires=START + 1000), make_call(3))
    clock.turn(1)

    assert (_leased(backend), look(backend, 2).status) == ([3], Status.EXPIRED)


def test_a_lease_still_has_its_size(backend: Backend) -> None:
    """No more at once than a process can hold in memory, also when several services wait side by side."""
    _limit(backend, 9)
    for number in range(1, 5):
        accept(backend, make_call(number, service=(SYNC, "crm.answer")[number % 2], payload=bytes(7 * MEGABYTE)))

    assert [_leased(backend), _leased(backend)] == [[1, 2, 3], [4]]


# What makes room.


def _vanish(backend: Backend, clock: TurnableClock) -> None:
    clock.turn(15)


ENDS: dict[str, Operation[object]] = {
    "outcome": Finish(call_id(1), TOKEN, DONE),
    "release": Release(call_id(1), TOKEN),
    "retry": Postpone(call_id(1), TOKEN, START + 60_000, 1),
    "put-off": Postpone(call_id(1), TOKEN, START + 60_000, 0, started=False),
    "cancel": Cancel(call_id(1), Outcome(status=Status.CANCELLED, ended=START)),
    "reclaim": Reclaim(SUCCESSOR),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_end_of_a_lease_makes_room(backend: Backend, end: Operation[object]) -> None:
    """However it ends, another call may begin, and whoever waits for work is told."""
    _limit(backend, 1)
    accept(backend, make_call(1, priority=9), make_call(2, priority=9))
    lease(backend)
    accept(backend, make_call(3))
    before = _leased(backend, token=OTHER)

    applied = backend.apply([end])

    assert (before, applied.ready, _leased(backend, token=OTHER)) == ([], True, [3])


def test_a_lease_that_ran_out_makes_room(backend: Backend, clock: TurnableClock) -> None:
    """Whoever vanished holds nobody up for longer than a lease; what it held has its old place."""
    _limit(backend, 1)
    accept(backend, make_call(1), make_call(2))
    first = lease_all(backend)
    clock.turn(first.next_in or 0)

    assert [delivery.invocation.id for delivery in lease(backend, token=OTHER)] == [call_id(1)]
    assert _leased(backend) == []


def test_a_sleeper_makes_no_room(backend: Backend, clock: TurnableClock) -> None:
    """Whoever holds no current token ends nothing, and lets nothing begin."""
    _limit(backend, 1)
    accept(backend, make_call(1), make_call(2))
    lease(backend)
    clock.turn(15)
    lease(backend, token=OTHER)

    assert (finish(backend, 1), _leased(backend)) == (False, [])


# Limits that change.


def test_what_runs_already_counts(backend: Backend) -> None:
    """A limit that comes later is kept from then on; nothing that runs is ended by it."""
    accept(backend, *(make_call(number) for number in range(1, 5)))
    _leased(backend, most=3)
    _limit(backend, 2)

    leased = [_leased(backend)]
    for number in (1, 2):
        finish(backend, number)
        leased.append(_leased(backend))

    assert leased == [[], [], [4]]


@pytest.mark.parametrize(("most", "more"), [(3, [2, 3]), (None, [2, 3, 4, 5])], ids=["raised", "removed"])
def test_a_limit_that_is_raised_lets_others_begin(backend: Backend, most: int | None, more: list[int]) -> None:
    """At once, and whoever waits for work is told."""
    _limit(backend, 1)
    accept(backend, *(make_call(number) for number in range(1, 6)))
    lease(backend)

    assert _limit(backend, most).ready
    assert _leased(backend) == more


def test_a_limit_that_is_lowered_is_kept_once_enough_have_ended(backend: Backend) -> None:
    """What runs goes on."""
    _limit(backend, 3)
    accept(backend, *(make_call(number) for number in range(1, 6)))
    _leased(backend)
    _limit(backend, 1)

    leased = []
    for number in (1, 2, 3):
        assert finish(backend, number)
        leased.append(_leased(backend))

    assert leased == [[], [], [4]]


def test_a_service_that_changes_lanes_keeps_its_limit(backend: Backend) -> None:
    """What runs in the lane of before counts in the new one."""
    _limit(backend, 2)
    accept(backend, *(make_call(number) for number in range(1, 5)))
    _leased(backend, most=1)
    terms = {SYNC: Terms(max_concurrency=2)}
    ask(backend, Announce({**DEPLOYED, SYNC: Lane.TASK}, terms=terms, server=HOLDER.server))

    leased = [lease_all(backend, limits={lane: 9}).deliveries for lane in (Lane.THREAD, Lane.TASK)]

    assert [len(each) for each in leased] == [0, 1]


def test_a_limit_is_kept_in_the_store(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """Another process keeps to it, and counts what the first one runs."""
    _limit(backend, 2)
    accept(backend, *(make_call(number) for number in range(1, 5)))
    _leased(backend, most=1)

    with closing(store.open(clock)) as second:
        assert _leased(second, holder=NEIGHBOUR) == [2]


def test_what_is_limited_and_paused_waits_for_both(backend: Backend) -> None:
    """A call in a paused queue that runs counts; one that waits there takes nobody's place."""
    _limit(backend, 2)
    accept(backend, make_call(1, queue="mail"), make_call(2, queue="mail"))
    _leased(backend, most=1)
    ask(backend, Pause("mail", paused=True))
    accept(backend, make_call(3), make_call(4))

    paused = _leased(backend)
    ask(backend, Pause("mail", paused=False))

    assert (paused, _leased(backend), finish(backend, 1), _leased(backend)) == ([3], [], True, [2])


def test_the_end_of_a_call_in_a_paused_queue_makes_room(backend: Backend) -> None:
    """Also outside of that queue, and whoever waits for work is told."""
    _limit(backend, 1)
    accept(backend, make_call(1, queue="mail"), make_call(2))
    _leased(backend)
    ask(backend, Pause("mail", paused=True))

    applied = backend.apply([Finish(call_id(1), TOKEN, DONE)])

    assert (applied.ready, _leased(backend)) == (True, [2])


# What is known of services.


def test_it_is_known_what_was_announced_and_on_what_terms(backend: Backend) -> None:
    """Services come with what their classes say; nobody has heard of others."""
    terms = {SYNC: Terms(max_concurrency=2, retry=Retry(3, on=KeyError), time_limit=2.5), "nobody": Terms(time_limit=1)}
    ask(backend, Announce(DEPLOYED, terms=terms, server=HOLDER.server))

    assert ask(backend, Known((SYNC, "ui.push", "nobody"))) == {SYNC: terms[SYNC], "ui.push": Terms()}
    assert ask(backend, Known(())) == {}


def test_terms_are_those_of_the_newest_announcement(backend: Backend) -> None:
    """A class that says nothing any more has said nothing; others stay as they are if something is only added."""
    both = {SYNC: Terms(time_limit=1), "ui.push": Terms(time_limit=2)}
    ask(backend, Announce(DEPLOYED, terms=both, server=HOLDER.server))
    ask(backend, Announce({SYNC: Lane.THREAD}, only_add=True, server=HOLDER.server))

    assert ask(backend, Known((SYNC, "ui.push"))) == {SYNC: Terms(), "ui.push": Terms(time_limit=2)}


def test_a_limit_stays_when_something_is_only_added(backend: Backend) -> None:
    """Another process that lacks the service takes no limit away."""
    _limit(backend, 1)
    accept(backend, make_call(1), make_call(2))
    ask(backend, Announce({"new.one": Lane.TASK}, only_add=True, server=HOLDER.server))

    assert lease_all(backend, limits=ROOM).deliveries[0].invocation.id == call_id(1)
    assert _leased(backend) == []


def test_services_are_known_to_a_reader(backend: Backend, reader: Backend) -> None:
    """Whoever only looks sees what was announced before."""
    _limit(backend, 2)

    assert ask(reader, Known((SYNC,))) == {SYNC: Terms(max_concurrency=2)}
