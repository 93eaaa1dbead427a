"""What a type checker says `data` is. The assertions are those of `mypy`, which reads this file in `make check`."""

import asyncio
from dataclasses import dataclass
from typing import Any, TypedDict, assert_type

import pydantic

from tests.support.httpd import Reply, ScriptedServer
from zato.client import AnyServiceInvoker, AsyncServiceInvoker, InvocationResult, ServiceInvokeResponse


@dataclass
class Customer:
    name: str


class Model(pydantic.BaseModel):
    name: str


class Keys(TypedDict):
    name: str


TEXT = '{"name": "Ada"}'


def test_invoke(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """With a type `data` is of it, without one it is anything."""
    server.script(Reply.flat(TEXT))

    assert_type(client.invoke("crm.get"), ServiceInvokeResponse[Any])
    assert_type(client.invoke("crm.get", {"id": 1}, type=Customer).data, Customer)
    assert_type(client.invoke("crm.get", type=Model, timeout=5).data, Model)
    assert_type(client.invoke("crm.get", type=Keys).data, Keys)
    assert_type(client.invoke("crm.get", type=dict[str, str]).data, dict[str, str])
    maybe: ServiceInvokeResponse[Customer | None] = client.invoke("crm.get", type=Customer | None)

    assert maybe.data == Customer("Ada")


def test_list(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A list of something is a type as well."""
    server.script(Reply.flat(f"[{TEXT}]"))

    assert assert_type(client.invoke("crm.list", type=list[Customer]).data, list[Customer]) == [Customer("Ada")]


def test_positional_arguments_of_old(client: AnyServiceInvoker) -> None:
    """Old programs pass options by position, and unknown ones by name."""
    assert_type(client.invoke("crm.get", "", None, "invoke", "json", None, 15), ServiceInvokeResponse[Any])


def test_background(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """The CID is a str; the result has the wanted type."""
    assert_type(client.invoke_async("crm.get").data, str)
    server.script(Reply.flat(f'{{"status": "done", "response": {TEXT}}}'))

    assert_type(client.result("c1"), InvocationResult[Any])
    assert assert_type(client.result("c1", 5, type=Customer).data, Customer) == Customer("Ada")


def test_async(server: ScriptedServer) -> None:
    """The asynchronous client says the same."""
    server.script(Reply.flat(TEXT))

    async def talk() -> None:
        async with AsyncServiceInvoker(server.address, "/") as client:
            assert_type(await client.invoke("crm.get"), ServiceInvokeResponse[Any])
            assert_type((await client.invoke("crm.get", type=Customer, timeout=5)).data, Customer)
            assert_type((await client.invoke("crm.get", type=dict[str, str])).data, dict[str, str])
            assert_type((await client.invoke_async("crm.get", delay=5)).data, str)
            assert_type(await client.result("c1"), InvocationResult[Any])
            assert_type(await client.result("c1", type=Customer), InvocationResult[Customer])

    asyncio.run(talk())
