"""What goes wrong around a cluster on Redis, one thing at a time, under load: a short form of `make chaos`."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.chaos import faults
from tests.chaos.arena import Arena
from tests.chaos.clusters import ALWAYS, Fault, arena_of, break_cluster

pytestmark = pytest.mark.slow

CALLS = 12
# Ten times what `make chaos` allows: here all other tests run beside it.
BEYOND_LEASE = 10.0
FAULTS = (
    Fault("server killed", faults.kill_server, takes_over=True),
    Fault("server stopped", faults.stop_before_finish, takes_over=True),
    Fault("answers lost", faults.lose_answers),
    Fault("Redis killed", faults.kill_redis),
    Fault("Redis restarted", faults.restart_redis),
    Fault("CLIENT KILL", faults.kill_clients),
    Fault("CLIENT PAUSE", faults.pause_clients),
    Fault("Redis full", faults.fill_redis),
)


@pytest.fixture(autouse=True)
def nothing_left_open() -> None:
    """The arena has connections that are lost in one test and made again in the next: there is nothing to compare."""


@pytest.fixture(scope="module")
def arena(unmeasured: None) -> Iterator[Arena]:
    """Two servers on a Redis that has on its disk whatever it has answered."""
    with TemporaryDirectory() as folder, arena_of(Path(folder), ALWAYS, servers=2) as arena:
        yield arena


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_bad_day(arena: Arena, fault: Fault) -> None:
    """Whatever was accepted is done once and called back once, and nothing of it is left over in Redis."""
    row = break_cluster(arena, fault, ALWAYS, "a short form", calls=CALLS, beyond_lease=BEYOND_LEASE)

    assert row.faults == {}
    assert len(row.verdict.accepted) >= 2 * CALLS
