"""The promises of `zato.broker.base`, by number, kept by every backend."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from tests.contract.stores import REFUSING_ENDS, RESTARTING, SHARED, TAKING_ENDS, Store
from tests.support.clocks import TurnableClock
from tests.support.subprocesses import unmeasured_environment
from zato.broker.base import (
    Accept,
    Accepted,
    Announce,
    Backend,
    Beat,
    Cancel,
    Finish,
    Lease,
    Leased,
    Look,
    Operation,
    Postpone,
    Purge,
    Purged,
    Reclaim,
    Release,
    Unstorable,
)
from zato.core.errors import BrokerUnavailable, Conflict
from zato.core.invocation import ErrorInfo, Failure, Holder, Lane, Outcome, Status

OTHER = b"token--2"
FORGED = b"token-00"
CANCELLED = Outcome(status=Status.CANCELLED, ended=START + 1)
DONE = Outcome(status=Status.DONE, ended=START + 1, response=b'"done"', attempts=1)
MANY = 250
MEGABYTE = 1_000_000

WORKER = Path(__file__).with_name("worker_to_kill.py")


# 1. Accepted means durable.


def test_promise_1_accepted_survives_the_kill_of_the_process(store: Store, clock: TurnableClock) -> None:
    """Whatever a killed process was told about an acceptance, another process finds."""
    told = [line.split() for line in _killed_worker(store)]
    accepted = [each for word, each in told if word == "accepted"]

    with closing(store.open(clock)) as reopened:
        lost = [each for each in accepted if ask(reopened, Look(id=each)) is None]

    assert len(accepted) >= 10
    assert lost == []


def test_promise_1_accepted_survives_another_opening(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """What one connection was told, another one sees at once."""
    accept(backend, make_call())

    with closing(store.open(clock)) as second:
        assert look(second).invocation == make_call()


# 2. Exactly one outcome.


def _end_done(backend: Backend, clock: TurnableClock) -> None:
    lease(backend)
    finish(backend)


def _end_failed(backend: Backend, clock: TurnableClock) -> None:
    lease(backend)
    finish(backend, status=Status.FAILED)


def _end_expired(backend: Backend, clock: TurnableClock) -> None:
    clock.turn(60)
    lease(backend)


def _end_cancelled(backend: Backend, clock: TurnableClock) -> None:
    ask(backend, Cancel(call_id(1), CANCELLED))


@pytest.mark.parametrize("end", [_end_done, _end_failed, _end_expired, _end_cancelled])
def test_promise_2_an_outcome_is_final(
    backend: Backend, clock: TurnableClock, end: Callable[[Backend, TurnableClock], None]
) -> None:
    """Nothing that is tried afterwards leases the call, or changes how it ended."""
    accept(backend, make_call(expires=START + 30_000))
    end(backend, clock)
    ended = look(backend)
    clock.turn(3600)

    attempts = [
        finish(backend, status=Status.FAILED),
        ask(backend, Cancel(call_id(1), CANCELLED)),
        ask(backend, Postpone(call_id(1), TOKEN, 0, 1)),
        ask(backend, Release(call_id(1), TOKEN)),
    ]

    assert ended.outcome is not None
    assert (attempts, ask(backend, Reclaim(SUCCESSOR)), lease(backend), look(backend)) == ([False] * 4, 0, [], ended)


STEPS = ["accept", "lease", "finish", "postpone", "release", "cancel", "turn"]
STORIES = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(STORIES)
def test_promise_2_every_story_ends_once(store: Store, steps: list[tuple[str, int]]) -> None:
    """Whatever happens to calls and in whatever order, in the end each has one outcome and was said once to end."""
    clock = TurnableClock()
    with closing(store.fresh().open(clock)) as backend:
        ask(backend, Announce(DEPLOYED, server=HOLDER.server))
        ended: list[str] = []
        for number, (step, value) in enumerate([("accept", 0), *steps, *[("turn", 99), ("lease", 0)] * 2]):
            if step == "turn":
                clock.turn(value)
            else:
                ended += backend.apply([_step(step, value, number, clock)]).ended
        accepted = [call_id(number) for number, (step, _) in enumerate([("accept", 0), *steps]) if step == "accept"]
        for each in accepted:
            ended += backend.apply([Finish(each, TOKEN, DONE)]).ended

        records = [ask(backend, Look(id=each)) for each in accepted]

    assert all(record and record.outcome for record in records)
    assert sorted(ended) == accepted


def _step(step: str, value: int, number: int, clock: TurnableClock) -> Operation[object]:
    target, now = call_id(value), clock.wall()
    steps: dict[str, Operation[object]] = {
        "accept": Accept(
            make_call(
                number,
                not_before=now + 7000 if value == 1 else None,
                expires=now + 9000 if value == 2 else None,
            )
        ),
        "lease": Lease(holder=HOLDER, limits=ROOM, token=TOKEN, seconds=15),
        "finish": Finish(target, TOKEN, DONE),
        "postpone": Postpone(target, TOKEN, now + 3000, 1),
        "release": Release(target, TOKEN),
        "cancel": Cancel(target, CANCELLED),
    }
    return steps[step]


# 3. At least once; only the current token records.


@pytest.mark.parametrize(
    "give_back",
    [
        pytest.param(lambda token: Finish(call_id(1), token, DONE), id="finish"),
        pytest.param(lambda token: Postpone(call_id(1), token, START, 1), id="postpone"),
        pytest.param(lambda token: Release(call_id(1), token), id="release"),
    ],
)
@pytest.mark.parametrize("leased_again", [False, True], ids=["free-now", "leased-again"])
def test_promise_3_a_sleeper_records_nothing(
    backend: Backend, clock: TurnableClock, give_back: Callable[[bytes], Operation[bool]], *, leased_again: bool
) -> None:
    """Who slept through the end of a lease has no say any more, whether somebody else holds it by now or not."""
    accept(backend, make_call())
    lease(backend, token=TOKEN)
    clock.turn(16)
    lease_all(backend, limits=ROOM if leased_again else {}, token=OTHER)
    before = look(backend)

    assert ask(backend, give_back(TOKEN)) is False
    assert look(backend) == before
    assert before.status is (Status.RUNNING if leased_again else Status.WAITING)


@pytest.mark.parametrize(
    "give_back",
    [
        pytest.param(Finish(call_id(1), FORGED, DONE, (make_call(2),)), id="finish"),
        pytest.param(Postpone(call_id(1), FORGED, START, 1), id="postpone"),
        pytest.param(Release(call_id(1), FORGED), id="release"),
    ],
)
def test_promise_3_a_wrong_token_records_nothing(backend: Backend, give_back: Operation[bool]) -> None:
    """A delivery can be ended or given back only with its own token, and nothing follows from a refused end."""
    accept(backend, make_call())
    lease(backend)
    before = look(backend)

    assert ask(backend, give_back) is False
    assert (look(backend), ask(backend, Look(id=call_id(2)))) == (before, None)


def test_promise_3_a_token_of_another_call_records_nothing(backend: Backend) -> None:
    """Holding one delivery gives no power over another one."""
    accept(backend, make_call(1))
    lease(backend, token=TOKEN)
    accept(backend, make_call(2))
    lease(backend, token=OTHER)

    assert finish(backend, 2, token=TOKEN) is False
    assert look(backend, 2).status is Status.RUNNING


def test_promise_3_the_second_end_records_nothing(backend: Backend) -> None:
    """A holder that ends its delivery twice gets its first outcome, and one follow-up."""
    accept(backend, make_call())
    lease(backend)

    first = finish(backend, response=b"1", follow_ups=(make_call(2),))
    second = finish(backend, response=b"2", follow_ups=(make_call(3),))

    outcome = look(backend).outcome
    assert (first, second, outcome and outcome.response) == (True, False, b"1")
    assert ask(backend, Look(id=call_id(3))) is None


def test_promise_3_unknown_and_unleased_calls_cannot_be_ended(backend: Backend) -> None:
    """There is no outcome without a lease."""
    accept(backend, make_call(1))

    assert [finish(backend, 1), finish(backend, 2)] == [False, False]
    assert look(backend).status is Status.WAITING


def test_promise_3_one_call_is_leased_once(backend: Backend) -> None:
    """While one holder has a call, nobody else gets it."""
    accept(backend, make_call(1), make_call(2))

    first, second = lease(backend, token=TOKEN), lease(backend, token=OTHER)

    assert (len(first), second) == (2, [])


# 4. Take-overs.


def test_promise_4_a_vanished_holder_is_replaced_when_its_lease_ends(backend: Backend, clock: TurnableClock) -> None:
    """Until the last moment of the lease nobody gets the call; then anybody does, as a take-over and no attempt."""
    accept(backend, make_call())
    lease(backend, token=TOKEN, seconds=15)
    clock.turn(14.999)
    early = lease(backend, token=OTHER)
    clock.turn(0.001)
    (late,) = lease(backend, token=OTHER)

    assert early == []
    assert (late.token, late.takeovers, late.attempts) == (OTHER, 1, 0)
    assert finish(backend, token=OTHER) is True


def test_promise_4_takeovers_add_up_to_the_outcome(backend: Backend, clock: TurnableClock) -> None:
    """Every delivery says how many holders vanished before it, and so does the record in the end."""
    accept(backend, make_call())
    seen = []
    for _ in range(4):
        seen += [delivery.takeovers for delivery in lease(backend)]
        clock.turn(15)
    lease(backend)
    finish(backend)

    assert (seen, look(backend).takeovers) == ([0, 1, 2, 3], 4)


def test_promise_4_many_ended_leases_are_all_taken_over(backend: Backend, clock: TurnableClock) -> None:
    """However much a vanished holder had, all of it is leased again, and each call once."""
    accept(backend, *(make_call(number) for number in range(MANY)))
    lease(backend)
    clock.turn(15)

    taken = [delivery.invocation.id for _ in range(5) for delivery in lease(backend, token=OTHER)]

    assert sorted(taken) == [call_id(number) for number in range(MANY)]


@pytest.mark.parametrize("year", [-1, 1], ids=["back", "ahead"])
def test_promise_4_leases_do_not_look_at_the_wall_clock(backend: Backend, clock: TurnableClock, year: int) -> None:
    """Setting the clock of the machine neither ends a lease nor prolongs it."""
    accept(backend, make_call())
    lease(backend)
    clock.set_wall(clock.wall() + year * 365 * 86_400_000)
    at_once = lease(backend, token=OTHER)
    clock.turn(15)

    assert (at_once, len(lease(backend, token=OTHER))) == ([], 1)


@pytest.mark.parametrize("store", RESTARTING, indirect=True)
def test_promise_4_a_new_start_of_the_machine_ends_all_leases(
    store: Store, backend: Backend, clock: TurnableClock
) -> None:
    """Holders of before are dead for certain, and their leases name times of a clock that began anew."""
    accept(backend, make_call(1), make_call(2))
    lease(backend)
    backend.close()
    clock.restart()

    with closing(store.open(clock)) as reopened:
        assert [delivery.takeovers for delivery in lease(reopened)] == [1, 1]


@pytest.mark.parametrize("store", RESTARTING, indirect=True)
def test_promise_4_opening_again_in_the_same_start_keeps_leases(
    store: Store, backend: Backend, clock: TurnableClock
) -> None:
    """One more process does not take work away from those that run."""
    accept(backend, make_call())
    lease(backend)

    with closing(store.open(clock)) as second:
        assert lease(second, token=OTHER) == []

    assert finish(backend) is True


@pytest.mark.parametrize("store", RESTARTING, indirect=True)
def test_promise_4_only_the_first_opening_after_a_new_start_ends_leases(
    store: Store, backend: Backend, clock: TurnableClock
) -> None:
    """Work that was leased since the machine started is not taken away from its holder."""
    accept(backend, make_call())
    clock.restart()

    with closing(store.open(clock)) as first:
        lease(first)
        with closing(store.open(clock)) as second:
            assert lease(second, token=OTHER) == []
        assert finish(first) is True


def test_promise_4_reclaim_ends_the_leases_of_earlier_runs_at_once(backend: Backend) -> None:
    """A server that knows its earlier processes to be dead need not wait, and what did not run is not counted."""
    accept(backend, make_call(1), make_call(2))
    lease(backend)
    accept(backend, make_call(3))

    freed = ask(backend, Reclaim(SUCCESSOR))

    assert freed == 2
    assert [delivery.takeovers for delivery in lease(backend, token=OTHER)] == [1, 1, 0]
    assert finish(backend, 1, token=TOKEN) is False


@pytest.mark.parametrize(
    ("dead", "freed"),
    [
        pytest.param(Holder("server1", "run-1", 2), 1, id="an-earlier-run-of-another-worker"),
        pytest.param(Holder("server1", "run-2", 1), 1, id="the-process-that-had-this-number"),
        pytest.param(Holder("server1", "run-2", 2), 0, id="another-worker-of-this-run"),
        pytest.param(Holder("server1", "run-2", 11), 0, id="a-worker-whose-number-ends-alike"),
    ],
)
def test_promise_4_reclaim_ends_the_leases_of_the_dead_alone(backend: Backend, dead: Holder, freed: int) -> None:
    """Whoever replaces a process takes nothing from the living ones beside it."""
    accept(backend, make_call(1), make_call(2))
    lease_all(backend, limits={Lane.THREAD: 1}, holder=dead)
    alive = Holder("server1", "run-2", 3)
    lease_all(backend, token=OTHER, holder=alive)

    assert ask(backend, Reclaim(SUCCESSOR)) == freed
    assert look(backend, 1).status is (Status.WAITING if freed else Status.RUNNING)
    assert finish(backend, 2, token=OTHER) is True


@pytest.mark.parametrize("store", RESTARTING, indirect=True)
def test_promise_4_reclaim_ends_the_leases_of_a_server_that_had_another_name(store: Store, backend: Backend) -> None:
    """A store of one environment has one server, whatever that was called before."""
    accept(backend, make_call(1))
    lease_all(backend, holder=Holder("old/na/me", "run-1", 1))

    assert ask(backend, Reclaim(SUCCESSOR)) == 1


@pytest.mark.parametrize("store", SHARED, indirect=True)
def test_promise_4_reclaim_takes_nothing_from_other_servers(store: Store, backend: Backend) -> None:
    """A server that starts knows nothing of what others are doing."""
    accept(backend, make_call(1))
    other = Holder("server2", "run-1", 1)
    ask(backend, Announce(DEPLOYED, server=other.server))
    lease_all(backend, holder=other)

    assert ask(backend, Reclaim(SUCCESSOR)) == 0
    assert finish(backend) is True


def test_promise_4_beats_keep_a_lease_alive(backend: Backend, clock: TurnableClock) -> None:
    """A call that runs for an hour keeps its holder as long as that beats, and no longer."""
    accept(backend, make_call())
    lease(backend)
    lost = []
    for _ in range(720):
        clock.turn(5)
        lost += ask(backend, Beat(((call_id(1), TOKEN),), 15))
    clock.turn(14.999)
    early = lease(backend, token=OTHER)
    clock.turn(0.001)

    assert (lost, early, len(lease(backend, token=OTHER))) == ([], [], 1)


def test_promise_4_a_beat_names_what_is_held_no_more(backend: Backend, clock: TurnableClock) -> None:
    """The holder learns of calls that ended, were taken over, or never were; and what it does not hold is not kept."""
    accept(backend, *(make_call(number) for number in range(1, 4)))
    lease_all(backend, limits={next(iter(ROOM)): 2})
    finish(backend, 1)
    holdings = tuple((call_id(number), TOKEN) for number in range(1, 5))

    lost = ask(backend, Beat((*holdings, (call_id(2), FORGED)), 15))

    assert lost == [call_id(1), call_id(3), call_id(4), call_id(2)]
    assert (look(backend, 2).status, look(backend, 3).status) == (Status.RUNNING, Status.WAITING)


def test_promise_4_a_beat_with_a_wrong_token_does_not_prolong(backend: Backend, clock: TurnableClock) -> None:
    """A sleeper that wakes up cannot keep the lease of its successor alive."""
    accept(backend, make_call())
    lease(backend, token=OTHER)
    clock.turn(10)
    ask(backend, Beat(((call_id(1), TOKEN),), 15))
    clock.turn(5)

    assert len(lease(backend, token=TOKEN)) == 1


def test_promise_4_a_late_beat_keeps_what_nobody_took_over(backend: Backend, clock: TurnableClock) -> None:
    """A holder that stood still and wakes up first goes on, however late it is."""
    accept(backend, make_call())
    lease(backend)
    clock.turn(3600)

    beat = Beat(((call_id(1), TOKEN),), 15)
    lost, leased = backend.apply([beat, Lease(holder=HOLDER, limits=ROOM, token=OTHER, seconds=15)]).results

    assert (lost, leased) == ([], Leased([], 15.0))
    assert (finish(backend), look(backend).takeovers) == (True, 0)


def test_promise_4_a_lease_keeps_what_its_server_holds(backend: Backend, clock: TurnableClock) -> None:
    """Nobody takes over from themselves: of what they leased, only what they do not hold is run again."""
    accept(backend, make_call(1), make_call(2))
    lease(backend)
    clock.turn(3600)

    again = Lease(holder=HOLDER, limits=ROOM, token=OTHER, seconds=15, holdings=((call_id(1), TOKEN),))
    deliveries = ask(backend, again).deliveries

    assert [(delivery.invocation.id, delivery.takeovers) for delivery in deliveries] == [(call_id(2), 1)]
    assert (finish(backend), look(backend).takeovers) == (True, 0)


def test_promise_4_a_lease_does_not_win_back_what_was_taken_over(backend: Backend, clock: TurnableClock) -> None:
    """Who still believes to hold what is somebody else's neither keeps it nor ends it."""
    accept(backend, make_call())
    lease(backend)
    clock.turn(15)
    lease(backend, token=OTHER)
    clock.turn(15)

    late = Lease(holder=HOLDER, limits={}, token=FORGED, seconds=15, holdings=((call_id(1), TOKEN),))
    ask(backend, late)

    assert (look(backend).status, look(backend).takeovers) == (Status.WAITING, 2)
    assert finish(backend, token=TOKEN) is False


