"""The processes that share a store, as each tells of itself: the same with every backend."""

from contextlib import closing

import msgspec
import pytest

from tests.contract.calls import ask
from tests.contract.stores import RESTARTING, Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Backend
from zato.broker.cluster import Attend, Attendance, Drain, Leave, Members, Seen
from zato.core.invocation import Holder
from zato.core.member import Member

ALIVE_FOR = 6.0
DAY = 86_400


def _member(server: str = "north", run: str = "r1", worker: int = 1, **fields: object) -> Member:
    plain = Member(
        holder=Holder(server, run, worker),
        identity=f"environment-of-{server}",
        host="host-1",
        pid=4711,
        version="1.2.3",
        address="http://10.0.0.5:11223",
        started=1_700_000_000_000,
        services=12,
        running=3,
        slots=32,
    )
    return msgspec.structs.replace(plain, **fields)


def _attend(backend: Backend, member: Member) -> Attendance:
    return ask(backend, Attend(member, ALIVE_FOR))


def _listed(backend: Backend) -> list[tuple[str, str, int]]:
    holders = [seen.member.holder for seen in ask(backend, Members())]
    return [(holder.server, holder.run, holder.worker) for holder in holders]


def _alive(backend: Backend) -> list[bool]:
    return [seen.alive for seen in ask(backend, Members())]


# Who is there.


def test_who_attends_is_listed(backend: Backend) -> None:
    """With everything it told of itself."""
    assert _attend(backend, _member()) == Attendance(draining=False)
    assert ask(backend, Members()) == [Seen(_member(), ago=0, alive=True, draining=False)]


def test_nobody_is_listed_before(backend: Backend) -> None:
    """Whoever announces and leases is no member yet."""
    assert ask(backend, Members()) == []


def test_processes_come_by_server_and_number(backend: Backend) -> None:
    """In whatever order they came; numbers are numbers."""
    for server, worker in (("south", 1), ("north", 10), ("north", 2), ("a/b", 1), ("north", 1)):
        _attend(backend, _member(server, worker=worker))

    assert _listed(backend) == [
        ("a/b", "r1", 1),
        *(("north", "r1", number) for number in (1, 2, 10)),
        ("south", "r1", 1),
    ]


def test_the_last_word_counts(backend: Backend, clock: TurnableClock) -> None:
    """What changed of a process is seen at once, and it is one process still."""
    _attend(backend, _member())
    clock.turn(1)
    _attend(backend, _member(running=7))

    assert ask(backend, Members()) == [Seen(_member(running=7), ago=0, alive=True, draining=False)]


def test_who_is_silent_for_too_long_counts_as_gone(backend: Backend, clock: TurnableClock) -> None:
    """It is alive until the time has passed that it said itself, and stays listed."""
    _attend(backend, _member())
    clock.turn(ALIVE_FOR - 0.001)
    before = _alive(backend)
    clock.turn(0.001)

    assert (before, ask(backend, Members())) == ([True], [Seen(_member(), ago=ALIVE_FOR, alive=False, draining=False)])


def test_who_attends_every_second_is_alive(backend: Backend, clock: TurnableClock) -> None:
    """However long it goes on, and although it always says the same."""
    for _ in range(20):
        _attend(backend, _member())
        clock.turn(1)
        assert _alive(backend) == [True]


def test_who_comes_back_is_alive_again(backend: Backend, clock: TurnableClock) -> None:
    """A process that stood still goes on where it was."""
    _attend(backend, _member())
    clock.turn(ALIVE_FOR * 2)
    before = _alive(backend)
    _attend(backend, _member())

    assert (before, _alive(backend)) == ([False], [True])


def test_who_is_gone_for_a_day_is_forgotten(backend: Backend, clock: TurnableClock) -> None:
    """And not before."""
    _attend(backend, _member())
    clock.turn(DAY - 1)
    before = _listed(backend)
    clock.turn(2)

    assert (before, _listed(backend)) == ([("north", "r1", 1)], [])


def test_who_leaves_is_not_listed(backend: Backend) -> None:
    """Others are, also of the same server."""
    for worker in (1, 2):
        _attend(backend, _member(worker=worker))
    ask(backend, Leave(Holder("north", "r1", 2)))
    ask(backend, Leave(Holder("north", "r1", 3)))

    assert _listed(backend) == [("north", "r1", 1)]


def test_a_new_run_takes_the_place_of_the_one_before(backend: Backend) -> None:
    """All its processes, also those that have no successor; those of other servers stay."""
    for worker in (1, 2, 3):
        _attend(backend, _member(worker=worker))
    _attend(backend, _member("south"))
    _attend(backend, _member(run="r2", worker=2))

    assert _listed(backend) == [("north", "r2", 2), ("south", "r1", 1)]


def test_who_was_replaced_does_not_take_its_successor_along(backend: Backend) -> None:
    """A process of the run before that leaves late leaves alone."""
    _attend(backend, _member())
    _attend(backend, _member(run="r2"))
    ask(backend, Leave(Holder("north", "r1", 1)))

    assert _listed(backend) == [("north", "r2", 1)]


