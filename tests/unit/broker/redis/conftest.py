"""A backend whose way to Redis a test may cut, and the calls that it is given."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.contract.calls import DEPLOYED, HOLDER, ask
from tests.support.cutting import Cutter
from tests.support.redis import RedisServer
from zato.broker.base import Announce, Backend
from zato.broker.clock import SystemClock
from zato.broker.open import Location
from zato.broker.redis.backend import RedisBackend


@pytest.fixture
def cutter(redis_server: RedisServer) -> Iterator[Cutter]:
    """A way to Redis that can be cut."""
    with Cutter(redis_server) as opened:
        yield opened


@pytest.fixture
def near(cutter: Cutter, cluster_name: str) -> Iterator[Backend]:
    """A backend behind the cutter, with services announced."""
    location = Location(cutter.url, Path(), cluster=cluster_name, tag="near")
    with closing(RedisBackend(location, SystemClock())) as backend:
        ask(backend, Announce(DEPLOYED, server=HOLDER.server))
        yield backend


@pytest.fixture
def far(redis_url: str, cluster_name: str) -> Iterator[Backend]:
    """A backend of another process, whose connection stays."""
    location = Location(redis_url, Path(), cluster=cluster_name, tag="far")
    with closing(RedisBackend(location, SystemClock())) as backend:
        yield backend


@pytest.fixture
def location(redis_url: str, cluster_name: str) -> Location:
    """Where a cluster is that nobody else has."""
    return Location(redis_url, Path(), cluster=cluster_name, tag="t")


@pytest.fixture
def backend(location: Location) -> Iterator[Backend]:
    """A backend of that cluster, with services announced."""
    with closing(RedisBackend(location, SystemClock())) as opened:
        ask(opened, Announce(DEPLOYED, server=HOLDER.server))
        yield opened
