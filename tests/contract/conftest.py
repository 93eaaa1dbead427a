"""Every backend in turn, empty, with services announced and a clock that tests turn."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.contract.calls import DEPLOYED, HOLDER, ask
from tests.contract.stores import STORES, RedisStore, Store
from tests.support.clocks import TurnableClock
from tests.support.redis import RedisServer
from zato.broker.base import Announce, Backend


@pytest.fixture(scope="session", autouse=True)
def _redis(redis_server: RedisServer) -> None:
    """A Redis for those backends that need one."""
    RedisStore.server = redis_server


@pytest.fixture
def clock() -> TurnableClock:
    """The clocks that the backend reads."""
    return TurnableClock()


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder that is not on a disk, where there is one, for tests that ask for nothing a disk keeps."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Where the backend keeps its data."""
    return STORES[request.param](tmp_path)


@pytest.fixture
def backend(store: Store, clock: TurnableClock) -> Iterator[Backend]:
    """A backend that keeps nothing yet."""
    with closing(store.open(clock)) as opened:
        ask(opened, Announce(DEPLOYED, server=HOLDER.server))
        yield opened


@pytest.fixture
def reader(store: Store, backend: Backend, clock: TurnableClock) -> Iterator[Backend]:
    """A connection beside the backend that looks and finds alone."""
    with closing(store.reader(clock)) as opened:
        yield opened
