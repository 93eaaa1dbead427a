"""Running one service: what goes in, what comes out."""

import asyncio
import threading
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from tests.unit.testing.services import Call, CallAsync, Echo, EchoAsync, Fail, Seen, Slow
from zato.core.errors import InvalidResponse, InvocationTimeout, MethodNotAllowed, NotSerializable, UnknownService
from zato.server.service import AsyncService, BadRequest, Service
from zato.testing import Zato


@dataclass
class Person:
    name: str
    born: date


class Wrapped(Service):
    name = "test.wrapped"

    def handle(self) -> dict[str, Any]:
        return {"response": {"id": 1}}


class Created(Service):
    name = "test.created"

    def handle(self) -> None:
        self.response.status_code = 201
        self.response.headers["X-Order"] = "7"
        self.response.content_type = "text/csv"
        self.response.payload = "a,b"


class Set(Service):
    """Answers something that has no JSON form."""

    name = "test.set"

    def handle(self) -> object:
        return object()


class Torn(Service):
    name = "test.torn"

    def handle(self) -> str:
        self.response.headers["X-Order"] = "7\n8"
        return "torn"


class Waits(AsyncService):
    name = "test.waits"
    time_limit = 0.01

    async def handle(self) -> Any:
        return await self.invoke("test.slow")


class Declared(Service):
    name = "test.declared"
    input = "customer_id", "-phone"
    output = "id", "phone"

    def handle_GET(self) -> dict[str, Any]:  # noqa: N802 -- that is its name
        given = self.request.input
        return {"id": given.customer_id, "phone": given.phone, "more": 1}


class HandOn(Service):
    """Passes on what lives in this process alone."""

    name = "test.hand-on"
    lock: Any = None

    def handle(self) -> Any:
        return self.invoke("crm.get-customer", self.lock)


class Forgetful(AsyncService):
    """Leaves a task behind."""

    name = "test.forgetful"
    ended: ClassVar[list[str]] = []
    tasks: ClassVar[list[Any]] = []

    async def handle(self) -> None:
        self.tasks.append(asyncio.create_task(self.go_on()))
        await asyncio.sleep(0)

    async def go_on(self) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.ended.append("cancelled")


@pytest.mark.parametrize("kind", [Echo, EchoAsync])
@pytest.mark.parametrize(
    ("payload", "data"),
    [
        pytest.param({"a": (1, 2)}, {"a": [1, 2]}, id="tuples"),
        pytest.param({1: date(2026, 1, 31)}, {"1": "2026-01-31"}, id="dates-and-keys"),
        pytest.param(Person("Ada", date(1815, 12, 10)), {"name": "Ada", "born": "1815-12-10"}, id="dataclass"),
        pytest.param(Decimal("1.5"), 1.5, id="decimal"),
        pytest.param("plain", "plain", id="text"),
        pytest.param('{"a": 1}', {"a": 1}, id="text-that-holds-json"),
        pytest.param(0, 0, id="zero"),
        pytest.param([], [], id="empty-list"),
        pytest.param(None, None, id="nothing"),
        pytest.param("", None, id="empty-text"),
    ],
)
def test_payload_and_response_go_through_json(zato: Zato, kind: type, payload: Any, data: Any) -> None:
    """A service gets what would come over the line, and so does whoever asked."""
    assert zato.invoke(kind, payload).data == data


def test_service_that_raises(zato: Zato) -> None:
    """The test gets the service's own error."""
    with pytest.raises(BadRequest, match="Not 17") as caught:
        zato.invoke(Fail, 17)

    assert caught.value.status == 400


def test_name_that_nothing_is_deployed_under(zato: Zato) -> None:
    """It is as unknown as on a server, and the nearest is named."""
    zato.deploy(Echo)

    with pytest.raises(UnknownService, match=r"Did you mean 'test\.echo'\?"):
        zato.invoke("test.ech")


def test_what_a_service_sees_of_a_client(zato: Zato) -> None:
    """By default the call is that of a client, on the test's own thread."""
    answer = zato.invoke(Seen, {"a": 1}, environ={"tenant": 7}, transport="t", cid="cid-1")

    assert answer.cid == "cid-1"
    assert answer.data == {
        "payload": {"a": 1},
        "raw": '{"a":1}',
        "channel": "invoke",
        "data_format": "json",
        "transport": "t",
        "environ": {"tenant": 7},
        "cid": "cid-1",
        "http": ["", "", {}, {}],
        "thread": threading.current_thread().name,
    }