@pytest.mark.parametrize(
    "give_back",
    [
        pytest.param(Release(call_id(1), TOKEN), id="release"),
        pytest.param(Postpone(call_id(1), TOKEN, START, 0), id="postpone"),
        pytest.param(Postpone(call_id(1), TOKEN, START, 0, started=False), id="put-off"),
    ],
)
def test_promise_4_what_is_given_back_is_no_takeover(backend: Backend, give_back: Operation[bool]) -> None:
    """A holder that lives long enough to give a delivery back has not vanished."""
    accept(backend, make_call())
    lease(backend)
    ask(backend, give_back)

    assert [delivery.takeovers for delivery in lease(backend, token=OTHER)] == [0]


# 5. Outcome, acknowledgement and follow-ups are one.


def test_promise_5_follow_ups_are_there_with_the_outcome(backend: Backend) -> None:
    """What follows from an end is accepted with it, and can be leased at once."""
    accept(backend, make_call(1))
    lease(backend)

    finish(backend, follow_ups=(make_call(2), make_call(3, service="crm.answer")))

    assert [delivery.invocation for delivery in lease(backend)] == [make_call(2), make_call(3, service="crm.answer")]


def test_promise_5_survives_the_kill_of_the_process(store: Store, clock: TurnableClock) -> None:
    """Whenever a process was killed: a call has its outcome if, and only if, its follow-up is stored."""
    told = [line.split() for line in _killed_worker(store)]
    targets = [each for word, each in told if word == "accepted"]

    with closing(store.open(clock)) as reopened:
        records = [ask(reopened, Look(id=each)) for each in targets]
        ended = [bool(record and record.outcome) for record in records]
        followed = [ask(reopened, Look(id="f" + each[1:])) is not None for each in targets]

    assert ended == followed
    assert sum(ended) >= sum(word == "finished" for word, _ in told)


