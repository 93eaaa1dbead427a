"""The clients of any address: JSON, JSON with an envelope, text."""

from collections.abc import Callable

import pytest

from tests.support.httpd import CID, Reply, ScriptedServer
from zato.client import JSONClient, JSONSIOClient, RawDataClient
from zato.core.errors import InvalidPayload

OPEN: dict[str, Callable[[str, str], JSONClient | JSONSIOClient]] = {"json": JSONClient, "sio": JSONSIOClient}


@pytest.mark.parametrize("kind", OPEN)
@pytest.mark.parametrize(
    ("payload", "to_json", "body"),
    [
        pytest.param({"name": "Zażółć"}, True, '{"name":"Zażółć"}', id="object"),
        pytest.param("", True, '""', id="nothing"),
        pytest.param('{"a": 1}', False, '{"a": 1}', id="json-already"),
    ],
)
def test_json_is_posted(server: ScriptedServer, kind: str, payload: object, to_json: bool, body: str) -> None:
    """The body is the payload's JSON."""
    with OPEN[kind](server.address, "/crm") as client:
        client.invoke(payload, {"X-Trace": "1"}, to_json)

    request = server.requests[0]
    assert (request.method, request.path, request.body.decode()) == ("POST", "/crm", body)
    assert (request.headers["Content-Type"], request.headers["X-Trace"]) == ("application/json", "1")


@pytest.mark.parametrize(
    ("reply", "ok", "data", "details"),
    [
        pytest.param(Reply.of({"a": 1}), True, {"a": 1}, '{"a": 1}', id="object"),
        pytest.param(Reply.of({"zato_x": 1}), True, {"zato_x": 1}, '{"zato_x": 1}', id="not-unwrapped"),
        pytest.param(Reply.of(None), True, None, "null", id="null"),
        pytest.param(Reply(b"", 204), True, None, "", id="no-content"),
        pytest.param(Reply.of({"a": 1}, 400), False, None, '{"a": 1}', id="error"),
        pytest.param(Reply.error("Nope", 403), False, None, "Nope", id="error-of-ours"),
        pytest.param(Reply(b"<html>"), False, None, "HTTP 200 OK: <html>", id="html"),
        pytest.param(Reply(b"", 503), False, None, "HTTP 503 Service Unavailable, and the reply is empty.", id="empty"),
    ],
)
def test_json_reply(server: ScriptedServer, reply: Reply, ok: bool, data: object, details: str) -> None:
    """Data is the parsed body; success is an HTTP status below 400 and a body that can be read."""
    server.script(reply)
    with JSONClient(server.address, "/") as client:
        response = client.invoke()

    assert (response.ok, response.data, response.details) == (ok, data, details)
    assert response.has_data is (data is not None)


@pytest.mark.parametrize(
    ("body", "ok", "data"),
    [
        pytest.param({"zato_env": {"result": "ZATO_OK"}, "zato_x_response": {"a": 1}}, True, {"a": 1}, id="wrapped"),
        pytest.param({"zato_env": {"result": "ZATO_OK"}, "pong": "zato"}, True, {"pong": "zato"}, id="ping"),
        pytest.param({"zato_env": {"result": "ZATO_OK"}}, True, None, id="nothing"),
        pytest.param({"zato_env": {"result": "ZATO_ERROR"}, "a": 1}, False, None, id="error"),
        pytest.param({"a": 1}, True, {"a": 1}, id="no-envelope"),
        pytest.param([1], True, [1], id="list"),
    ],
)
def test_sio_reply(server: ScriptedServer, body: dict[str, object], ok: bool, data: object) -> None:
    """Data is what stands beside the envelope."""
    server.script(Reply.of(body))
    with JSONSIOClient(server.address, "/") as client:
        response = client.invoke()

    assert (response.ok, response.data) == (ok, data)


def test_sio_result(server: ScriptedServer) -> None:
    """The envelope's own word is at hand, and its details and CID."""
    server.script(Reply.error("Nope", 200))
    with JSONSIOClient(server.address, "/") as client:
        response = client.invoke()

    assert (response.sio_result, response.details, response.cid) == ("ZATO_ERROR", "Nope", CID)


@pytest.mark.parametrize("payload", ["żółw", "żółw".encode()], ids=["text", "bytes"])
def test_raw_data(server: ScriptedServer, payload: str | bytes) -> None:
    """Text goes out and comes in as it is, JSON or not."""
    server.script(Reply('{"a": "ż"}'.encode()))
    with RawDataClient(server.address, "/raw") as client:
        response = client.invoke(payload)

    assert (server.requests[0].body.decode(), server.requests[0].path) == ("żółw", "/raw")
    assert (response.ok, response.data, response.has_data) == (True, '{"a": "ż"}', True)


def test_raw_data_error(server: ScriptedServer) -> None:
    """An HTTP status from 400 is a failure."""
    server.script(Reply(b"Not today", 503))
    with RawDataClient(server.address, "/") as client:
        response = client.invoke()

    assert (response.ok, response.data, response.has_data) == (False, None, False)
    assert response.details == "HTTP 503 Service Unavailable: Not today"


def test_raw_data_is_no_dict(server: ScriptedServer) -> None:
    """Only text and bytes can be sent as they are."""
    with RawDataClient(server.address, "/") as client, pytest.raises(InvalidPayload, match="not dict"):
        client.invoke({"a": 1})  # type: ignore[arg-type]
