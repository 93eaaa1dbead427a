"""How often services ran, in all processes that share a store."""

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import wait_until
from zato.broker.base import Applied, Operation
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.cluster import Attend
from zato.broker.documents import Browse, Keep
from zato.broker.open import Location, open_backend
from zato.core.errors import BrokerUnavailable
from zato.core.invocation import Holder
from zato.core.member import Member
from zato.core.packing import unpack_counts
from zato.server.counts import Counting
from zato.server.registry import Deployed, Registry, Services
from zato.server.service import Service
from zato.server.tally import Tally

SOON = 0.01


class Store:
    """Keeps what it is told, unless it is away.

    Attributes:
        told: the counts that were kept, in order.
        refused: how often something was to be kept while it was away.
    """

    def __init__(self, folder: Path) -> None:
        self.is_away = False
        self.told: list[dict[str, tuple[int, int]]] = []
        self.refused = 0
        self._backend = open_backend(Location("sqlite", folder), SystemClock())

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        """Carry out operations, and note what is kept."""
        kept = [unpack_counts(each.value).services for each in batch if isinstance(each, Keep)]
        if self.is_away:
            self.refused += len(kept)
            raise BrokerUnavailable("The disk is full.")
        self.told += kept
        return self._backend.apply(batch)

    def close(self) -> None:
        """Close the file."""
        self._backend.close()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when something is so."""
        await asyncio.to_thread(wait_until, condition)


Scenario = Callable[[Batcher, Store], Coroutine[Any, Any, Any]]


class First(Service):
    name = "first"

    def handle(self) -> None:
        pass


class Second(First):
    name = "second"


def run(folder: Path, scenario: Scenario) -> Any:
    """Run a scenario with a store."""

    async def with_store() -> Any:
        store = Store(folder)
        batcher = Batcher(store, asyncio.get_running_loop())
        batcher.start()
        try:
            return await scenario(batcher, store)
        finally:
            batcher.close()

    return asyncio.run(with_store())


def ran(**calls: tuple[int, int]) -> Services:
    """Return services that ran so often, and so often with an error."""
    services = Services(Registry(map(Deployed.of, (First, Second))))
    for name, (count, errors) in calls.items():
        tally = services.get(name).tally
        tally.calls, tally.errors = count, errors
    return services


async def attend(batcher: Batcher, holder: Holder, *, alive_for: float = 60.0) -> None:
    """Have a process be there, or be gone."""
    plain = {"identity": "i", "host": "h", "pid": 1, "version": "1", "address": "a", "started": 1}
    member = Member(holder=holder, **plain, services=2, running=0, slots=1)  # type: ignore[arg-type]
    await batcher.ask(Attend(member, alive_for))


async def told(batcher: Batcher, services: Services, holder: Holder) -> None:
    """Have a process tell once of what ran in it."""
    counting = Counting(services, batcher, batcher, holder)
    counting.begin()
    counting.end()
    await batcher.ask(Browse("service-counts"))


def test_counts_of_all_living_processes_are_added(tmp_path: Path) -> None:
    """Those of this process are of now, the others as they were told; who is gone, or an earlier run, is left out."""

    async def scenario(batcher: Batcher, _: Store) -> Mapping[str, tuple[int, int]]:
        here, beside, earlier, gone = (
            Holder("north", "r2", 1),
            Holder("north", "r2", 2),
            Holder("south", "r1", 1),
            Holder("west"),
        )
        services = ran(first=(1, 0))
        for holder in (here, beside, earlier, gone):
            await attend(batcher, holder, alive_for=0 if holder is gone else 60)
            await told(batcher, services if holder is here else ran(first=(10, 2), second=(5, 5)), holder)
        await attend(batcher, Holder("south", "r2", 1))
        services.get("first").tally.calls += 1
        return await Counting(services, batcher, batcher, here).all()

    assert run(tmp_path, scenario) == {"first": (12, 2), "second": (5, 5)}


def test_what_changes_is_told_again(tmp_path: Path) -> None:
    """And only that: a process where nothing happens writes nothing."""
    services = ran(first=(1, 0))

    async def scenario(batcher: Batcher, store: Store) -> list[dict[str, tuple[int, int]]]:
        counting = Counting(services, batcher, batcher, Holder("north"), every=SOON)
        counting.begin()
        await store.until(lambda: len(store.told) == 1)
        # As often as this, a second look would have come.
        for _ in range(5):
            await asyncio.to_thread(threading.Event().wait, SOON)
        services.get("second").tally.calls = 2
        await store.until(lambda: len(store.told) > 1)
        counting.end()
        return store.told

    assert run(tmp_path, scenario) == [{"first": (1, 0)}, {"first": (1, 0), "second": (2, 0)}]


def test_what_could_not_be_stored_is_told_later(tmp_path: Path) -> None:
    """A store that was away does not miss what was told meanwhile."""

    async def scenario(batcher: Batcher, store: Store) -> list[dict[str, tuple[int, int]]]:
        store.is_away = True
        counting = Counting(ran(first=(1, 0)), batcher, batcher, Holder("north"), every=SOON)
        counting.begin()
        await store.until(lambda: store.refused > 1)
        store.is_away = False
        await store.until(lambda: bool(store.told))
        counting.end()
        return store.told

    assert run(tmp_path, scenario) == [{"first": (1, 0)}]


def test_large_counts_are_told_less_often(tmp_path: Path) -> None:
    """A thousand services would be 40 kB: not more is told on average than a few kB a second."""
    services = ran(first=(1, 0))
    services.current = Registry(replace(services.get("first"), name=f"{'x' * 100}{number}") for number in range(100))

    async def scenario(batcher: Batcher, store: Store) -> int:
        counting = Counting(services, batcher, batcher, Holder("north"), every=SOON)
        counting.begin()
        for number in range(10):
            next(iter(services.current.by_name.values())).tally.calls += number
            await asyncio.to_thread(threading.Event().wait, SOON)
        counting.end()
        return len(store.told)

    assert run(tmp_path, scenario) == 1


@pytest.mark.parametrize("is_away", [True, False], ids=["store-away", "alone"])
def test_counts_without_what_others_tell(tmp_path: Path, is_away: bool) -> None:
    """If nobody can be asked, or nobody is there, what ran here is known all the same."""

    async def scenario(batcher: Batcher, store: Store) -> Mapping[str, tuple[int, int]]:
        beside, services = Holder("north", "r", 2), ran(first=(3, 1))
        await attend(batcher, beside)
        await told(batcher, ran(second=(5, 5)), beside)
        store.is_away = is_away
        counting = Counting(services, batcher, batcher, Holder("north", "r", 1), is_alone=not is_away)
        counting.begin()
        counting.end()
        return await counting.all()

    assert run(tmp_path, scenario) == {"first": (3, 1)}


def test_calls_are_counted_from_any_thread() -> None:
    """None is lost, however often the interpreter changes threads."""
    tally, threads, each = Tally(), 4, 20_000

    def count() -> None:
        for _ in range(each):
            tally.calls += 1

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda _: count(), range(threads)))
    finally:
        sys.setswitchinterval(before)

    assert tally.calls == threads * each