@pytest.mark.parametrize("store", REFUSING_ENDS, indirect=True)
def test_promise_5_no_room_for_the_follow_up_means_no_outcome(store: Store, backend: Backend) -> None:
    """An end whose follow-up cannot be stored is no end: the holder keeps its delivery and ends it later."""
    accept(backend, make_call(1))
    lease(backend)
    large = make_call(3, payload=b"1" * MEGABYTE)

    with store.full(room=100_000), pytest.raises(BrokerUnavailable):
        finish(backend, follow_ups=(make_call(2), large))
    before = [look(backend).status, ask(backend, Look(id=call_id(2)))]

    assert before == [Status.RUNNING, None]
    assert finish(backend, follow_ups=(make_call(2), large)) is True
    assert [look(backend, number).status for number in (1, 2, 3)] == [Status.DONE, Status.WAITING, Status.WAITING]


def test_promise_5_a_postponed_attempt_is_counted_and_leased_at_its_time(
    backend: Backend, clock: TurnableClock
) -> None:
    """Giving up one attempt and planning the next one is a single step."""
    accept(backend, make_call())
    lease(backend)

    given_back = ask(backend, Postpone(call_id(1), TOKEN, clock.wall() + 2000, 1))
    early = lease(backend)
    clock.turn(2)

    assert (given_back, early) == (True, [])
    assert [delivery.attempts for delivery in lease(backend)] == [1]


