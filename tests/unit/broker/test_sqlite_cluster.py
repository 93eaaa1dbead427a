"""What the embedded broker's file keeps of queues, locks and members, and for how long."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import pytest

from tests.contract.calls import DEPLOYED, accept, ask, lease, make_call
from tests.support.clocks import TurnableClock
from tests.unit.broker.old_files import execute
from zato.broker.base import Announce, Backend, Lease
from zato.broker.cluster import Attend, Drain, Leave, Lock, Pause
from zato.broker.sqlite import SQLiteBackend
from zato.core.invocation import Holder, Lane, Terms
from zato.core.member import Member

ALIVE_FOR = 6.0
DAY = 86_400
MANY = 3000
NORTH = Member(
    holder=Holder("north", "r1", 1),
    identity="e1",
    host="host-1",
    pid=4711,
    version="1.2.3",
    address="http://127.0.0.1:11223",
    started=1,
    services=12,
    running=3,
    slots=32,
)
SOUTH = msgspec.structs.replace(NORTH, holder=Holder("south", "r1", 1))


@pytest.fixture
def clock() -> TurnableClock:
    """The clock of every backend here."""
    return TurnableClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "broker.db"


@pytest.fixture
def backend(path: Path, clock: TurnableClock) -> Iterator[Backend]:
    """A backend that keeps nothing yet."""
    with closing(SQLiteBackend(path, clock)) as opened:
        ask(opened, Announce(DEPLOYED))
        yield opened


def test_an_idle_server_writes_seldom(backend: Backend, path: Path, clock: TurnableClock) -> None:
    """Who says the same again is written down after a third of the time without which it counts as gone."""
    told = []
    for _ in range(7):
        ask(backend, Attend(NORTH, ALIVE_FOR))
        told.append(execute(path, "SELECT told FROM member")[0][0] - 5_000_000)
        clock.turn(1)

    assert told == [0, 0, 2000, 2000, 4000, 4000, 6000]


@pytest.mark.parametrize(
    "word",
    [
        pytest.param(Attend(msgspec.structs.replace(NORTH, running=4), ALIVE_FOR), id="load"),
        pytest.param(Attend(NORTH, ALIVE_FOR + 1), id="time"),
    ],
)
def test_news_is_written_at_once(backend: Backend, path: Path, clock: TurnableClock, word: Attend) -> None:
    """Whoever says something else is written down."""
    ask(backend, Attend(NORTH, ALIVE_FOR))
    clock.turn(0.5)
    ask(backend, word)

    assert execute(path, "SELECT told FROM member") == [(5_000_500,)]


def test_members_that_are_gone_are_deleted(backend: Backend, path: Path, clock: TurnableClock) -> None:
    """Nothing is left of servers that came once, nor of how they were drained."""
    ask(backend, Attend(NORTH, ALIVE_FOR))
    ask(backend, Drain("north", draining=True))
    clock.turn(DAY + 1)
    ask(backend, Attend(SOUTH, ALIVE_FOR))

    assert execute(path, "SELECT server FROM member") == [("south",)]
    assert execute(path, "SELECT * FROM drained") == []


def test_a_drain_waits_for_a_process_that_is_replaced(backend: Backend, clock: TurnableClock) -> None:
    """While none of its processes is there, the drain of a run is kept, whoever else attends."""
    ask(backend, Attend(NORTH, ALIVE_FOR))
    ask(backend, Drain("north", draining=True))
    ask(backend, Leave(NORTH.holder))
    clock.turn(60)
    ask(backend, Attend(SOUTH, ALIVE_FOR))

    assert ask(backend, Attend(NORTH, ALIVE_FOR)).draining is True


def test_locks_that_ended_are_deleted(backend: Backend, path: Path, clock: TurnableClock) -> None:
    """Locks that nobody gives back, each of a name of its own, leave nothing behind."""
    for number in range(50):
        ask(backend, Lock(f"order-{number}", b"token--1", 20))
    clock.turn(20)
    ask(backend, Lock("another", b"token--1", 20))

    assert execute(path, "SELECT name FROM lock") == [("another",)]


def _pause(backend: Backend) -> None:
    ask(backend, Pause("mail", paused=True))


def _limit(backend: Backend) -> None:
    ask(backend, Announce(DEPLOYED, terms={"crm.sync": Terms(max_concurrency=1)}))
    accept(backend, make_call(1))
    lease(backend)


@pytest.mark.parametrize("hold", [_pause, _limit], ids=["paused", "limited"])
def test_a_lease_does_not_look_through_what_must_wait(
    path: Path, clock: TurnableClock, hold: Callable[[Backend], None]
) -> None:
    """With thousands of calls that it may not have, a lease takes no more steps than with one."""
    connections: list[apsw.Connection] = []
    apsw.connection_hooks.append(connections.append)
    try:
        backend = SQLiteBackend(path, clock)
    finally:
        apsw.connection_hooks.remove(connections.append)
    with closing(backend):
        ask(backend, Announce(DEPLOYED))
        hold(backend)
        steps = []
        for first, last in ((2, 3), (3, MANY)):
            accept(backend, *(make_call(number, queue="mail") for number in range(first, last)))
            accept(backend, make_call(MANY + last, service="crm.answer"))
            steps.append(_steps_of_a_lease(backend, connections[0]))

    assert steps[1] < steps[0] * 2


def _steps_of_a_lease(backend: Backend, connection: apsw.Connection) -> int:
    """Lease the one call that may be leased, and return in how many steps of SQLite that was done."""
    steps: list[int] = []

    def count() -> bool:
        steps.append(1)
        return False

    connection.set_progress_handler(count, 1)
    limits = {Lane.THREAD: 10, Lane.TASK: 10}
    leased = ask(backend, Lease(holder=Holder("north"), limits=limits, token=b"token--2", seconds=3600))
    connection.set_progress_handler(None)
    assert [delivery.invocation.service for delivery in leased.deliveries] == ["crm.answer"]
    return len(steps)


def test_many_limited_services_share_one_lane(backend: Backend) -> None:
    """Of hundreds that each may run once, each runs once, in the order of their calls."""
    services = {f"many.{number}": Lane.TASK for number in range(300)}
    ask(backend, Announce(services, terms=dict.fromkeys(services, Terms(max_concurrency=1))))
    accept(backend, *(make_call(number, service=f"many.{number * 7 % 300}") for number in range(600)))

    assert [int(delivery.invocation.id) for delivery in lease(backend)] == list(range(300))
    assert lease(backend) == []
