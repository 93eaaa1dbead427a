"""What a call looks like on the wire."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.support.httpd import Reply, ScriptedServer
from zato.client import AnyServiceInvoker
from zato.client.request import ServiceRequest
from zato.core.errors import BadRequest, InvalidName, InvalidPayload, NotSerializable, ZatoError
from zato.core.retry import Retry

# What version 3.2.1 of the client on PyPI sends for `invoke('zato.ping')`, without the expiration it always adds.
PING = {
    "name": "zato.ping",
    "payload": "IiI=",
    "channel": "invoke",
    "data_format": "json",
    "transport": None,
    "is_async": False,
    "pid": None,
    "all_pids": False,
    "timeout": None,
    "skip_response_elem": True,
}


def test_defaults(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """The body holds what a 3.2 client sends, and `async` for servers of 2.0 and 3.0."""
    client.invoke("zato.ping")

    assert server.requests[0].json == {**PING, "async": False}


def test_async_defaults(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A background call differs in nothing but the two keys that say so."""
    client.invoke_async("zato.ping")

    assert server.requests[0].json == {**PING, "async": True, "is_async": True}


def test_posted_with_credentials(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A call is a POST of JSON to address and path, with HTTP Basic."""
    client.invoke("zato.ping")

    request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/zato/admin/invoke")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] == "Basic YWRtaW4uaW52b2tlOnMzY3JldA=="


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("channel", "my-channel"),
        ("data_format", "xml"),
        ("transport", "plain_http"),
        ("pid", 123),
        ("all_pids", True),
        ("timeout", 7.5),
        ("skip_response_elem", False),
    ],
)
@pytest.mark.parametrize("method", ["invoke", "invoke_async"])
def test_argument_is_sent(
    client: AnyServiceInvoker, server: ScriptedServer, method: str, argument: str, value: object
) -> None:
    """Each argument is sent under its own name, and changes nothing else."""
    getattr(client, method)("crm.sync", **{argument: value})

    sent = server.requests[0].json
    assert sent[argument] == value
    assert sent.keys() == PING.keys() | {"async"}


def test_arguments_by_position(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """Old programs may pass everything by position, in the order they know."""
    client.invoke("a", {"b": 1}, {"X-C": "d"}, "e", "f", "g", 8, None, True, True, 11, True, 13, False)

    sent = server.requests[0].json
    assert server.requests[0].headers["X-C"] == "d"
    assert [sent[key] for key in ("name", "channel", "data_format", "transport", "expiration")] == ["a", *"efg", 8]
    assert [sent[key] for key in ("pid", "all_pids", "timeout", "skip_response_elem")] == [11, True, 13, False]


@pytest.mark.parametrize("expiration", [15, 0, None, 2.5])
def test_expiration_that_was_asked_for(
    client: AnyServiceInvoker, server: ScriptedServer, expiration: float | None
) -> None:
    """Servers of ours learn that the caller meant it, even if it is the 15 of the old clients."""
    client.invoke_async("crm.sync", expiration=expiration)

    sent = server.requests[0].json
    assert (sent["expiration"], sent["expiration_given"]) == (expiration, True)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param("", '""', id="nothing"),
        pytest.param(None, "null", id="none"),
        pytest.param("Zażółć 🦉", '"Zażółć 🦉"', id="unicode"),
        pytest.param([1, "a", None], '[1,"a",null]', id="list"),
        pytest.param(b"bytes", '"bytes"', id="bytes"),
        pytest.param({"at": datetime(2024, 2, 29, 12, tzinfo=UTC)}, '{"at":"2024-02-29T12:00:00Z"}', id="datetime"),
        pytest.param({"total": Decimal("1.10")}, '{"total":1.10}', id="decimal"),
        pytest.param(float("nan"), "NaN", id="nan"),
    ],
)
def test_payload_is_json_in_base64(
    client: AnyServiceInvoker, server: ScriptedServer, payload: object, expected: str
) -> None:
    """What has a JSON form travels as that."""
    client.invoke("crm.sync", payload)

    assert b64decode(server.requests[0].json["payload"]).decode() == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param("<xml>ż</xml>", "<xml>ż</xml>".encode(), id="text"),
        pytest.param(b"\x00\xff", b"\x00\xff", id="bytes"),
        pytest.param(bytearray(b"abc"), b"abc", id="bytearray"),
        pytest.param(None, b"", id="none"),
    ],
)
def test_payload_as_given(client: AnyServiceInvoker, server: ScriptedServer, payload: object, expected: bytes) -> None:
    """With to_json=False the payload travels as it is."""
    client.invoke("crm.sync", payload, to_json=False)

    assert b64decode(server.requests[0].json["payload"]) == expected


def test_payload_as_given_must_be_text(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A dict has no form of its own; nothing is sent."""
    with pytest.raises(InvalidPayload, match=r"text or bytes, not dict\. Pass to_json=True\."):
        client.invoke("crm.sync", {"a": 1}, to_json=False)

    assert server.requests == []


def test_payload_without_json_form(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """The message has the path to what is at fault; nothing is sent."""
    with pytest.raises(NotSerializable, match=r"builtins\.object has no JSON form at \$\.rows\[1\]"):
        client.invoke("crm.sync", {"rows": [1, object()]})

    assert server.requests == []


@pytest.mark.parametrize("method", ["invoke", "invoke_async"])
@pytest.mark.parametrize("target", [{}, {"name": ""}, {"id": ""}], ids=["neither", "empty-name", "empty-id"])
def test_nothing_to_invoke(client: AnyServiceInvoker, server: ScriptedServer, method: str, target: Any) -> None:
    """A call without a target is refused before anything is sent."""
    with pytest.raises(ZatoError, match=r"^Either name or id must be provided$") as caught:
        getattr(client, method)(**target)

    assert isinstance(caught.value, InvalidName)
    assert server.requests == []


def test_id_instead_of_name(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A service may be named by its id; there is no `name` then."""
    client.invoke(id=17)

    sent = server.requests[0].json
    assert sent["id"] == 17
    assert "name" not in sent


def test_options_of_background_calls(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """Ours on top of the old ones are sent under their names."""
    options: dict[str, Any] = {
        "callback": ["audit.store", "audit.notify"],
        "on_failure": "audit.alert",
        "delay": 1.5,
        "idempotency_key": "order-17",
        "retry": {"attempts": 3},
        "time_limit": 2.5,
        "cid": "my-own-cid",
        "priority": "high",
        "queue": "bulk",
    }
    client.invoke_async("crm.sync", **options)

    assert server.requests[0].json == {**PING, "name": "crm.sync", "async": True, "is_async": True, **options}


def test_many_calls(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """They are one request; `data` is the list of their CIDs."""
    server.script(Reply.flat('{"cids": ["c1", "c2"]}'))
    items: list[Any] = [("crm.sync", {"a": 1}), {"name": "crm.get", "delay": 5}]
    response = client.invoke_async_many(iter(items))

    sent = server.requests[0].json
    assert (sent["name"], sent["is_async"]) == ("zato.service.invoke-async-many", False)
    assert json.loads(b64decode(sent["payload"])) == {
        "items": [{"name": "crm.sync", "payload": {"a": 1}}, {"name": "crm.get", "delay": 5}]
    }
    assert (response.ok, response.data) == (True, ["c1", "c2"])


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply.flat(""), id="nothing"),
        pytest.param(Reply.of({"zato_env": {"result": "ZATO_ERROR", "details": "Item 2: no."}}, 400), id="refused"),
    ],
)
def test_many_calls_that_were_not_accepted(client: AnyServiceInvoker, server: ScriptedServer, reply: Reply) -> None:
    """There are no CIDs."""
    server.script(reply)
    assert client.invoke_async_many([("crm.sync", 1)]).data is None


@pytest.mark.parametrize("items", ["ab", {"name": "a"}, ["ab"], [("a", 1), {}]], ids=str)
def test_many_calls_that_are_none(client: AnyServiceInvoker, server: ScriptedServer, items: Any) -> None:
    """The mistake is found before anything is sent."""
    with pytest.raises(BadRequest):
        client.invoke_async_many(items)
    assert server.requests == []


def test_retry_of_our_own_class(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A policy is sent by its fields, the exceptions by their names."""
    client.invoke_async("crm.sync", retry=Retry(3, backoff=0.5, on=(KeyError, "requests.Timeout")), time_limit=0)

    sent = server.requests[0].json
    assert (sent["time_limit"], Retry.of(sent["retry"])) == (0, Retry(3, 0.5, on=(KeyError, "requests.Timeout")))
    assert sent["retry"]["on"] == ["builtins.KeyError", "requests.Timeout"]


@pytest.mark.parametrize(
    ("method", "argument", "message"),
    [
        pytest.param("invoke", "callback", "It is an option of invoke_async", id="of-the-other-method"),
        pytest.param("invoke", "time_out", "Did you mean 'timeout'", id="misspelt"),
        pytest.param("invoke_async", "on_failures", "Did you mean 'on_failure'", id="misspelt-async"),
        pytest.param("invoke", "zzz", "'zzz' and ignores it.$", id="unheard-of"),
    ],
)
def test_unknown_argument(
    client: AnyServiceInvoker, server: ScriptedServer, method: str, argument: str, message: str
) -> None:
    """What another version may know is not refused and not sent, but the caller's line is told of it."""
    with pytest.warns(UserWarning, match=message) as caught:
        getattr(client, method)("crm.sync", **{argument: 1})

    assert caught[0].filename == __file__
    assert argument not in server.requests[0].json


def test_headers_of_the_caller_win(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A caller's header replaces ours of the same name, however it is written."""
    client.invoke("crm.sync", headers={"content-type": "text/x-json", "X-Trace": "1"})

    headers = server.requests[0].headers
    assert (headers["Content-Type"], headers["X-Trace"]) == ("text/x-json", "1")


def test_body_needs_no_server() -> None:
    """The body follows from the request alone."""
    body = ServiceRequest(name="crm.sync", payload={"a": 1}, timeout=2).body()

    assert json.loads(body)["timeout"] == 2