def test_members_are_shared(store: Store, backend: Backend, reader: Backend, clock: TurnableClock) -> None:
    """Every process sees the others, and so does who only looks."""
    with closing(store.open(clock)) as second:
        _attend(second, _member())

    assert ask(backend, Members()) == ask(reader, Members()) == [Seen(_member(), ago=0, alive=True, draining=False)]


def test_members_do_not_look_at_the_wall_clock(backend: Backend, clock: TurnableClock) -> None:
    """An operator who sets the clock makes nobody older or younger."""
    _attend(backend, _member())
    clock.set_wall(clock.wall() + 365 * DAY * 1000)

    assert ask(backend, Members()) == [Seen(_member(), ago=0, alive=True, draining=False)]


@pytest.mark.parametrize("store", RESTARTING, indirect=True)
def test_after_a_new_start_of_the_machine_nobody_is_there(
    store: Store, backend: Backend, reader: Backend, clock: TurnableClock
) -> None:
    """Also before somebody opens the store to write."""
    _attend(backend, _member())
    clock.restart()
    read = ask(reader, Members())

    with closing(store.open(clock)) as second:
        assert (read, ask(second, Members())) == ([], [])


# One name, two servers.


def test_a_second_server_of_the_same_name_learns_of_the_first(backend: Backend) -> None:
    """Which is told nothing, and stays as it is."""
    first, second = _member(), _member(run="r9", worker=2, identity="another")
    _attend(backend, first)

    assert _attend(backend, second) == Attendance(draining=False, rival=first)
    assert (_attend(backend, first), _listed(backend)) == (Attendance(draining=False), [("north", "r1", 1)])


def test_another_start_of_the_same_server_is_no_rival(backend: Backend) -> None:
    """Neither are its other processes, nor servers of other names."""
    _attend(backend, _member())
    others = _member(worker=2), _member(run="r2"), _member("south", identity="another")

    assert [_attend(backend, other).rival for other in others] == [None] * 3


@pytest.mark.parametrize("how", ["silent", "left"])
def test_who_is_gone_is_no_rival(backend: Backend, clock: TurnableClock, how: str) -> None:
    """Another server may have the name then, and the first one learns of it when it comes back."""
    first, second = _member(), _member(run="r9", identity="another")
    _attend(backend, first)
    if how == "left":
        ask(backend, Leave(first.holder))
    else:
        clock.turn(ALIVE_FOR)

    assert _attend(backend, second).rival is None
    assert (_attend(backend, first).rival, _listed(backend)) == (second, [("north", "r9", 1)])


# Draining.


def test_all_processes_of_a_server_are_drained(backend: Backend) -> None:
    """Each learns of it with its next word, also one that comes later; other servers do not."""
    members = _member(), _member("south"), _member(worker=2)
    for member in members[:2]:
        _attend(backend, member)

    assert ask(backend, Drain("north", draining=True)) is True
    assert [_attend(backend, member).draining for member in members] == [True, False, True]
    assert [(seen.member, seen.draining) for seen in ask(backend, Members())] == [
        (members[0], True),
        (members[2], True),
        (members[1], False),
    ]


def test_a_server_takes_work_again(backend: Backend) -> None:
    """A drain is undone by the opposite, however often it was asked for."""
    _attend(backend, _member())
    told = [ask(backend, Drain("north", draining=draining)) for draining in (True, True, False, False)]

    assert (told, _attend(backend, _member()).draining) == ([True] * 4, False)
    assert [seen.draining for seen in ask(backend, Members())] == [False]


def test_a_server_that_nobody_knows_cannot_be_drained(backend: Backend) -> None:
    """It is not drained when it comes, either."""
    drained = ask(backend, Drain("north", draining=True))

    assert (drained, _attend(backend, _member()).draining) == (False, False)


def test_a_drain_ends_with_the_run(backend: Backend) -> None:
    """A server that starts again takes work, whether its last run left in good order or not."""
    for run, leaves in (("r1", False), ("r2", True)):
        _attend(backend, _member(run=run))
        ask(backend, Drain("north", draining=True))
        if leaves:
            ask(backend, Leave(Holder("north", run, 1)))

    assert [_attend(backend, _member(run="r3")).draining for _ in range(2)] == [False, False]


def test_a_process_that_is_replaced_stays_drained(backend: Backend) -> None:
    """The drain is of the run, not of the process."""
    _attend(backend, _member())
    ask(backend, Drain("north", draining=True))

    assert _attend(backend, _member(pid=4712)).draining is True


def test_a_rival_takes_no_drain_away(backend: Backend) -> None:
    """A second server of the same name changes nothing of the first."""
    _attend(backend, _member())
    ask(backend, Drain("north", draining=True))
    _attend(backend, _member(run="r9", identity="another"))

    assert _attend(backend, _member()).draining is True
