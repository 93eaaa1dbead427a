"""What a caller gets for a reply, in both dialects and out of any."""

import json
from typing import Any

import pytest
import requests

from tests.support.httpd import CID, Reply, ScriptedServer
from zato.client import AnyServiceInvoker

# Test vectors: what a 3.2 and a 2.0 server answer a ping with.
PING_BASE64 = "eyJ6YXRvX3BpbmdfcmVzcG9uc2UiOiB7InBvbmciOiAiemF0byJ9fQ=="
FLAT = '{"response":"' + PING_BASE64 + '","zato_env":{"result":"ZATO_OK","cid":"c1","details":""}}'
NESTED = '{"zato_env":{"result":"ZATO_OK","cid":"c1","details":""},"zato_service_invoke_response":{"response":"%s"}}'
FAILURE = '{"zato_env":{"result":"ZATO_ERROR","cid":"c1","details":"No such service"}}'
HTML = "<html><body><h1>502 Bad Gateway · nginx</h1></body></html>"

DIALECTS = pytest.mark.parametrize("dialect", [Reply.flat, Reply.nested], ids=["flat", "nested"])


@pytest.mark.parametrize(
    "body", [FLAT, NESTED % PING_BASE64, NESTED % (PING_BASE64 + "\\n")], ids=["3.2", "3.0", "2.0"]
)
def test_ping(client: AnyServiceInvoker, server: ScriptedServer, body: str) -> None:
    """Servers of all versions are understood, and the wrapper of a ping is dropped."""
    server.script(Reply(body.encode()))
    response = client.invoke("zato.ping")

    assert (response.ok, response.has_data, response.data) == (True, True, {"pong": "zato"})
    assert response.inner_service_response == '{"zato_ping_response": {"pong": "zato"}}'
    assert (response.sio_result, response.details, response.cid) == ("ZATO_OK", "", "c1")