@pytest.mark.parametrize(
    ("how", "http"),
    [
        ({"headers": {"X-Tenant": "7"}}, ["POST", "/zato/api/invoke/test.seen", {"x-tenant": "7"}, {}]),
        ({"method": "put", "path": "/own"}, ["PUT", "/own", {}, {}]),
        ({"params": {"a": [1, 2]}}, ["POST", "/zato/api/invoke/test.seen", {}, {"a": "2"}]),
        ({"channel": "rest"}, ["POST", "/zato/api/invoke/test.seen", {}, {}]),
    ],
)
def test_what_a_service_sees_of_http(zato: Zato, how: dict[str, Any], http: list[Any]) -> None:
    """With anything of HTTP the call is a request to the service's own address."""
    seen = zato.invoke(Seen, {"b": 1}, **how).data

    assert (seen["channel"], seen["payload"], seen["http"]) == ("rest", {"b": 1}, http)


def test_get_has_its_payload_in_the_query_string(zato: Zato) -> None:
    """Names that are there several times have lists, as on a server."""
    seen = zato.invoke(Seen, method="GET", params={"id": 7, "tag": ["a", "b"]}).data

    assert (seen["payload"], seen["raw"]) == ({"id": "7", "tag": ["a", "b"]}, "id=7&tag=a&tag=b")


@pytest.mark.parametrize("method", ["GET", "head"])
def test_get_with_a_payload(zato: Zato, method: str) -> None:
    """A server never reads the body of such a request, so a test that gives one is told so."""
    with pytest.raises(ValueError, match=f"{method.upper()} has no payload but its query string: give params="):
        zato.invoke(Seen, {"id": 7}, method=method)


@pytest.mark.parametrize(
    ("payload", "seen"),
    [("plain", "plain"), ('"5"', "5"), ('{"a": 1}', {"a": 1}), (b'{"a": 1}', {"a": 1}), ({"a": 1}, {"a": 1})],
)
def test_body_of_a_request(zato: Zato, payload: Any, seen: Any) -> None:
    """Text and bytes are the body as it is; anything else is its JSON."""
    assert zato.invoke(Seen, payload, method="POST").data["payload"] == seen


def test_channel_that_a_test_chooses(zato: Zato) -> None:
    """Any other channel has nothing of HTTP."""
    seen = zato.invoke(Seen, channel="scheduler", data_format="csv").data

    assert (seen["channel"], seen["data_format"], seen["http"][0]) == ("scheduler", "csv", "")


@pytest.mark.parametrize(
    ("how", "data"),
    [
        pytest.param({}, {"id": 1}, id="client"),
        pytest.param({"skip_response_elem": False}, {"response": {"id": 1}}, id="client-that-wants-the-wrapper"),
        pytest.param({"method": "GET"}, {"response": {"id": 1}}, id="own-address"),
    ],
)
def test_wrapper_of_a_response(zato: Zato, how: dict[str, Any], data: Any) -> None:
    """Clients leave it out, and the service's own address does not."""
    assert zato.invoke(Wrapped, **how).data == data


def test_http_side_of_a_response(zato: Zato) -> None:
    """Status, headers and content type are what a client would see."""
    answer = zato.invoke(Created, method="POST")

    assert (answer.status_code, answer.headers, answer.content_type) == (201, {"x-order": "7"}, "text/csv")
    assert (answer.data, answer.text) == ("a,b", "a,b")


@pytest.mark.parametrize(
    ("method", "status"), [("POST", 204), ("POST", 304), ("HEAD", 200)], ids=["no-content", "not-modified", "head"]
)
def test_reply_without_a_body(zato: Zato, method: str, status: int) -> None:
    """HTTP sends none with such a status, and none to a HEAD, whatever the service has answered."""

    class Empty(Service):
        name = "test.empty"

        def handle(self) -> str:
            self.response.status_code = status
            return "text"

    answer = zato.invoke(Empty, method=method)

    assert (answer.status_code, answer.text, answer.data) == (status, "", None)


