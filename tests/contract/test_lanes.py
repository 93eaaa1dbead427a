"""Which calls a lease returns, in which order, and how many: the same with every backend."""

from collections.abc import Mapping

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
from tests.support.clocks import TurnableClock
from zato.broker.base import (
    Accept,
    Announce,
    Applied,
    Backend,
    Beat,
    Cancel,
    Finish,
    Lease,
    Look,
    Operation,
    Postpone,
    Purge,
    Reclaim,
    Release,
)
from zato.core.invocation import Lane, Outcome, Status

MEGABYTE = 1_000_000


def test_first_accepted_is_first_leased(backend: Backend) -> None:
    """Calls of equal priority are leased in the order of their acceptance, whatever their ids and services."""
    order = [5, 2, 9, 1]
    accept(backend, *(make_call(n, service="crm.sync" if n % 2 else "crm.answer", created=START - n) for n in order))

    assert _leased(backend) == order


def test_lower_priority_numbers_go_first(backend: Backend) -> None:
    """Priority beats age, and within one priority age decides."""
    accept(backend, *(make_call(number, priority=priority) for number, priority in enumerate([5, 9, 1, 5, 1])))

    assert _leased(backend) == [2, 4, 0, 3, 1]


def test_order_holds_from_lease_to_lease(backend: Backend) -> None:
    """Small leases one after the other give the same order as a large one."""
    accept(backend, *(make_call(number, priority=9 - number // 2) for number in range(6)))

    order = [_leased(backend, {Lane.THREAD: 1}) for _ in range(6)]

    assert order == [[4], [5], [2], [3], [0], [1]]


def test_what_was_taken_over_keeps_its_place(backend: Backend, clock: TurnableClock) -> None:
    """A call does not go to the end of the line because its holder vanished."""
    accept(backend, make_call(1))
    lease(backend)
    accept(backend, make_call(2))
    clock.turn(15)

    assert _leased(backend) == [1, 2]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param({Lane.THREAD: 2, Lane.TASK: 1}, [1, 3, 2], id="some-of-each"),
        pytest.param({Lane.THREAD: 0, Lane.TASK: 9}, [2, 4], id="one-is-full"),
        pytest.param({Lane.THREAD: -1, Lane.TASK: 1}, [2], id="one-is-more-than-full"),
        pytest.param({Lane.THREAD: 9}, [1, 3, 5], id="one-is-not-asked-for"),
        pytest.param({}, [], id="nothing-is-asked-for"),
    ],
)
def test_limits_of_lanes_are_kept(backend: Backend, limits: Mapping[Lane, int], expected: list[int]) -> None:
    """A lane that is full does not hold up the other one, and none gets more than it has room for."""
    accept(backend, *(make_call(number, service="crm.sync" if number % 2 else "ui.push") for number in range(1, 6)))

    assert _leased(backend, limits) == expected


def test_what_did_not_fit_stays(backend: Backend) -> None:
    """The rest of a lane is leased as soon as there is room."""
    accept(backend, *(make_call(number) for number in range(5)))

    sizes = [len(_leased(backend, {Lane.THREAD: 2})) for _ in range(4)]

    assert sizes == [2, 2, 1, 0]


def test_unknown_services_are_stranded_until_announced(backend: Backend) -> None:
    """A call of a service that nothing runs is not leased, and goes its way once something does."""
    accept(backend, make_call(1, service="new.service"))
    before = (look(backend).status, _leased(backend))

    ask(backend, Announce({**DEPLOYED, "new.service": Lane.TASK}, server=HOLDER.server))

    assert before == (Status.STRANDED, [])
    assert (look(backend).status, _leased(backend, {Lane.TASK: 1})) == (Status.WAITING, [1])


@pytest.mark.parametrize("left", [{"ui.push": Lane.TASK}, {}], ids=["others-stay", "all-go"])
def test_what_is_announced_no_more_is_stranded(backend: Backend, left: dict[str, Lane]) -> None:
    """Calls wait for the return of their service, those of before and those that come meanwhile."""
    accept(backend, make_call(1))
    ask(backend, Announce(left, server=HOLDER.server))
    accept(backend, make_call(2))
    during = [look(backend, 1).status, look(backend, 2).status, *_leased(backend)]
    ask(backend, Announce(DEPLOYED, server=HOLDER.server))

    assert during == [Status.STRANDED, Status.STRANDED]
    assert _leased(backend) == [1, 2]


def test_only_the_changed_service_moves(backend: Backend) -> None:
    """A service that became asynchronous takes its waiting calls along to the other lane; the others stay."""
    accept(backend, make_call(1), make_call(2, service="crm.answer"))
    ask(backend, Announce({**DEPLOYED, "crm.sync": Lane.TASK}, server=HOLDER.server))

    assert _leased(backend, {Lane.TASK: 9}) == [1]
    assert _leased(backend, {Lane.THREAD: 9}) == [2]


def test_what_runs_can_be_finished_after_its_service_left(backend: Backend) -> None:
    """A deployment takes nothing from a holder, and what comes back from one is stranded."""
    accept(backend, make_call(1), make_call(2))
    lease(backend)
    ask(backend, Announce({}, server=HOLDER.server))
    running = look(backend).status
    ended = finish(backend, 1)
    ask(backend, Release(call_id(2), TOKEN))

    assert (running, ended, look(backend, 2).status) == (Status.RUNNING, True, Status.STRANDED)


def test_follow_ups_take_the_lane_of_their_service(backend: Backend) -> None:
    """A callback is leased like any other call."""
    accept(backend, make_call(1))
    lease(backend)
    finish(backend, follow_ups=(make_call(2, service="ui.push"), make_call(3, service="unknown")))

    assert _leased(backend, {Lane.TASK: 9, Lane.THREAD: 9}) == [2]
    assert look(backend, 3).status is Status.STRANDED


def test_announcing_the_same_changes_nothing(backend: Backend) -> None:
    """A server that starts again with the services it had finds everything in its place."""
    accept(backend, make_call(1), make_call(2, service="unknown"))
    applied = backend.apply([Announce(DEPLOYED, server=HOLDER.server)])

    assert applied == Applied(results=[[]])
    assert [look(backend, 1).status, look(backend, 2).status] == [Status.WAITING, Status.STRANDED]


def test_a_delivery_is_what_was_accepted(backend: Backend) -> None:
    """Whoever leases gets the call, the token it asked with, and the counts."""
    accept(backend, make_call(1))

    (delivery,) = lease(backend)

    assert (delivery.invocation, delivery.token, delivery.attempts, delivery.takeovers) == (make_call(1), TOKEN, 0, 0)


OUTCOME = Outcome(status=Status.DONE, ended=START)


@pytest.mark.parametrize(
    ("operation", "ready"),
    [
        pytest.param(Accept(make_call(9)), True, id="accept"),
        pytest.param(Accept(make_call(9, not_before=START + 1000)), True, id="accept-delayed"),
        pytest.param(Finish(call_id(1), TOKEN, OUTCOME, (make_call(9),)), True, id="finish-with-follow-up"),
        pytest.param(Postpone(call_id(1), TOKEN, START, 1), True, id="postpone"),
        pytest.param(Release(call_id(1), TOKEN), True, id="release"),
        pytest.param(Reclaim(SUCCESSOR), True, id="reclaim"),
        pytest.param(Announce({"unknown": Lane.TASK}, server=HOLDER.server), True, id="announce"),
        pytest.param(Finish(call_id(1), TOKEN, OUTCOME), False, id="finish"),
        pytest.param(Cancel(call_id(2), OUTCOME), False, id="cancel"),
        pytest.param(Beat(((call_id(1), TOKEN),), 15), False, id="beat"),
        pytest.param(Look(id=call_id(1)), False, id="look"),
        pytest.param(Purge(60), False, id="purge"),
    ],
)
def test_a_batch_says_whether_leasing_is_worth_while(
    backend: Backend, operation: Operation[object], *, ready: bool
) -> None:
    """After what may have made something ready, or moved the time of the next lease, workers are told to look."""
    accept(backend, make_call(1))
    lease(backend)
    accept(backend, make_call(2, not_before=START + 9000))

    assert backend.apply([operation]).ready is ready


@pytest.mark.parametrize(
    ("seconds", "ready"),
    [
        pytest.param(8.999, False, id="nothing"),
        pytest.param(9, True, id="a-delay-is-over"),
        pytest.param(10, True, id="a-lease-has-ended"),
    ],
)
def test_a_lease_says_what_time_made_ready(
    backend: Backend, clock: TurnableClock, *, seconds: float, ready: bool
) -> None:
    """Whoever sees it may have no room: others are told, once."""
    delays = [START + 9000] if seconds == 9 else []
    accept(backend, make_call(1))
    lease(backend, seconds=10)
    accept(backend, make_call(2, expires=START + 1000), *(make_call(3, not_before=each) for each in delays))
    clock.turn(seconds)

    assert [_is_ready_after_lease(backend) for _ in range(2)] == [ready, False]


def _is_ready_after_lease(backend: Backend) -> bool:
    operation = Lease(holder=SUCCESSOR, limits={}, token=b"token--2", seconds=15)
    return backend.apply([operation]).ready


def test_a_batch_names_what_ended(backend: Backend, clock: TurnableClock) -> None:
    """Those who wait for outcomes learn of each, whatever ended it, and of nothing else."""
    accept(backend, *(make_call(number) for number in (1, 2)), make_call(3, not_before=START + 9000))
    lease(backend)
    end, stale = Finish(call_id(1), TOKEN, OUTCOME), Finish(call_id(2), b"stale", OUTCOME)

    applied = backend.apply([end, stale, Cancel(call_id(3), OUTCOME), Postpone(call_id(2), TOKEN, START, 1)])

    assert applied.ended == [call_id(1), call_id(3)]


def test_operations_see_what_came_before_them_in_a_batch(backend: Backend) -> None:
    """A batch is carried out in order: what one operation stored, the next one finds."""
    results = backend.apply(
        [Look(id=call_id(1)), Accept(make_call(1)), Look(id=call_id(1)), Cancel(call_id(1), OUTCOME)]
    ).results

    assert results[0] is None
    assert [bool(result) for result in results[1:]] == [True, True, True]


def test_hundreds_in_one_batch(backend: Backend) -> None:
    """As many calls as a busy moment brings are stored, leased and finished, each in one batch."""
    accept(backend, *(make_call(number) for number in range(500)))
    deliveries = lease(backend)

    applied = backend.apply([Finish(each.invocation.id, each.token, OUTCOME) for each in deliveries])

    assert [each.invocation.id for each in deliveries] == [call_id(number) for number in range(500)]
    assert (applied.results, len(applied.ended)) == ([True] * 500, 500)


def test_an_empty_batch_does_nothing(backend: Backend) -> None:
    """Nothing asked, nothing done."""
    assert backend.apply([]) == Applied()


def _leased(backend: Backend, limits: Mapping[Lane, int] | None = None) -> list[int]:
    """Return the numbers of the calls that a lease gives."""
    leased = lease_all(backend, limits={Lane.THREAD: 99, Lane.TASK: 99} if limits is None else limits)
    return [int(delivery.invocation.id) for delivery in leased.deliveries]


def test_announcement_that_only_adds(backend: Backend) -> None:
    """What others have stays announced, in the lane that the newest announcement gives it, and is named."""
    accept(backend, make_call(1), make_call(2, service="new.one"))
    stays = ask(backend, Announce({"new.one": Lane.TASK, "crm.answer": Lane.TASK}, only_add=True, server=HOLDER.server))

    assert stays == ["crm.sync", "ui.push"]
    assert [look(backend, number).status for number in (1, 2)] == [Status.WAITING] * 2
    assert ask(backend, Announce({"new.one": Lane.TASK}, server=HOLDER.server)) == []
    assert look(backend).status is Status.STRANDED


def test_large_calls_are_leased_a_few_at_a_time(backend: Backend) -> None:
    """A process that has room for thousands of calls has no memory for thousands of large ones."""
    accept(backend, *(make_call(number, payload=bytes(9 * MEGABYTE)) for number in range(1, 5)))
    leased = [[each.invocation.id for each in lease(backend)] for _ in range(3)]
    assert leased == [[call_id(1), call_id(2)], [call_id(3), call_id(4)], []]
