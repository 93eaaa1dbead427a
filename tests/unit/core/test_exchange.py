"""What a service sees of a call."""

import copy
import pickle
from typing import Any

import pytest

from zato.core.call import Call, HTTPInfo
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
