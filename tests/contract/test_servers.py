"""What several servers see of each other in a store that they share."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from tests.contract.calls import (
    DEPLOYED,
    HOLDER,
    ROOM,
    START,
    TOKEN,
    accept,
    ask,
    call_id,
    finish,
    lease,
    look,
    make_call,
)
from tests.contract.stores import SHARED, RedisStore
from tests.support.clocks import TurnableClock
from zato.broker.base import Announce, Applied, Backend, Cancel, Finish, Lease, Postpone, Purge, Reclaim, Release
from zato.broker.cluster import Attend, Attendance, Drain, Known, Leave, Lock, Queues, Unlock
from zato.broker.redis.backend import RedisBackend
from zato.broker.redis.bell import RedisBell
from zato.core.invocation import ErrorInfo, Failure, Holder, Lane, Outcome, Status, Terms
from zato.core.member import Member

pytestmark = pytest.mark.parametrize("store", SHARED, indirect=True)

OTHER = Holder("server2", "run-1", 1)
ALIVE_FOR = 6.0
DAY = 86_400
THERE = {"only.there": Lane.THREAD}
PATIENCE = 10.0


def _leased(backend: Backend, holder: Holder, limits: dict[Lane, int] = ROOM) -> list[int]:
    operation = Lease(holder=holder, limits=limits, token=TOKEN, seconds=15)
    return [int(each.invocation.id) for each in ask(backend, operation).deliveries]


def _attend(backend: Backend, holder: Holder = OTHER) -> Attendance:
    member = Member(
        holder=holder,
        identity=holder.server,
        host="host-1",
        pid=1,
        version="1.2.3",
        address="http://10.0.0.5:11223",
        started=START,
        services=1,
        running=0,
        slots=1,
    )
    return ask(backend, Attend(member, ALIVE_FOR))


def _keys(store: RedisStore) -> set[str]:
    with store.server.client() as client:
        return {key.partition("}:")[2] for key in client.scan_iter(f"*{{zato:{store.cluster}}}*", count=1000)}


# Who can run what.


def test_a_service_is_leased_only_where_it_is(backend: Backend) -> None:
    """The server that does not have it gets everything else."""
    ask(backend, Announce(THERE, server=OTHER.server))
    accept(backend, make_call(1, service="only.there"), make_call(2))

    assert (_leased(backend, HOLDER), _leased(backend, OTHER)) == ([2], [1])


def test_a_service_has_the_lane_of_the_server_that_leases_it(backend: Backend) -> None:
    """One version of it blocks, and another does not."""
    ask(backend, Announce({"crm.sync": Lane.TASK}, server=OTHER.server))
    accept(backend, make_call(1), make_call(2))

    tasks = [_leased(backend, holder, {Lane.TASK: 1}) for holder in (HOLDER, OTHER)]
    threads = [_leased(backend, holder, {Lane.THREAD: 1}) for holder in (OTHER, HOLDER)]

    assert (tasks, threads) == ([[], [1]], [[], [2]])


def test_what_one_server_has_no_more_another_still_runs(backend: Backend) -> None:
    """What is announced in place of what was before is so for that server alone."""
    ask(backend, Announce(DEPLOYED, server=OTHER.server))
    ask(backend, Announce({}, server=HOLDER.server))
    accept(backend, make_call(1))

    assert (look(backend).status, _leased(backend, HOLDER), _leased(backend, OTHER)) == (Status.WAITING, [], [1])


def test_a_limit_is_of_all_servers_together(backend: Backend) -> None:
    """Whoever leases first takes the room."""
    terms = {"crm.sync": Terms(max_concurrency=2)}
    for server in (HOLDER.server, OTHER.server):
        ask(backend, Announce(DEPLOYED, terms=terms, server=server))
    accept(backend, *(make_call(number) for number in (1, 2, 3)))

    assert (_leased(backend, HOLDER, {Lane.THREAD: 1}), _leased(backend, OTHER)) == ([1], [2])


def test_a_service_is_known_for_ever(backend: Backend) -> None:
    """Also after the only server that had it left, on the terms that it said."""
    terms = Terms(max_concurrency=3)
    ask(backend, Announce(THERE, terms={"only.there": terms}, server=OTHER.server))
    _attend(backend)
    ask(backend, Leave(OTHER))

    assert ask(backend, Known(("only.there", "never.was"))) == {"only.there": terms}


# Servers that are gone.


def test_what_only_a_server_had_that_is_gone_is_stranded(backend: Backend, clock: TurnableClock) -> None:
    """From when it counts as gone until it is back."""
    ask(backend, Announce(THERE, server=OTHER.server))
    _attend(backend)
    accept(backend, make_call(1, service="only.there"))
    before = look(backend).status
    clock.turn(ALIVE_FOR)
    without = look(backend).status
    _attend(backend)

    assert (before, without, look(backend).status) == (Status.WAITING, Status.STRANDED, Status.WAITING)
    assert _leased(backend, OTHER) == [1]


def test_who_leaves_takes_its_services_along(backend: Backend) -> None:
    """Nobody waits until it would count as gone."""
    ask(backend, Announce(THERE, server=OTHER.server))
    _attend(backend)
    accept(backend, make_call(1, service="only.there"))
    ask(backend, Leave(OTHER))

    assert (look(backend).status, _leased(backend, OTHER)) == (Status.STRANDED, [])


def test_a_process_that_leaves_leaves_the_services_of_the_others(backend: Backend) -> None:
    """They are the server's, until its last process has left."""
    second = Holder(OTHER.server, OTHER.run, 2)
    ask(backend, Announce(THERE, server=OTHER.server))
    for holder in (OTHER, second):
        _attend(backend, holder)
    accept(backend, make_call(1, service="only.there"))
    ask(backend, Leave(OTHER))

    assert (look(backend).status, _leased(backend, second)) == (Status.WAITING, [1])


