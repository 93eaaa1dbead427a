"""`AsyncServiceInvoker` and typed data against a real server."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import PASSWORD, ServerProcess, make_environment
from zato.client import AsyncServiceInvoker, ConnectionFailed, NetworkError, ResponseMismatch

SERVICES = """
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from zato.server.service import Service

gate = threading.Event()


@dataclass
class Customer:
    name: str
    credit: Decimal
    since: datetime


class Get(Service):
    name = "crm.get"

    def handle(self):
        return Customer(self.request.payload, Decimal("12345678901234567890.10"), datetime(2026, 1, 2, tzinfo=UTC))


class Twice(Service):
    name = "crm.twice"

    def handle(self):
        return self.request.payload * 2


class Wait(Service):
    name = "crm.wait"

    def handle(self):
        gate.wait(30)
        return "open"


class Open(Service):
    name = "crm.open"

    def handle(self):
        gate.set()
"""


@dataclass
class Customer:
    """What `crm.get` returns."""

    name: str
    credit: Decimal
    since: datetime


ADA = Customer("Ada", Decimal("12345678901234567890.10"), datetime(2026, 1, 2, tzinfo=UTC))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("async") / "env"
    with ServerProcess(make_environment(folder, {"crm.py": SERVICES})) as running:
        yield running


def client_of(server: ServerProcess, password: str = PASSWORD, **options: Any) -> AsyncServiceInvoker:
    """Return a client. Use it in an `async with`."""
    return AsyncServiceInvoker(server.address, "/zato/admin/invoke", ("admin.invoke", password), **options)


def test_two_hundred_calls_at_once(server: ServerProcess) -> None:
    """One client carries many calls at a time, and each gets its own response."""

    async def talk() -> list[int]:
        async with client_of(server) as client:
            replies = await asyncio.gather(*(client.invoke("crm.twice", n, type=int) for n in range(200)))
        return [reply.data for reply in replies]

    assert asyncio.run(talk()) == [2 * n for n in range(200)]


def test_background_calls_by_their_cids(server: ServerProcess) -> None:
    """What runs in the background is found again by its CID, as data of the wanted type."""

    async def talk() -> tuple[list[str], set[tuple[str, datetime]]]:
        async with client_of(server) as client:
            cids = [(await client.invoke_async("crm.get", "Ada")).data for _ in range(5)]
            results = await asyncio.gather(*(client.result(cid, wait=30, type=Customer) for cid in cids))
        return [str(each.status) for each in results], {(each.data.name, each.data.since) for each in results}

    assert asyncio.run(talk()) == (["done"] * 5, {(ADA.name, ADA.since)})


def test_typed_response(server: ServerProcess) -> None:
    """What a service returned as a dataclass is one again, digit for digit, in both clients."""

    async def talk() -> Customer:
        async with client_of(server) as client:
            return (await client.invoke("crm.get", "Ada", type=Customer)).data

    assert asyncio.run(talk()) == ADA
    with server.client() as client:
        assert client.invoke("crm.get", "Ada", type=Customer).data == ADA


def test_response_of_another_type(server: ServerProcess) -> None:
    """The error tells it from a call that failed, and holds what came."""
    with server.client() as client, pytest.raises(ResponseMismatch, match=r"'crm\.get' .*got `object` at \$") as caught:
        client.invoke("crm.get", "Ada", type=list[Customer])

    assert caught.value.response.data["name"] == "Ada"


def test_wrong_password(server: ServerProcess) -> None:
    """It is a response, not an error, as with the other client."""

    async def talk() -> Any:
        async with client_of(server, "another password") as client:
            return await client.invoke("zato.ping")

    response = asyncio.run(talk())

    assert (response.ok, response.data, response.inner.status_code) == (False, None, 401)


def test_cancelled_awaiting(server: ServerProcess) -> None:
    """Who stops waiting for a result can wait for it again; the call does not notice."""

    async def talk() -> Any:
        async with client_of(server) as client:
            cid = (await client.invoke_async("crm.wait")).data
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.result(cid, wait=30), 0.2)
            await client.invoke("crm.open")
            return await client.result(cid, wait=30)

    result = asyncio.run(talk())

    assert (result.data, result.record["attempts"]) == ("open", 1)


def test_cancel_and_replay(server: ServerProcess) -> None:
    """A call that has not begun can be called off, and made again with another payload."""

    async def talk() -> tuple[Any, Any, Any]:
        async with client_of(server) as client:
            cid = (await client.invoke_async("crm.twice", 1, delay=600)).data
            record = (await client.cancel(cid)).data
            again = (await client.replay(cid, 21)).data
            return record["status"], (await client.cancel(cid)).inner.status_code, again["cid"]

    status, refused, cid = asyncio.run(talk())

    assert (status, refused) == ("cancelled", 409)
    with server.client() as client:
        assert client.result(cid, wait=30).status == "done"


def test_server_killed_in_the_middle(tmp_path: Path) -> None:
    """Calls under way end in our own error, later ones in one that says nothing was sent."""

    async def talk(server: ServerProcess) -> tuple[list[Any], Any]:
        async with client_of(server) as client:
            calls = [asyncio.create_task(client.invoke("crm.wait")) for _ in range(10)]
            await asyncio.to_thread(server.logged, "waiting")
            await asyncio.to_thread(server.kill)
            return await asyncio.gather(*calls, return_exceptions=True), await _outcome_of(client)

    services = SERVICES.replace("gate.wait(30)", "self.logger.info('waiting'); gate.wait(30)")
    with ServerProcess(make_environment(tmp_path / "env", {"crm.py": services})) as server:
        ended, later = asyncio.run(talk(server))

    assert len(ended) == 10
    assert all(isinstance(error, NetworkError) for error in ended)
    assert isinstance(later, ConnectionFailed)


async def _outcome_of(client: AsyncServiceInvoker) -> Any:
    return (await asyncio.gather(client.invoke("zato.ping"), return_exceptions=True))[0]
