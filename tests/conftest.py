"""What holds for every test: nothing is left open, and hypothesis is as repeatable as CI needs.

`ZATO_FUZZ_EXAMPLES` sets how many examples hypothesis tries.
"""

import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

from tests.support.leaks import Resources, check_returned
from tests.support.redis import RedisServer, own_cluster
from tests.support.subprocesses import children_unmeasured

EXAMPLES = int(os.environ.get("ZATO_FUZZ_EXAMPLES", "40"))

# Files that take half a minute and more, the longest first: begun last, one of them would run alone at the end.
LONG = (
    "test_examples.py",
    "test_durability.py",
    "test_growth.py",
    "test_bench.py",
    "test_invocations.py",
    "test_invoker.py",
    "test_points.py",
    "test_start_stop.py",
    "test_redis_days.py",
    "test_demo.py",
    "test_workers.py",
    "test_cluster.py",
    "test_bad_days.py",
)

settings.register_profile("local", deadline=None, max_examples=EXAMPLES)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """After each test there are no more threads, files and sockets than before it."""
    before = Resources.now()
    yield
    check_returned(before)


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """What the tests of a module start measures no coverage: other tests run the same lines, and it takes time."""
    with children_unmeasured():
        yield


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis for all tests of this process that need just any; they differ in their clusters' names."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Where that Redis is."""
    return redis_server.url


@pytest.fixture
def cluster_name(redis_server: RedisServer) -> Iterator[str]:
    """A cluster on it that nobody else has, and whose keys are gone afterwards."""
    with own_cluster(redis_server) as name:
        yield name


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, and leave the random order of all others as it is."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let reports travel between processes: what a test logs may hold half a character, which has no UTF-8."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report
