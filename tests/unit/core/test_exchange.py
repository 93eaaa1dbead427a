"""What a service sees of a call."""

import copy
import pickle
from typing import Any

import pytest

from zato.core.call import Call, HTTPInfo
from zato.core.elements import contract_of
from zato.core.exchange import Channel, Request, Response

HTTP = HTTPInfo(method="POST", path="/zato/api/invoke/crm.sync", headers={"x-a": "1"}, params={"q": "2"})


def call(payload: Any, *, http: HTTPInfo | None = None) -> Call:
    """Return a call with a payload, through HTTP or not."""
    return Call(cid="abc", service="crm.sync", payload=payload, raw="raw", http=(lambda: http) if http else None)


def test_channel_is_its_type_and_more() -> None:
    """A channel equals its type, and has both names as attributes."""
    channel = Channel("invoke-async", "my.channel")
    assert (channel == "invoke-async", channel.type, channel.name) == (True, "invoke-async", "my.channel")


def test_channel_without_a_name_is_named_by_its_type() -> None:
    """A door that there is only one of needs no name."""
    assert Channel("scheduler").name == "scheduler"


@pytest.mark.parametrize("trip", [copy.deepcopy, lambda channel: pickle.loads(pickle.dumps(channel))])
def test_channel_survives_a_copy(trip: Any) -> None:
    """A copied channel still has its type and name."""
    channel = trip(Channel("rest", "my.channel"))
    assert (channel, channel.type, channel.name) == ("rest", "rest", "my.channel")


def test_request_has_the_payload_as_parsed_and_as_it_came() -> None:
    """Both forms of the input can be seen."""
    request = Request(call({"a": 1}))
    assert (request.payload, request.raw_request) == ({"a": 1}, "raw")


def test_input_can_be_read_by_attribute() -> None:
    """Keys of the payload are attributes of the input."""
    assert Request(call({"customer": {"id": 7}})).input.customer.id == 7


def test_http_of_a_request() -> None:
    """What came by HTTP can be seen under the names that services use."""
    http = Request(call({"a": 1}, http=HTTP)).http
    assert (http.method, http.path, http.headers) == ("POST", "/zato/api/invoke/crm.sync", {"x-a": "1"})
    assert (http.params, http.GET, http.POST) == ({"q": "2"}, {"q": "2"}, {"a": 1})


@pytest.mark.parametrize("payload", ["", [1], 7], ids=["nothing", "list", "number"])
def test_request_without_http_is_empty(payload: object) -> None:
    """A call from a service has no HTTP side, and a payload that is no dict is no form."""
    http = Request(call(payload)).http
    assert (http.method, http.path, http.headers, http.params, http.POST) == ("", "", {}, {}, {})


def test_response_is_empty_at_first() -> None:
    """A service that says nothing answers nothing, with success."""
    response = Response()
    assert (response.payload, response.content_type, response.headers, response.status_code) == (None, None, {}, 200)


class Declares:
    input = "customer", "-phone"


def test_declared_input() -> None:
    """Once it is read, the input is what the service declares; the payload stays as it came."""
    request = Request(call({"customer": 7}, http=HTTPInfo(params={"phone": "5"})))
    assert request._read_input(contract_of(Declares)) == {"customer": 7, "phone": "5"}
    assert (request.input.phone, request.payload) == ("5", {"customer": 7})


def test_input_can_be_replaced() -> None:
    """A hook may set what the handler gets."""
    request = Request(call({"a": 1}))
    request.input = {"b": 2}
    assert request.input == {"b": 2}


def test_payload_by_attribute_whatever_is_declared() -> None:
    """Older services call it a bunch."""
    request = Request(call({"customer": {"id": 7}}))
    request._read_input(contract_of(Declares))
    assert (request.bunchified().customer.id, request.to_bunch().customer.id) == (7, 7)


def test_channel_params_are_the_query_string() -> None:
    """What came beside the payload; nothing, if the call came another way."""
    assert (Request(call("", http=HTTP)).channel_params, Request(call("")).channel_params) == ({"q": "2"}, {})


@pytest.mark.parametrize("contract", [contract_of(Declares), None])
def test_copy_of_a_request_is_its_own(contract: Any) -> None:
    """What is changed in the copy is not changed in the request."""
    request = Request(call({"customer": {"id": 7}}, http=HTTP))
    if contract is not None:
        request._read_input(contract)
    copied = request.deepcopy()
    copied.payload["customer"]["id"] = 8
    copied.input.customer["name"] = "Jane"
    assert (request.payload, request.input.customer) == ({"customer": {"id": 7}}, {"id": 7})
    assert (copied.raw_request, copied.http.path) == ("raw", "/zato/api/invoke/crm.sync")


def test_response_may_start_with_what_is_filled_in() -> None:
    """A declared output is filled in by attribute."""
    assert Response(contract_of(type("Sample", (), {"output": "name"})).blank()).payload is not None