def test_failure(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """The envelope decides, and its details say why."""
    server.script(Reply(FAILURE.encode(), 404))
    response = client.invoke("no.such")

    assert (response.ok, response.has_data, response.data) == (False, False, None)
    assert (response.sio_result, response.details, response.cid) == ("ZATO_ERROR", "No such service", "c1")


@DIALECTS
@pytest.mark.parametrize(
    ("text", "data"),
    [
        pytest.param("plain text", "plain text", id="text"),
        pytest.param("Zażółć 🦉", "Zażółć 🦉", id="unicode"),
        pytest.param('{"a":[1,{"b":null}]}', {"a": [1, {"b": None}]}, id="object"),
        pytest.param("[1,2]", [1, 2], id="list"),
        pytest.param('"quoted"', "quoted", id="json-text"),
        pytest.param("0", 0, id="zero"),
        pytest.param("false", False, id="false"),
        pytest.param("{}", {}, id="empty-object"),
        pytest.param("[]", [], id="empty-list"),
        pytest.param('{"a": ', '{"a": ', id="broken-json"),
        pytest.param("[" * 300, "[" * 300, id="too-deep"),
        pytest.param('{"zato_x":[1]}', [1], id="wrapped"),
        pytest.param('{"zato_x":[1],"_meta":{"page":2}}', [1], id="wrapped-with-meta"),
        pytest.param('{"zato_x":1,"zato_y":2}', {"zato_x": 1, "zato_y": 2}, id="two-wrappers"),
        pytest.param('{"zato_x":1,"y":2}', {"zato_x": 1, "y": 2}, id="wrapper-and-more"),
        pytest.param('{"response":1}', {"response": 1}, id="response-is-no-wrapper-here"),
    ],
)
def test_data(client: AnyServiceInvoker, server: ScriptedServer, dialect: Any, text: str, data: object) -> None:
    """What a service returned is parsed if it is JSON, and text otherwise."""
    server.script(dialect(text))
    response = client.invoke("crm.sync")

    assert (response.ok, response.has_data, response.inner_service_response) == (True, True, text)
    assert response.data == data
    assert type(response.data) is type(data)


@DIALECTS
@pytest.mark.parametrize("text", ["", "null", '""', '{"zato_x":null}'], ids=["empty", "null", "json-empty", "wrapped"])
def test_no_output(client: AnyServiceInvoker, server: ScriptedServer, dialect: Any, text: str) -> None:
    """A service that returned nothing succeeded, and has no data."""
    server.script(dialect(text))
    response = client.invoke("crm.sync")

    assert (response.ok, response.has_data, response.data, response.details) == (True, False, None, "")
    assert list(response) == []


@pytest.mark.parametrize(
    ("reply", "details"),
    [
        pytest.param(Reply(HTML.encode(), 502), f"HTTP 502 Bad Gateway: {HTML}", id="html-error"),
        pytest.param(Reply(HTML.encode()), f"HTTP 200 OK: {HTML}", id="html-page"),
        pytest.param(Reply(b""), "HTTP 200 OK, and the reply is empty.", id="empty"),
        pytest.param(Reply(b"", 500), "HTTP 500 Internal Server Error, and the reply is empty.", id="empty-error"),
        pytest.param(Reply(b"", 599), "HTTP 599, and the reply is empty.", id="unknown-status"),
        pytest.param(Reply(b"\xff\xfe\x00"), "HTTP 200 OK: \ufffd\ufffd\x00", id="bytes"),
        pytest.param(Reply(b'{"zato_env": '), 'HTTP 200 OK: {"zato_env": ', id="cut-off"),
        pytest.param(
            Reply("błąd".encode("iso8859-2"), 500, {"Content-Type": "text/plain; charset=iso-8859-2"}),
            "HTTP 500 Internal Server Error: błąd",
            id="charset",
        ),
        pytest.param(
            Reply("błąd".encode(), 500, {"Content-Type": "text/plain; charset=klingon"}),
            "HTTP 500 Internal Server Error: błąd",
            id="unknown-charset",
        ),
    ],
)
def test_body_that_is_no_json(client: AnyServiceInvoker, server: ScriptedServer, reply: Reply, details: str) -> None:
    """A stranger's reply raises nothing; the details show its status and text."""
    server.script(reply)
    response = client.invoke("crm.sync")

    assert (response.ok, response.has_data, response.data, response.cid) == (False, False, None, "(None)")
    assert response.details == details


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(Reply.of({"details": "Nope"}, 400), (False, "Nope", None), id="error-with-details"),
        pytest.param(Reply.of({"a": 1}, 500), (False, '{"a": 1}', None), id="error-without"),
        pytest.param(Reply.of({"a": 1}), (True, '{"a": 1}', {"a": 1}), id="object"),
        pytest.param(Reply.of([1, 2], 201), (True, "[1, 2]", [1, 2]), id="list"),
        pytest.param(Reply.of(None), (True, "null", None), id="null"),
        pytest.param(Reply.of({"zato_env": "x"}), (True, '{"zato_env": "x"}', "x"), id="envelope-of-another-kind"),
    ],
)
def test_json_without_envelope(client: AnyServiceInvoker, server: ScriptedServer, reply: Reply, expected: Any) -> None:
    """Without an envelope, the HTTP status decides."""
    server.script(reply)
    response = client.invoke("crm.sync")

    assert (response.ok, response.details, response.data) == expected
    assert (response.sio_result, response.has_data) == (None, response.data is not None)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"zato_env": {}}, id="empty-envelope"),
        pytest.param({"zato_env": {"result": 1, "cid": 2}}, id="wrong-types"),
        pytest.param({"zato_env": {"result": "ZATO_WARNING"}, "response": "IiI="}, id="unknown-result"),
    ],
)
def test_envelope_that_does_not_say_ok(client: AnyServiceInvoker, server: ScriptedServer, body: object) -> None:
    """An envelope that says anything but ZATO_OK is a failure, whatever the HTTP status."""
    server.script(Reply.of(body))
    response = client.invoke("crm.sync")

    assert (response.ok, response.data, response.details, response.cid) == (False, None, None, "(None)")


@pytest.mark.parametrize("encoded", ["!!!", 17, None, {"a": 1}], ids=["no-base64", "number", "null", "object"])
def test_response_that_is_no_base64(client: AnyServiceInvoker, server: ScriptedServer, encoded: object) -> None:
    """Text is shown as it is, and anything else is nothing."""
    server.script(Reply.of({"response": encoded, "zato_env": {"result": "ZATO_OK", "cid": "c1", "details": ""}}))
    response = client.invoke("crm.sync")

    assert response.ok
    assert response.data == (encoded if isinstance(encoded, str) else None)


