"""`type=`: the data of a response as what the caller says it is. Which types there are: see tests/unit/core."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pydantic
import pytest

from tests.support.httpd import CID, Reply, ScriptedServer
from zato.client import AnyServiceInvoker, InvalidType, ResponseMismatch
from zato.core.errors import ZatoError


@dataclass
class Customer:
    name: str
    credit: Decimal = Decimal(0)


class Model(pydantic.BaseModel):
    name: str
    credit: Decimal


ADA = Customer("Ada", Decimal("1.10"))
TEXT = '{"name": "Ada", "credit": 1.10}'


@pytest.mark.parametrize(
    ("text", "kind", "data"),
    [
        pytest.param(TEXT, Customer, ADA, id="dataclass"),
        pytest.param(TEXT, Model, Model(name="Ada", credit=Decimal("1.1")), id="model"),
        pytest.param(f"[{TEXT}]", list[Customer], [ADA], id="list"),
        pytest.param(f'{{"zato_crm_response": {TEXT}}}', Customer, ADA, id="wrapped"),
        pytest.param(f'{{"_meta": {{}}, "zato_crm_response": {TEXT}}}', Customer, ADA, id="wrapped-with-meta"),
        pytest.param("12", str, "12", id="text"),
        pytest.param("false", bool, False, id="false"),
    ],
)
def test_typed(client: AnyServiceInvoker, server: ScriptedServer, text: str, kind: Any, data: Any) -> None:
    """`data` is of that type, in either dialect, without the wrapper, digit for digit."""
    server.script(Reply.flat(text), Reply.nested(text))

    for _ in range(2):
        response = client.invoke("crm.get", type=kind)
        assert (response.data, response.ok, response.has_data) == (data, True, True)
        assert str(response.data) == str(data)


def test_attribute_access_does_not_get_in_the_way(server: ScriptedServer) -> None:
    """With `to_bunch` typed data is what was asked for, not a dict of ours."""
    server.script(Reply.flat('{"a": {"b": 1}}'))
    with AnyServiceInvoker(server.address, "/", to_bunch=True) as client:
        assert type(client.invoke("crm.get", type=dict[str, dict[str, int]]).data["a"]) is dict


@pytest.mark.parametrize("kind", [Customer, str, int, Any])
def test_no_output(client: AnyServiceInvoker, server: ScriptedServer, kind: Any) -> None:
    """A service that returned nothing returned nothing, whatever was wanted."""
    server.script(Reply.flat(""))

    response = client.invoke("crm.get", type=kind)

    assert (response.ok, response.has_data, response.data) == (True, False, None)


def test_failure_is_none_of_its_business(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A failed call is a response as ever, and what its body holds is not looked at."""
    server.script(Reply.error({"reason": "No such customer"}, 404))

    response = client.invoke("crm.get", type=Customer)

    data: Any = response.data
    assert (response.ok, data, response.details) == (False, None, {"reason": "No such customer"})


def test_mismatch(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """The error says which service returned what instead, and that it ran; the response is not lost."""
    server.script(Reply.flat('[{"name": 5}]'))

    with pytest.raises(ResponseMismatch) as caught:
        client.invoke("crm.list", type=list[Customer])

    assert str(caught.value) == (
        f"The call succeeded, but what 'crm.list' returned is not {list[Customer]!r}: Expected `str`, got `int` at "
        f"$[0].name. The service did run (CID {CID}); the error's 'response' has what it returned."
    )
    assert caught.value.response.data == [{"name": 5}]
    assert (caught.value.response.ok, caught.value.response.cid) == (True, CID)
    assert isinstance(caught.value, ZatoError)


def test_mismatch_of_a_service_known_by_its_id(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """What was invoked by its id is named by it."""
    server.script(Reply.flat("no"))

    with pytest.raises(
        ResponseMismatch, match=r"what '17' returned is not Customer: Expected `object`, got `str` at \$"
    ):
        client.invoke(id=17, type=Customer)


@pytest.mark.parametrize("method", ["invoke", "result"])
def test_no_type(client: AnyServiceInvoker, server: ScriptedServer, method: str) -> None:
    """A type that nothing can be read as is refused before the call is made."""
    with pytest.raises(InvalidType, match=r"cannot be read as .*ScriptedServer.* no kind of data") as caught:
        getattr(client, method)("crm.get", type=ScriptedServer)

    assert isinstance(caught.value, TypeError)
    assert server.requests == []


def test_result(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A background call's response is read by the same rules."""
    server.script(Reply.flat(f'{{"status": "done", "service": "crm.get", "response": {TEXT}}}'))

    result = client.result("c1", type=Customer)

    assert (result.data, result.status, str(result.data.credit)) == (ADA, "done", "1.10")


def test_result_that_is_text(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A text that looks like a number stays a text if one is wanted."""
    server.script(Reply.flat('{"status": "done", "response": "12"}'))

    assert client.result("c1", type=str).data == "12"


def test_result_that_does_not_fit(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """The service is named by what the record says."""
    server.script(Reply.flat('{"status": "done", "service": "crm.get", "response": {}}'))

    with pytest.raises(ResponseMismatch, match=r"what 'crm\.get' returned is not Customer: .*missing.*`name` at \$\."):
        client.result("c1", type=Customer)


@pytest.mark.parametrize("status", ["running", "failed"])
def test_result_without_a_response(client: AnyServiceInvoker, server: ScriptedServer, status: str) -> None:
    """A call that is not done has no data of any type."""
    server.script(Reply.flat(json.dumps({"status": status, "response": None})))

    result = client.result("c1", type=Customer)

    data: Any = result.data
    assert (result.ok, data, result.status) == (False, None, status)
