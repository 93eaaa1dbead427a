"""Names that other servers have: when the store is asked for them, and what is made of its answer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from zato.broker.base import Announce, Applied, Operation
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.cluster import Known
from zato.broker.open import Location, open_backend
from zato.core.call import AsyncCall
from zato.core.errors import UnknownService
from zato.core.invocation import Lane, Terms
from zato.core.retry import Retry
from zato.server.elsewhere import Elsewhere
from zato.server.publisher import Publisher
from zato.server.registry import Deployed, Registry, Services
from zato.server.service import Service


class Near(Service):
    name = "near"

    def handle(self) -> None:
        """Do nothing."""


class Store:
    """A real backend that notes which names it was asked for."""

    def __init__(self, folder: Path) -> None:
        self._backend = open_backend(Location("sqlite", folder), SystemClock())
        self.asked: list[tuple[str, ...]] = []

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        self.asked += [tuple(sorted(operation.services)) for operation in batch if isinstance(operation, Known)]
        return self._backend.apply(batch)

    def close(self) -> None:
        self._backend.close()


Publish = Callable[..., Awaitable[object]]


def run(
    folder: Path,
    scenario: Callable[[Publish, Batcher], Awaitable[object]],
    *,
    shared: bool = True,
    here: bool = False,
    fresh: float = 60.0,
) -> list[tuple[str, ...]]:
    """Run a scenario with what publishes, and return the names that the store was asked for each time."""

    async def main() -> None:
        batcher = Batcher(store, asyncio.get_running_loop())
        batcher.start()
        terms = {"far": Terms(retry=Retry(4), time_limit=2.0, queue="bulk")}
        lanes = dict.fromkeys(("near", "far", "far.report", "far.failed", "near-async-callback"), Lane.THREAD)
        await batcher.ask(Announce(lanes, terms=terms))
        services = Services(Registry([Deployed.of(Near)]))
        elsewhere = Elsewhere(services, batcher, fresh=fresh) if shared else None
        publisher = Publisher(services, batcher, max_stored=1_000, elsewhere=elsewhere)

        async def publish(service: str = "near", **options: Any) -> object:
            call = AsyncCall(service=service, **options)
            return await (asyncio.to_thread(publisher.publish_here, call) if here else publisher.publish(call))

        try:
            await scenario(publish, batcher)
        finally:
            batcher.close()

    store = Store(folder)
    asyncio.run(main())
    return store.asked


@pytest.mark.parametrize("here", [True, False], ids=["thread", "loop"])
def test_name_that_another_server_has(tmp_path: Path, here: bool) -> None:
    """The call is accepted on the terms that were announced, and the store is asked once in a while."""

    async def scenario(publish: Publish, _: Batcher) -> None:
        for _again in range(3):
            await publish("far", callback=("far.report",), on_failure=("near", "far.failed"))

    assert run(tmp_path, scenario, here=here) == [("far", "far.failed", "far.report")]


def test_terms_of_another_servers_service(tmp_path: Path) -> None:
    """What its class says counts as if it were deployed here."""

    async def main() -> None:
        backend = open_backend(Location("sqlite", tmp_path), SystemClock())
        batcher = Batcher(backend, asyncio.get_running_loop())
        batcher.start()
        await batcher.ask(Announce({"far": Lane.TASK}, terms={"far": Terms(retry=Retry(4), time_limit=2.0)}))
        services = Services()
        publisher = Publisher(services, batcher, max_stored=1_000, elsewhere=Elsewhere(services, batcher))
        await publisher.publish(AsyncCall(service="far"))
        made = publisher.prepare(AsyncCall(service="far"))
        batcher.close()
        assert (made.retry, made.time_limit) == (Retry(4), 2.0)

    asyncio.run(main())


@pytest.mark.parametrize("here", [True, False], ids=["thread", "loop"])
def test_name_that_nobody_has(tmp_path: Path, here: bool) -> None:
    """It is refused, and asked for again each time: it may be deployed meanwhile."""

    async def scenario(publish: Publish, batcher: Batcher) -> None:
        for _ in range(2):
            with pytest.raises(UnknownService, match=r"No service named 'nerr' is deployed\. Did you mean 'near'"):
                await publish("nerr")
        await batcher.ask(Announce({"nerr": Lane.TASK}, only_add=True))
        await publish("nerr")

    assert run(tmp_path, scenario, here=here) == [("nerr",)] * 3


def test_names_that_are_deployed_here(tmp_path: Path) -> None:
    """Nobody is asked for them."""

    async def scenario(publish: Publish, _: Batcher) -> None:
        await publish(callback=("near",), on_failure=("near",))
        await publish()

    assert run(tmp_path, scenario) == []


def test_convention_for_callbacks(tmp_path: Path) -> None:
    """The store is asked once in a while whether there is one, and once if there is none."""

    async def scenario(publish: Publish, _: Batcher) -> None:
        for _again in range(3):
            await publish(caller="near")

    assert run(tmp_path, scenario) == [("near-async-callback",)]


def test_no_callback_by_convention(tmp_path: Path) -> None:
    """That nobody has one is remembered too."""

    async def scenario(publish: Publish, batcher: Batcher) -> None:
        await batcher.ask(Announce({"near": Lane.THREAD}))
        for _ in range(3):
            await publish(caller="near")

    assert run(tmp_path, scenario) == [("near-async-callback",)]


def test_name_of_the_convention_that_a_call_names(tmp_path: Path) -> None:
    """That nobody had it a moment ago is no reason to refuse it now."""

    async def scenario(publish: Publish, batcher: Batcher) -> None:
        await batcher.ask(Announce({"near": Lane.THREAD}))
        await publish(caller="near")
        await batcher.ask(Announce({"near-async-callback": Lane.THREAD}, only_add=True))
        await publish("near-async-callback")

    assert run(tmp_path, scenario) == [("near-async-callback",)] * 2


def test_answer_counts_for_a_while_only(tmp_path: Path) -> None:
    """Then the store is asked again."""

    async def scenario(publish: Publish, _: Batcher) -> None:
        await publish("far")
        await publish("far", caller="near")
        await publish(caller="near")

    assert run(tmp_path, scenario, fresh=0.0) == [("far",), ("far", "near-async-callback"), ("near-async-callback",)]


def test_name_that_is_gone(tmp_path: Path) -> None:
    """What the store does not know any more is refused."""

    async def scenario(publish: Publish, batcher: Batcher) -> None:
        await publish("far")
        await batcher.ask(Announce({"near": Lane.THREAD}))
        with pytest.raises(UnknownService):
            await publish("far")

    assert run(tmp_path, scenario, fresh=0.0) == [("far",)] * 2


def test_store_that_only_this_server_uses(tmp_path: Path) -> None:
    """It is never asked: what is deployed is everything."""

    async def scenario(publish: Publish, _: Batcher) -> None:
        await publish(caller="near")
        with pytest.raises(UnknownService):
            await publish("far")

    assert run(tmp_path, scenario, shared=False) == []