def test_a_server_that_never_came_back_leaves_nothing(
    store: RedisStore, backend: Backend, clock: TurnableClock
) -> None:
    """After a day the next one that is there forgets it."""
    ask(backend, Announce(THERE, server=OTHER.server))
    _attend(backend)
    clock.turn(DAY + 1)
    before = _keys(store)
    _attend(backend, HOLDER)

    assert before - _keys(store) == {"caps:server2"}


def test_a_server_that_was_forgotten_runs_its_services_again(
    store: RedisStore, backend: Backend, clock: TurnableClock
) -> None:
    """It stood still for longer than a day, with its connection open, and says again what it has."""
    accept(backend, make_call(1))
    _attend(backend, HOLDER)
    with closing(store.open(clock)) as other:
        clock.turn(DAY + 1)
        _attend(other)
    forgotten = look(backend).status
    _attend(backend, HOLDER)

    assert (forgotten, look(backend).status, _leased(backend, HOLDER)) == (Status.STRANDED, Status.WAITING, [1])


def test_a_lease_of_another_server_is_not_ended(backend: Backend) -> None:
    """A new run of a server ends its own leases alone, even if names are alike."""
    ask(backend, Announce(DEPLOYED, server="server1/run-1"))
    accept(backend, make_call(1), make_call(2))
    _leased(backend, Holder("server1/run-1", "old", 1), {Lane.THREAD: 1})
    _leased(backend, HOLDER)

    assert ask(backend, Reclaim(Holder(HOLDER.server, "new", 1))) == 1
    assert [look(backend, number).status for number in (1, 2)] == [Status.RUNNING, Status.WAITING]


def test_a_server_that_was_killed_while_it_was_drained_takes_work_again(backend: Backend) -> None:
    """The drain was of that run; the next one begins anew."""
    _attend(backend)
    ask(backend, Drain(OTHER.server, draining=True))

    assert [_attend(backend, replace(OTHER, run=run)).draining for run in ("run-1", "run-2")] == [True, False]


# Locks.


def test_a_lock_is_held_against_other_servers(store: RedisStore, backend: Backend, clock: TurnableClock) -> None:
    """Who knows the token gives it back, on whichever connection."""
    with closing(store.open(clock)) as other:
        taken = [ask(each, Lock("invoices", TOKEN, 20)) for each in (backend, other)]
        returned = [ask(each, Unlock("invoices", TOKEN)) for each in (other, backend)]

    assert (taken, returned) == ([True, False], [True, False])


def test_a_lock_leaves_nothing(store: RedisStore, backend: Backend) -> None:
    """A holder that vanished gives no lock back, and its key goes by itself a while after it has ended."""
    ask(backend, Lock("invoices", TOKEN, 20))

    with store.server.client() as client:
        assert 20_000 < client.pttl(f"{{zato:{store.cluster}}}:lock:invoices") <= 80_000


# What is left.


def test_every_call_is_counted_once_wherever_it_was(backend: Backend, clock: TurnableClock) -> None:
    """What was delayed runs, what ran waits, and nothing of how it was before stays."""

    def counts() -> tuple[int, int, int]:
        (queue,) = ask(backend, Queues())
        return queue.waiting, queue.delayed, queue.running

    accept(backend, make_call(1, not_before=START + 1000))
    before = counts()
    clock.turn(1)
    lease(backend)
    during = counts()
    ask(backend, Release(call_id(1), TOKEN))

    assert (before, during, counts()) == ((0, 1, 0), (0, 0, 1), (1, 0, 0))