def test_http_side_of_a_response_to_a_client(zato: Zato) -> None:
    """Elsewhere than at its own address it is what the service has set."""
    answer = zato.invoke(Created)

    assert (answer.status_code, answer.headers, answer.content_type) == (201, {"X-Order": "7"}, "text/csv")


def test_header_that_http_cannot_carry(zato: Zato) -> None:
    """It is refused as a server would refuse it, and goes unnoticed elsewhere, as there."""
    assert zato.invoke(Torn).data == "torn"

    with pytest.raises(InvalidResponse, match="X-Order"):
        zato.invoke(Torn, method="GET")


def test_response_without_a_json_form(zato: Zato) -> None:
    """It is refused, and the message says what it is."""
    with pytest.raises(NotSerializable, match=r"builtins\.object has no JSON form"):
        zato.invoke(Set)


@pytest.mark.parametrize("how", [{"timeout": 0.01}, {}])
def test_time_of_a_service_is_limited(zato: Zato, how: dict[str, Any]) -> None:
    """A timeout, or a time limit of its own, ends a call after real seconds."""
    zato.deploy(Slow, Waits)

    with pytest.raises(InvocationTimeout, match=r"within 0\.01 s"):
        zato.invoke("test.slow" if how else "test.waits", **how)


@pytest.mark.parametrize("caller", [Call, CallAsync])
def test_calls_of_other_services_are_noted(zato: Zato, caller: type[Service]) -> None:
    """What a service invokes is known by name, payload and caller, and its CID is the caller's."""
    zato.replace("crm.get-customer", {"name": "Jane"})

    answer = zato.invoke(caller, {"id": 7})

    (call,) = zato.calls("crm.get-customer")
    assert (call.payload, call.caller, call.cid) == ({"id": 7}, caller.get_name(), answer.cid)
    assert (zato.calls(), zato.calls(caller)) == ([call], [])


def test_noted_payload_is_what_it_was_then(zato: Zato) -> None:
    """A service that changes what it was given does not change what the test sees."""
    zato.replace("crm.get-customer", lambda payload: payload.pop("id"))

    zato.invoke(Call, {"id": 7})

    assert zato.calls()[0].payload == {"id": 7}


def test_noted_payload_that_has_no_copy(zato: Zato) -> None:
    """Services may pass on what cannot be copied; it is noted as it is."""
    zato.replace("crm.get-customer", "known")
    zato.deploy(HandOn)
    HandOn.lock = threading.Lock()

    assert zato.invoke("test.hand-on").data == "known"
    assert zato.calls()[0].payload is HandOn.lock


def test_kit_is_closed_twice() -> None:
    """Whoever closes it may do so again."""
    with Zato() as zato:
        zato.close()

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("zato")]


def test_kit_that_is_closed_says_so() -> None:
    """An asynchronous service is refused in words, without a coroutine that is left over."""
    zato = Zato()
    zato.close()

    with pytest.raises(RuntimeError, match="This Zato is closed"):
        zato.invoke("zato.ping")


def test_tasks_that_are_left_behind_end_with_the_kit() -> None:
    """What an asynchronous service has started does not outlive its test."""
    Forgetful.ended.clear()

    with Zato() as zato:
        zato.invoke(Forgetful)

    assert Forgetful.ended == ["cancelled"]


def test_declared_input_and_output(zato: Zato) -> None:
    """They are converted, filled up and cut down as on a server."""
    data = zato.invoke(Declared, method="GET", params={"customer_id": "7"}).data

    assert data == {"id": 7, "phone": ""}


def test_input_that_is_not_what_is_declared(zato: Zato) -> None:
    """The test gets the error that a client would be told."""
    with pytest.raises(BadRequest, match="Element missing: customer_id"):
        zato.invoke(Declared, method="GET")


def test_method_that_a_service_does_not_take(zato: Zato) -> None:
    """It is refused, with those that it does take."""
    with pytest.raises(MethodNotAllowed) as caught:
        zato.invoke(Declared, {"customer_id": 7}, method="DELETE")

    assert caught.value.allowed == ("GET", "HEAD")