# 6. Not before its time.


def test_promise_6_delayed_means_not_before(backend: Backend, clock: TurnableClock) -> None:
    """A delayed call is leased at its time, and not a millisecond earlier."""
    accept(backend, make_call(not_before=clock.wall() + 5000))
    clock.turn(4.999)
    early = lease(backend)
    clock.turn(0.001)

    assert (early, len(lease(backend))) == ([], 1)


def test_promise_6_a_lease_says_when_the_next_call_is_due(backend: Backend, clock: TurnableClock) -> None:
    """Who leases learns how long nothing changes for reasons of time: delays, expiry, ends of leases."""
    idle = lease_all(backend).next_in
    accept(backend, make_call(1, service="unknown", expires=START + 90_000))
    expiry = lease_all(backend).next_in
    accept(backend, make_call(2, not_before=START + 60_000))
    delay = lease_all(backend).next_in
    accept(backend, make_call(3))
    held = lease_all(backend, seconds=15).next_in

    assert (idle, expiry, delay, held) == (None, 90, 60, 15)


def test_promise_6_more_that_is_due_than_one_lease_moves_is_told(backend: Backend, clock: TurnableClock) -> None:
    """When many calls become due at once, leasing again at once is asked for until all are out."""
    accept(backend, *(make_call(number, not_before=START + 1000) for number in range(MANY)))
    clock.turn(1)
    leases = [lease_all(backend)]
    while len(leases) < 10 and leases[-1].next_in == 0:
        leases.append(lease_all(backend))

    assert sum(len(each.deliveries) for each in leases) == MANY


