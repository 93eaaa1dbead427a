"""What clients ask for, when the server stops in the middle of it and when it is large."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.facilities import make_facilities
from zato.broker.base import Applied, Backend, Look, Operation
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.core.envelope import InvokeRequest
from zato.core.invocation import Holder
from zato.server.dispatcher import Dispatcher
from zato.server.front import LARGE, Front, Origin
from zato.server.locks import Locks
from zato.server.publisher import Publisher
from zato.server.registry import Deployed, Registry, Services
from zato.server.service import AsyncService
from zato.server.threads import Budget, Threads

ORIGIN = Origin("e7a1b2c3d4e5f60718293a4b", "/zato/admin/invoke")
SMALL, BIG = b'"' + b"x" * 10 + b'"', b'"' + b"x" * LARGE + b'"'


class Target(AsyncService):
    name = "target"

    async def handle(self) -> int:
        return len(self.request.payload)


class SlowStore:
    """A store that writes when it is told to."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.asked, self.told = threading.Event(), threading.Event()

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        """Wait, then write."""
        self.asked.set()
        self.told.wait(30)
        return self._backend.apply(batch)

    def close(self) -> None:
        """Close the file."""
        self._backend.close()


def run(folder: Path, scenario: Callable[[Front, SlowStore, Batcher, Budget], Awaitable[object]]) -> object:
    """Run a scenario with a front, its store, and the slots in which large inputs are read."""

    async def main() -> object:
        loop = asyncio.get_running_loop()
        store = SlowStore(open_backend(Location("sqlite", folder), SystemClock()))
        batcher, threads = Batcher(store, loop), Threads(loop, keep=2)
        batcher.start()
        services = Services(Registry([Deployed.of(Target)]))
        publisher = Publisher(services, batcher, max_stored=10 * LARGE)
        dispatcher = Dispatcher(
            services,
            threads,
            publisher,
            Locks(batcher, Holder("server1")),
            facilities=make_facilities(services, threads, folder),
            loop=loop,
            max_depth=2,
        )
        readers = Budget(threads, 1, name="readers")
        front = Front(services, dispatcher, publisher, Budget(threads, 1, name="slots"), readers, max_response=LARGE)
        try:
            return await scenario(front, store, batcher, readers)
        finally:
            store.told.set()
            threads.close()
            await loop.run_in_executor(None, batcher.close)

    return asyncio.run(main())


@pytest.mark.parametrize("payload", [SMALL, BIG], ids=["small", "large"])
def test_call_that_is_being_stored_when_the_server_stops(tmp_path: Path, payload: bytes) -> None:
    """The reply says what is true: once the call is stored, its CID, although the request was cancelled."""

    async def scenario(front: Front, store: SlowStore, batcher: Batcher, _: Budget) -> bool:
        request = InvokeRequest(name="target", payload=payload, is_async=True)
        asking = asyncio.ensure_future(front.invoke(request, ORIGIN))
        await asyncio.get_running_loop().run_in_executor(None, store.asked.wait, 30)
        asking.cancel()
        await asyncio.wait((asking,), timeout=0.05)
        store.told.set()
        record = await batcher.ask(Look(cid=await asking))
        return record is not None

    assert run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("payload", "answer"), [pytest.param(SMALL, "10", id="small"), pytest.param(BIG, None, id="large")]
)
def test_large_payload_is_read_elsewhere(tmp_path: Path, payload: bytes, answer: str | None) -> None:
    """While every reader is held, small requests are answered as ever and large ones wait for a reader."""

    async def scenario(front: Front, _: SlowStore, __: Batcher, readers: Budget) -> str | None:
        gate = threading.Event()
        held = asyncio.ensure_future(readers.run(lambda: gate.wait(30), label="x"))
        asking = asyncio.ensure_future(front.invoke(InvokeRequest(name="target", payload=payload), ORIGIN))
        done, _pending = await asyncio.wait((asking,), timeout=0.3)
        gate.set()
        await asyncio.gather(held, asking)
        return asking.result() if done else None

    assert run(tmp_path, scenario) == answer


def test_result_of_a_large_payload(tmp_path: Path) -> None:
    """It is the same as that of any other."""

    async def scenario(front: Front, *_: object) -> str:
        return await front.invoke(InvokeRequest(name="target", payload=BIG), ORIGIN)

    assert cast(str, run(tmp_path, scenario)) == str(LARGE)
