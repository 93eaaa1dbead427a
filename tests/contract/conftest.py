"""Every backend in turn, empty, with services announced and a clock that tests turn."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.calls import DEPLOYED, ask
from tests.contract.stores import STORES, Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Announce, Backend


@pytest.fixture
def clock() -> TurnableClock:
    """The clocks that the backend reads."""
    return TurnableClock()


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Where the backend keeps its data."""
    return STORES[request.param](tmp_path)


@pytest.fixture
def backend(store: Store, clock: TurnableClock) -> Iterator[Backend]:
    """A backend that keeps nothing yet."""
    with closing(store.open(clock)) as opened:
        ask(opened, Announce(DEPLOYED))
        yield opened