def test_details_of_any_type(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """Details are handed on as the server sent them."""
    server.script(Reply.error({"field": "name", "problems": ["missing"]}, 400))

    assert client.invoke("crm.sync").details == {"field": "name", "problems": ["missing"]}


@pytest.mark.parametrize(
    ("headers", "cid"),
    [
        pytest.param({"X_Zato_CID": "from-header"}, "from-header", id="header-first"),
        pytest.param({}, "from-envelope", id="then-envelope"),
    ],
)
def test_cid(client: AnyServiceInvoker, server: ScriptedServer, headers: Any, cid: str) -> None:
    """The header is looked at first, because every reply has it."""
    server.script(Reply.of({"zato_env": {"result": "ZATO_OK", "cid": "from-envelope"}}, **headers))

    assert client.invoke("crm.sync").cid == cid


@pytest.mark.parametrize("text", ['{"zato_x":{},"_meta":{"page":2}}', '{"a":1,"_meta":{"page":2}}'])
def test_meta(client: AnyServiceInvoker, server: ScriptedServer, text: str) -> None:
    """The `_meta` of a dict is at hand, wrapped or not."""
    server.script(Reply.flat(text))

    assert client.invoke("crm.sync").meta == {"page": 2}


@pytest.mark.parametrize("text", ["", "text", "[1]", '{"a":1}', '{"_meta":5}'])
def test_no_meta(client: AnyServiceInvoker, server: ScriptedServer, text: str) -> None:
    """Without it, `meta` is an empty dict."""
    server.script(Reply.flat(text))

    assert client.invoke("crm.sync").meta == {}


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        pytest.param("[1]", {}, True, id="list"),
        pytest.param('{"a":1}', {}, False, id="object"),
        pytest.param("[1]", {"output_repeated": False}, False, id="said-no"),
        pytest.param("1", {"output_repeated": True}, True, id="said-yes"),
    ],
)
def test_output_repeated(
    client: AnyServiceInvoker, server: ScriptedServer, text: str, arguments: dict[str, bool], expected: bool
) -> None:
    """The caller's word counts; without it, a list is repeated output."""
    server.script(Reply.flat(text))

    assert client.invoke("crm.sync", **arguments).output_repeated is expected  # type: ignore[call-overload]


def test_iteration(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A response is iterated as its data."""
    server.script(Reply.flat("[1,2,3]"))

    assert [item * 2 for item in client.invoke("crm.get-list")] == [2, 4, 6]


def test_inner(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """The reply of requests is at hand."""
    inner = client.invoke("crm.sync").inner

    assert isinstance(inner, requests.Response)
    assert inner.status_code == 200


def test_attributes_instead_of_keys(server: ScriptedServer) -> None:
    """With to_bunch, dicts at any depth have attributes."""
    server.script(Reply.flat('{"customer":{"orders":[{"id":7}]},"_meta":{"page":2}}'))
    with AnyServiceInvoker(server.address, "/", to_bunch=True) as client:
        response: Any = client.invoke("crm.get")

    assert response.to_bunch
    assert response.data.customer.orders[0].id == 7
    assert response.meta.page == 2


def test_plain_dicts_by_default(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """Nobody gets attributes without asking."""
    server.script(Reply.flat('{"a":1}'))
    response = client.invoke("crm.get")

    assert not response.to_bunch
    assert type(response.data) is dict


@pytest.mark.parametrize("cid", [CID, "1234567890", "null", "[1]"])
@DIALECTS
def test_async_data_is_text(client: AnyServiceInvoker, server: ScriptedServer, dialect: Any, cid: str) -> None:
    """A CID is a str even if it could be read as JSON."""
    server.script(dialect(cid))
    response = client.invoke_async("crm.sync")

    assert (response.ok, response.has_data, response.data) == (True, True, cid)
    assert response.inner_service_response == cid


def test_repr(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """The repr shows success, status, both ends of the CID, and the body."""
    server.script(Reply(FLAT.encode(), 200, {"X-Zato-CID": "abcdefghijklmnopqrstuvwxyz"}))
    response = client.invoke("zato.ping")

    assert repr(response) == (
        f"<ServiceInvokeResponse at {hex(id(response))} ok:[True] inner.status_code:[200] "
        f"cid:[abcde..vwxyz], inner.text:[{FLAT}]>"
    )


@pytest.mark.parametrize(
    ("limit", "cid", "shown"),
    [(5, "(None)", "(None)"), (3, "abcdef", "abcdef"), (3, "abcdefg", "abc..efg"), (0, "abcdef", "..")],
)
def test_repr_limits(server: ScriptedServer, limit: int, cid: str, shown: str) -> None:
    """Both limits are the caller's."""
    server.script(Reply(b"0123456789", 200, {"X-Zato-CID": cid}))
    with AnyServiceInvoker(server.address, "/", max_response_repr=4, max_cid_repr=limit) as client:
        response = client.invoke("crm.sync")

    assert repr(response).endswith(f"cid:[{shown}], inner.text:[0123]>")


def test_huge_number(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """Numbers beyond 64 bits stay what they are."""
    server.script(Reply.flat(json.dumps({"n": 10**40})))

    assert client.invoke("crm.sync").data == {"n": 10**40}