def test_nothing_stays_of_what_was_purged(store: RedisStore, backend: Backend, clock: TurnableClock) -> None:
    """However it was called, and however it ended: every key of it goes."""
    before = _keys(store)
    error = ErrorInfo("error", "ValueError", "No")
    failure = Failure(attempt=1, started=START, ended=START, server="a", error=error)
    for number, status in enumerate((Status.DONE, Status.FAILED), 1):
        accept(backend, make_call(number, parent="c0", idempotency_key=f"k{number}", expires=START + 999))
        lease(backend)
        ask(backend, Postpone(call_id(number), TOKEN, START, 1, failure=failure))
        lease(backend)
        finish(backend, number, status=status)
    clock.turn(1)
    ask(backend, Purge(0))

    assert _keys(store) - before == {"seq"}


def test_what_was_cancelled_is_in_no_queue(backend: Backend) -> None:
    """It ran, waited, or was delayed; it is not counted any more."""
    accept(backend, make_call(1))
    lease(backend)
    accept(backend, make_call(2), make_call(3, not_before=START + 1000))
    for number in (1, 2, 3):
        ask(backend, Cancel(call_id(number), Outcome(status=Status.CANCELLED, ended=START)))

    assert ask(backend, Queues()) == []


def test_the_oldest_is_of_all_lines_and_priorities(backend: Backend) -> None:
    """It is neither the most urgent one, nor of the service that comes first."""
    accept(
        backend,
        make_call(1, created=START + 3, priority=1, service="ui.push"),
        make_call(2, created=START + 2, priority=1),
        make_call(3, created=START + 1, priority=9),
    )

    assert [queue.oldest for queue in ask(backend, Queues())] == [START + 1]


# The bell.


@contextmanager
def _listening(
    store: RedisStore, clock: TurnableClock, *, own: bool = False
) -> Iterator[tuple[Backend, Callable[[], tuple[bool, object]]]]:
    """Give a backend, and what returns the next thing that another process hears, or the same one."""
    location = store.location
    loop = asyncio.new_event_loop()
    heard: asyncio.Queue[tuple[bool, object]] = asyncio.Queue()
    bell = RedisBell(location, loop)
    bell.listen(lambda ready, ended: heard.put_nowait((ready, ended)))

    def following() -> tuple[bool, object]:
        return loop.run_until_complete(asyncio.wait_for(heard.get(), PATIENCE))

    try:
        assert following() == (True, None)
        with closing(RedisBackend(location if own else store.location, clock, tells_time=True)) as backend:
            yield backend, following
    finally:
        bell.close()
        loop.close()


def test_the_bell_says_that_there_is_work(store: RedisStore, backend: Backend, clock: TurnableClock) -> None:
    """A process that waits learns of what another one accepted."""
    with _listening(store, clock) as (other, following):
        accept(other, make_call(1))
        assert following() == (True, [])


def test_the_bell_says_what_ended(store: RedisStore, backend: Backend, clock: TurnableClock) -> None:
    """All of it at once; nothing is ready for that reason."""
    accept(backend, make_call(1), make_call(2))
    lease(backend)
    done = [Finish(call_id(number), TOKEN, Outcome(status=Status.DONE, ended=START)) for number in (1, 2)]
    with _listening(store, clock) as (other, following):
        other.apply(done)
        assert following() == (False, [call_id(1), call_id(2)])


def test_the_bell_is_silent_about_what_concerns_nobody(
    store: RedisStore, backend: Backend, clock: TurnableClock
) -> None:
    """To look, or to lease, is nothing that others have to know."""
    accept(backend, make_call(1))
    with _listening(store, clock) as (other, following):
        look(other)
        lease(other)
        finish(other)
        assert following() == (False, [call_id(1)])


def test_nobody_hears_himself(store: RedisStore, backend: Backend, clock: TurnableClock) -> None:
    """What a process did is told to it by its own store; the next thing that it hears is of another one."""
    with _listening(store, clock, own=True) as (mine, following):
        accept(mine, make_call(1))
        lease(backend)
        finish(backend)
        assert following() == (False, [call_id(1)])


def test_who_did_something_knows_it_without_a_bell(backend: Backend) -> None:
    """What others hear stands in the answer, too."""
    accept(backend, make_call(1))
    lease(backend)
    applied = backend.apply([Finish(call_id(1), TOKEN, Outcome(status=Status.DONE, ended=START), (make_call(2),))])

    assert applied == Applied(results=[True], ready=True, ended=[call_id(1)])