def test_promise_6_a_clock_that_is_set_back_delays(backend: Backend, clock: TurnableClock) -> None:
    """Delays are times of the wall clock, whatever the machine has been through."""
    accept(backend, make_call(not_before=START + 5000))
    clock.set_wall(START - 3_600_000)
    clock.turn(10)
    early = lease(backend)
    clock.set_wall(START + 5000)

    assert (early, len(lease(backend))) == ([], 1)


# 7. Expiry.


def test_promise_7_expired_never_starts(backend: Backend, clock: TurnableClock) -> None:
    """A call nobody started before its expiry is not leased then; its outcome says expired."""
    accept(backend, make_call(expires=START + 15_000))
    clock.turn(15)

    assert lease(backend) == []
    assert look(backend).outcome == Outcome(status=Status.EXPIRED, ended=START + 15_000)


def test_promise_7_a_call_starts_until_its_expiry(backend: Backend, clock: TurnableClock) -> None:
    """The last millisecond before the expiry is early enough."""
    accept(backend, make_call(expires=START + 15_000))
    clock.turn(14.999)

    assert len(lease(backend)) == 1


def test_promise_7_none_of_many_starts(backend: Backend, clock: TurnableClock) -> None:
    """However many calls expired while nothing ran, not one of them starts, and each gets its outcome."""
    accept(backend, *(make_call(number, expires=START + 1000) for number in range(MANY)))
    clock.turn(2)

    deliveries = [delivery for _ in range(5) for delivery in lease(backend)]

    assert deliveries == []
    assert {look(backend, number).status for number in range(MANY)} == {Status.EXPIRED}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"service": "unknown"}, id="stranded"),
        pytest.param({"not_before": START + 60_000}, id="delayed"),
        pytest.param({"not_before": START + 15_000}, id="due-at-that-moment"),
    ],
)
def test_promise_7_what_could_not_start_expires_too(
    backend: Backend, clock: TurnableClock, fields: dict[str, Any]
) -> None:
    """Expiry asks whether a call started, and for no reason why not."""
    accept(backend, make_call(expires=START + 15_000, **fields))
    clock.turn(15)
    deliveries = lease(backend)

    assert (deliveries, look(backend).status) == ([], Status.EXPIRED)


def test_promise_7_expiry_needs_no_room(backend: Backend, clock: TurnableClock) -> None:
    """A server whose slots are all taken, or who only runs other things, still ends what expired."""
    accept(backend, make_call(expires=START + 15_000))
    clock.turn(15)

    ended = backend.apply([Lease(holder=HOLDER, limits={}, token=TOKEN, seconds=15)]).ended

    assert ended == [call_id(1)]


def test_promise_7_what_was_put_off_without_a_start_expires(backend: Backend, clock: TurnableClock) -> None:
    """A lease is no start: who gives the delivery back unrun says so, and it expires as if never leased."""
    accept(backend, make_call(expires=START + 15_000))
    lease(backend)
    ask(backend, Postpone(call_id(1), TOKEN, START + 1_000, 0, started=False))
    put_off = look(backend)
    clock.turn(15)

    assert (lease(backend), look(backend).status) == ([], Status.EXPIRED)
    assert (put_off.status, put_off.started, put_off.attempts) == (Status.DELAYED, None, 0)


def test_promise_7_what_was_put_off_once_still_starts_in_time(backend: Backend, clock: TurnableClock) -> None:
    """Before its expiry a call that was put off is leased at its new time."""
    accept(backend, make_call(expires=START + 15_000))
    lease(backend)
    ask(backend, Postpone(call_id(1), TOKEN, START + 1_000, 0, started=False))
    clock.turn(1)

    assert [delivery.attempts for delivery in lease(backend)] == [0]


def test_promise_7_a_retry_that_was_put_off_does_not_expire(backend: Backend, clock: TurnableClock) -> None:
    """A call that ran once has started, whatever happens to its later attempts."""
    accept(backend, make_call(expires=START + 15_000))
    lease(backend)
    _gave_up_an_attempt(backend, clock)
    clock.turn(60)
    lease(backend)
    ask(backend, Postpone(call_id(1), TOKEN, START, 1, started=False))

    assert look(backend).started == START + 60_000
    assert [delivery.attempts for delivery in lease(backend)] == [1]


def _gave_up_an_attempt(backend: Backend, clock: TurnableClock) -> None:
    ask(backend, Postpone(call_id(1), TOKEN, clock.wall() + 60_000, 1))


def _vanished(backend: Backend, clock: TurnableClock) -> None:
    clock.turn(15)


def _was_stopped(backend: Backend, clock: TurnableClock) -> None:
    ask(backend, Release(call_id(1), TOKEN))


def _was_killed(backend: Backend, clock: TurnableClock) -> None:
    ask(backend, Reclaim(SUCCESSOR))


@pytest.mark.parametrize("holder", [_gave_up_an_attempt, _vanished, _was_stopped, _was_killed])
def test_promise_7_what_started_once_does_not_expire(
    backend: Backend, clock: TurnableClock, holder: Callable[[Backend, TurnableClock], None]
) -> None:
    """Expiry is about the first start: retries and take-overs come as late as they come."""
    accept(backend, make_call(expires=START + 15_000))
    lease(backend)
    holder(backend, clock)
    clock.turn(3600)

    assert len(lease(backend)) == 1


