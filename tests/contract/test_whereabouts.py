"""Which servers can run a service: the same with every backend, as far as several share it."""

from contextlib import closing

import pytest

from tests.contract.calls import ask
from tests.contract.stores import SHARED, Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Announce, Backend
from zato.broker.cluster import Attend, Leave, Whereabouts
from zato.core.invocation import Holder, Lane
from zato.core.member import Member

ALIVE_FOR = 6.0
SERVER = "server1"


def _attend(backend: Backend, server: str = SERVER, worker: int = 1) -> None:
    member = Member(
        holder=Holder(server, "r1", worker),
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
    ask(backend, Attend(member, ALIVE_FOR))


def test_deployed_services_are_where_their_server_is(backend: Backend, reader: Backend) -> None:
    """Once, however many processes it has; what nobody can run is nowhere."""
    for worker in (1, 2):
        _attend(backend, worker=worker)
    asked = Whereabouts(("crm.sync", "unknown", "ui.push"))

    assert [ask(each, asked) for each in (backend, reader)] == [{"crm.sync": [SERVER], "ui.push": [SERVER]}] * 2
    assert ask(backend, Whereabouts(())) == {}


def test_a_server_that_is_gone_runs_nothing(backend: Backend, clock: TurnableClock) -> None:
    """Neither one that was not heard of for too long, nor one that left, nor one that was never there."""
    asked, told = Whereabouts(("crm.sync",)), []
    told.append(ask(backend, asked))
    _attend(backend)
    clock.turn(ALIVE_FOR - 0.001)
    told.append(ask(backend, asked))
    clock.turn(0.001)
    told.append(ask(backend, asked))
    _attend(backend)
    ask(backend, Leave(Holder(SERVER, "r1", 1)))
    told.append(ask(backend, asked))

    assert told == [{}, {"crm.sync": [SERVER]}, {}, {}]


@pytest.mark.parametrize("store", SHARED, indirect=True)
def test_each_server_has_its_own_services(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """Told in the order of their names."""
    with closing(store.open(clock)) as second:
        for each, server in ((backend, SERVER), (second, "a/b")):
            _attend(each, server)
        ask(second, Announce({"crm.sync": Lane.TASK, "erp.sync": Lane.TASK}, server="a/b"))

        assert ask(backend, Whereabouts(("crm.sync", "erp.sync", "ui.push"))) == {
            "crm.sync": ["a/b", SERVER],
            "erp.sync": ["a/b"],
            "ui.push": [SERVER],
        }