# 8. One key, one invocation.


@pytest.mark.parametrize("in_one_batch", [True, False], ids=["one-batch", "two-batches"])
def test_promise_8_a_repeat_gets_the_first_ones_cid(backend: Backend, *, in_one_batch: bool) -> None:
    """A key that was used before stores nothing: its first call is what the repeat gets, and what runs."""
    first, repeat = (make_call(number, idempotency_key="order-7") for number in (1, 2))
    batches = [[Accept(first), Accept(repeat)]] if in_one_batch else [[Accept(first)], [Accept(repeat)]]

    results = [result for batch in batches for result in backend.apply(batch).results]

    assert results == [Accepted(first.id, "c1")] * 2
    assert [delivery.invocation for delivery in lease(backend)] == [first]
    assert ask(backend, Look(id=call_id(2))) is None


def test_promise_8_the_key_outlives_the_end(backend: Backend) -> None:
    """A repeat that comes after the end does not run again."""
    accept(backend, make_call(1, idempotency_key="order-7"))
    lease(backend)
    finish(backend)

    repeated = ask(backend, Accept(make_call(2, idempotency_key="order-7")))

    assert (repeated, lease(backend)) == (Accepted(call_id(1), "c1"), [])


@pytest.mark.parametrize("fields", [{"payload": b'"y"'}, {"service": "crm.answer"}], ids=["payload", "service"])
def test_promise_8_a_key_used_for_something_else_is_a_conflict(backend: Backend, fields: dict[str, Any]) -> None:
    """The message names the key and the call that has it, and the others of the batch are stored."""
    accept(backend, make_call(1, idempotency_key="order-7"))
    different = make_call(2, idempotency_key="order-7", **fields)

    refusal, accepted = backend.apply([Accept(different), Accept(make_call(3))]).results

    assert isinstance(refusal, Conflict)
    assert "'order-7'" in str(refusal)
    assert "c1" in str(refusal)
    assert accepted == Accepted(call_id(3), "c3")


def test_promise_8_different_keys_do_not_meet(backend: Backend) -> None:
    """Equal calls under different keys, or under none, all run."""
    accept(backend, *(make_call(number, idempotency_key=key) for number, key in enumerate(["a", "b", None, None])))

    assert len(lease(backend)) == 4


# 9. Space is bounded.


def test_promise_9_outcomes_go_after_their_retention(backend: Backend, clock: TurnableClock) -> None:
    """What ended longer ago than the retention is unknown afterwards, by id and by CID; the rest stays."""
    for number, ended in ((1, START), (2, START + 60_000)):
        accept(backend, make_call(number))
        lease(backend)
        ask(backend, Finish(call_id(number), TOKEN, Outcome(status=Status.DONE, ended=ended)))
    accept(backend, make_call(3))
    clock.turn(100)

    purged = ask(backend, Purge(retention=60))

    assert purged == Purged(1, more=False)
    assert (ask(backend, Look(id=call_id(1))), ask(backend, Look(cid="c1"))) == (None, None)
    assert (look(backend, 2).status, look(backend, 3).status) == (Status.DONE, Status.WAITING)


def test_promise_9_purging_is_done_in_slices(backend: Backend, clock: TurnableClock) -> None:
    """However much is too old, one purge takes no more than it is told to; the oldest goes first."""
    for number in (3, 1, 2):
        accept(backend, make_call(number))
        lease(backend)
        ask(backend, Finish(call_id(number), TOKEN, Outcome(status=Status.DONE, ended=START + number)))
    clock.turn(100)

    slices = [ask(backend, Purge(retention=60, limit=2))]
    left = [number for number in (1, 2, 3) if ask(backend, Look(id=call_id(number)))]
    slices += [ask(backend, Purge(retention=60, limit=2)) for _ in range(2)]

    assert slices == [Purged(2, more=True), Purged(1, more=False), Purged(0, more=False)]
    assert left == [3]


@pytest.mark.parametrize("where", ["payload", "response", "error", "failure"])
def test_promise_9_slices_of_large_calls_are_small(backend: Backend, clock: TurnableClock, where: str) -> None:
    """Nobody waits for long while much is deleted; a call of any size goes in the end."""
    large = 3 * MEGABYTE
    for number in (1, 2, 3, 4):
        accept(backend, make_call(number, payload=bytes(large if where == "payload" else 1)))
        lease(backend)
        info = ErrorInfo("exception", "ValueError", "x" * large)
        if where == "failure":
            failure = Failure(attempt=1, started=START, ended=START, server="s", error=info)
            ask(backend, Postpone(call_id(number), TOKEN, START, 1, failure=failure))
            lease(backend)
        error = info if where == "error" else None
        response = bytes(large) if where == "response" else None
        outcome = Outcome(status=Status.DONE, ended=START + number, response=response, error=error)
        ask(backend, Finish(call_id(number), TOKEN, outcome))
    clock.turn(100)

    slices = [ask(backend, Purge(retention=60)) for _ in range(3)]

    assert slices == [Purged(2, more=True), Purged(2, more=False), Purged(0, more=False)]


def test_promise_9_a_call_of_any_size_is_purged(backend: Backend, clock: TurnableClock) -> None:
    """One that is larger than a slice is a slice of its own."""
    for number in (1, 2):
        accept(backend, make_call(number, payload=bytes(10 * MEGABYTE)))
        lease(backend)
        finish(backend, number)
    clock.turn(100)

    assert [ask(backend, Purge(retention=60)) for _ in range(2)] == [Purged(1, more=True), Purged(1, more=False)]


def test_promise_9_what_has_no_outcome_is_never_purged(backend: Backend, clock: TurnableClock) -> None:
    """Waiting, delayed, running and stranded calls stay, however old they are."""
    accept(backend, make_call(1))
    lease(backend, seconds=1e9)
    accept(backend, make_call(2), make_call(3, not_before=START + 10**12), make_call(4, service="unknown"))
    clock.turn(365 * 86_400)

    assert ask(backend, Purge(retention=0)) == Purged(0, more=False)
    assert all(ask(backend, Look(id=call_id(number))) for number in range(1, 5))


def test_promise_9_a_purged_key_is_free_again(backend: Backend, clock: TurnableClock) -> None:
    """After the retention, a key means nothing any more, not even for another payload."""
    accept(backend, make_call(1, idempotency_key="order-7"))
    lease(backend)
    finish(backend)
    clock.turn(100)
    ask(backend, Purge(retention=60))

    again = ask(backend, Accept(make_call(2, idempotency_key="order-7", payload=b'"y"')))

    assert again == Accepted(call_id(2), "c2")
    assert len(lease(backend)) == 1


# 10. What cannot be stored is refused.


def test_promise_10_a_full_store_refuses(store: Store, backend: Backend) -> None:
    """A call that cannot be stored raises, and is not there afterwards; with room again, it is stored."""
    call = make_call(payload=b"1" * MEGABYTE)

    with store.full():
        with pytest.raises(BrokerUnavailable):
            ask(backend, Accept(call))
        during = ask(backend, Look(id=call.id))
    after = ask(backend, Look(id=call.id))

    assert (during, after, lease(backend)) == (None, None, [])
    assert ask(backend, Accept(call)) == Accepted(call.id, call.cid)


def test_promise_10_nothing_of_a_refused_batch_is_stored(store: Store, backend: Backend) -> None:
    """While there is no room at all, every operation of a batch that needs some is refused."""
    calls = [make_call(number, payload=b"1" * MEGABYTE) for number in range(3)]

    with store.full():
        results = backend.apply([Accept(call) for call in calls]).results

    assert [type(result) for result in results] == [BrokerUnavailable] * 3
    assert lease(backend) == []


@pytest.mark.parametrize("store", REFUSING_ENDS, indirect=True)
def test_promise_10_one_that_is_too_large_fails_alone(store: Store, backend: Backend) -> None:
    """What is in one batch with a call there is no room for is stored all the same, in its place."""
    large = make_call(2, payload=b"1" * MEGABYTE)

    with store.full(room=200_000):
        applied = backend.apply([Accept(make_call(1)), Accept(large), Accept(make_call(3))])

    assert [type(result) for result in applied.results] == [Accepted, BrokerUnavailable, Accepted]
    assert applied.ready
    assert [delivery.invocation.id for delivery in lease(backend)] == [call_id(1), call_id(3)]


def test_promise_10_one_that_has_no_stored_form_fails_alone(backend: Backend) -> None:
    """A text that is no Unicode is refused, and takes nothing else of its batch along."""
    accept(backend, make_call(1))
    lease(backend)
    unstorable = make_call(3, cid="caf\udce9")

    applied = backend.apply([Finish(call_id(1), TOKEN, DONE), Accept(make_call(2)), Accept(unstorable)])

    assert applied.results[:2] == [True, Accepted(call_id(2), "c2")]
    assert isinstance(applied.results[2], Unstorable)
    assert applied.ended == [call_id(1)]


def test_promise_10_an_outcome_that_has_no_stored_form_leaves_room_for_another(backend: Backend) -> None:
    """What can never be stored is told apart from what may be stored later, and its holder ends the call in words."""
    accept(backend, make_call(1))
    lease(backend)

    with pytest.raises(Unstorable, match="cannot be stored"):
        finish(backend, follow_ups=(make_call(2), make_call(3, cid="caf\udce9")))
    during = [look(backend).status, ask(backend, Look(id=call_id(2)))]

    assert during == [Status.RUNNING, None]
    assert finish(backend, status=Status.FAILED, response=None) is True


def test_promise_10_a_lease_beside_one_that_fails_gets_what_is_due(backend: Backend, clock: TurnableClock) -> None:
    """Whatever has to be done anew because of a bad neighbour is done as if it were the first time."""
    accept(backend, make_call(1, not_before=START + 1000))
    lease(backend)
    clock.turn(1)
    due = Lease(holder=HOLDER, limits=ROOM, token=TOKEN, seconds=15)

    leased = backend.apply([due, Accept(make_call(2, cid="caf\udce9"))]).results[0]

    assert isinstance(leased, Leased)
    assert [delivery.invocation.id for delivery in leased.deliveries] == [call_id(1)]


@pytest.mark.parametrize("store", TAKING_ENDS, indirect=True)
def test_promise_10_work_ends_in_a_full_store(store: Store, backend: Backend) -> None:
    """What runs when the store is full is recorded with its follow-ups, what waits is run, nothing more is accepted."""
    accept(backend, make_call(1), make_call(2))
    lease_all(backend, limits={Lane.THREAD: 1})

    with store.full():
        assert finish(backend, 1, follow_ups=(make_call(3),)) is True
        assert [delivery.invocation.id for delivery in lease(backend)] == [call_id(2), call_id(3)]
        assert ask(backend, Release(call_id(2), TOKEN)) is True
        assert ask(backend, Cancel(call_id(2), CANCELLED)) is True
        assert ask(backend, Purge(-1)).count == 2
        with pytest.raises(BrokerUnavailable, match="full"):
            ask(backend, Accept(make_call(4)))


@pytest.mark.parametrize("store", REFUSING_ENDS, indirect=True)
def test_promise_10_an_outcome_waits_for_room(store: Store, backend: Backend) -> None:
    """A holder whose outcome is refused still holds the delivery, and records it once there is room."""
    accept(backend, make_call())
    lease(backend)

    with store.full(), pytest.raises(BrokerUnavailable):
        finish(backend, response=b"1" * MEGABYTE)

    assert look(backend).status is Status.RUNNING
    assert finish(backend, response=b"1" * MEGABYTE) is True


# 11. Cancelling.


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="waiting"),
        pytest.param({"not_before": START + 60_000}, id="delayed"),
        pytest.param({"service": "unknown"}, id="stranded"),
    ],
)
def test_promise_11_what_no_server_runs_can_be_cancelled(
    backend: Backend, clock: TurnableClock, fields: dict[str, Any]
) -> None:
    """A cancelled call has its outcome at once and never runs."""
    accept(backend, make_call(**fields))

    applied = backend.apply([Cancel(call_id(1), CANCELLED)])
    clock.turn(120)
    ask(backend, Announce({**DEPLOYED, "unknown": DEPLOYED["crm.sync"]}, server=HOLDER.server))

    assert (applied.results, applied.ended, lease(backend)) == ([True], [call_id(1)], [])
    assert look(backend).outcome == CANCELLED


def test_promise_11_what_runs_can_be_cancelled(backend: Backend) -> None:
    """Its record counts the attempt that ran, and says when it began and where."""
    accept(backend, make_call(), make_call(2))
    ask(backend, Announce(DEPLOYED, server="north/1"))
    lease_all(backend, holder=Holder("north/1", "run-1", 7))

    applied = backend.apply([Cancel(call_id(1), CANCELLED)])

    record = look(backend)
    assert (applied.results, applied.ended) == ([True], [call_id(1)])
    assert (record.status, record.attempts, record.started, record.server) == (Status.CANCELLED, 1, START, "north/1")
    assert record.outcome is not None
    assert record.outcome.ended == CANCELLED.ended


@pytest.mark.parametrize(
    "give_back",
    [
        pytest.param(Finish(call_id(1), TOKEN, DONE, (make_call(2),)), id="finish"),
        pytest.param(Postpone(call_id(1), TOKEN, START, 1), id="postpone"),
        pytest.param(Postpone(call_id(1), TOKEN, START, 0, started=False), id="put-off"),
        pytest.param(Release(call_id(1), TOKEN), id="release"),
    ],
)
def test_promise_11_who_runs_what_was_cancelled_records_nothing(backend: Backend, give_back: Operation[bool]) -> None:
    """The outcome stays, nothing follows from what the service returns, and the next beat tells its holder."""
    accept(backend, make_call())
    lease(backend)
    ask(backend, Cancel(call_id(1), CANCELLED))
    before = look(backend)

    lost = ask(backend, Beat(((call_id(1), TOKEN),), 15))

    assert (lost, ask(backend, give_back), look(backend)) == ([call_id(1)], False, before)
    assert ask(backend, Look(id=call_id(2))) is None


def test_promise_11_a_cancelled_call_is_not_taken_over(backend: Backend, clock: TurnableClock) -> None:
    """Neither the end of its lease nor the death of its holder runs it again."""
    accept(backend, make_call())
    lease(backend)
    ask(backend, Cancel(call_id(1), CANCELLED))
    clock.turn(60)

    assert (ask(backend, Reclaim(SUCCESSOR)), lease(backend)) == (0, [])
    assert look(backend).takeovers == 0


def test_promise_11_what_is_unknown_cannot_be_cancelled(backend: Backend) -> None:
    """There is nothing to cancel, and nothing of it is recorded."""
    assert ask(backend, Cancel(call_id(1), CANCELLED)) is False
    assert ask(backend, Look(id=call_id(1))) is None


def test_promise_11_a_cancelled_retry_says_how_often_it_ran(backend: Backend, clock: TurnableClock) -> None:
    """Between two attempts a call can be cancelled; its record tells of those that were made."""
    accept(backend, make_call())
    lease(backend)
    ask(backend, Postpone(call_id(1), TOKEN, START + 60_000, 1))

    assert ask(backend, Cancel(call_id(1), CANCELLED)) is True
    record = look(backend)
    assert (record.status, record.attempts, record.started, record.server) == (Status.CANCELLED, 1, START, "server1")


def test_promise_11_a_cancelled_takeover_is_the_second_attempt_of_none(backend: Backend, clock: TurnableClock) -> None:
    """What counts as an attempt does not change by cancelling: holders that vanished made none."""
    accept(backend, make_call())
    lease(backend)
    clock.turn(15)
    lease(backend)
    ask(backend, Cancel(call_id(1), CANCELLED))

    record = look(backend)
    assert (record.attempts, record.takeovers, record.started) == (1, 1, START + 15_000)


def test_promise_11_what_never_ran_has_no_server_but_the_one_that_was_asked(backend: Backend) -> None:
    """A lease that was given back unrun leaves no trace of a start."""
    accept(backend, make_call())
    lease(backend)
    ask(backend, Postpone(call_id(1), TOKEN, START + 1000, 0, started=False))
    ask(backend, Cancel(call_id(1), CANCELLED))

    assert look(backend).outcome == CANCELLED


@contextmanager
def _worker(store: Store) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(WORKER), store.broker, str(store.folder), store.cluster]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=unmeasured_environment()) as process:
        try:
            yield process
        finally:
            process.kill()


def _killed_worker(store: Store) -> list[str]:
    """Return what a worker said before it was killed, while it was at work."""
    with _worker(store) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(30)]
        process.kill()
        return lines + process.stdout.readlines()
