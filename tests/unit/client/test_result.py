"""Asking after a background call, cancelling it, making it again."""

import json
from base64 import b64decode
from typing import Any

import pytest

from tests.support.httpd import Reply, Request, ScriptedServer
from zato.client import AnyServiceInvoker, ServiceInvokeResponse

CID = "f53b59e2215cc7cb608d0382"
DONE: dict[str, Any] = {
    "id": "i1",
    "cid": CID,
    "service": "crm.sync",
    "status": "done",
    "response": None,
    "error": None,
}
ERROR = {"code": "bad_request", "type": "BadRequest", "message": "No such customer"}


def record(**changes: object) -> Reply:
    """Reply with a record that differs from a plain done one."""
    return Reply.flat(json.dumps({**DONE, **changes}))


def asked(request: Request) -> Any:
    """Return the service that was invoked, and its payload."""
    return request.json["name"], json.loads(b64decode(request.json["payload"]))


@pytest.mark.parametrize(
    ("returned", "data"),
    [
        pytest.param("text", "text", id="text"),
        pytest.param('{"a":1}', {"a": 1}, id="text-that-is-json"),
        pytest.param({"a": [1]}, {"a": [1]}, id="object"),
        pytest.param({"zato_ping_response": {"pong": "zato"}}, {"pong": "zato"}, id="wrapped"),
        pytest.param([], [], id="empty-list"),
        pytest.param(0, 0, id="zero"),
        pytest.param(False, False, id="false"),
    ],
)
def test_done(client: AnyServiceInvoker, server: ScriptedServer, returned: object, data: object) -> None:
    """The data of a call that is done is read as that of `invoke`."""
    server.script(record(response=returned))
    result = client.result(CID)

    assert (result.ok, result.status, result.has_data, result.data) == (True, "done", True, data)
    assert (result.details, result.cid) == ("", CID)
    assert result.output_repeated is isinstance(data, list)


@pytest.mark.parametrize("returned", [None, ""], ids=["null", "empty-text"])
def test_done_without_output(client: AnyServiceInvoker, server: ScriptedServer, returned: object) -> None:
    """Nothing is no data."""
    server.script(record(response=returned))
    result = client.result(CID)

    assert (result.ok, result.has_data, result.data, result.inner_service_response) == (True, False, None, "")


def test_failed(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """The details of a failed call are its error's message."""
    server.script(record(status="failed", error=ERROR))
    result = client.result(CID)

    assert (result.ok, result.has_data, result.status) == (False, False, "failed")
    assert result.details == "No such customer"
    assert result.record["error"]["code"] == "bad_request"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("waiting", "is waiting and has no outcome yet. Ask again, or pass a longer wait."),
        ("delayed", "is delayed and has no outcome yet. Ask again, or pass a longer wait."),
        ("running", "is running and has no outcome yet. Ask again, or pass a longer wait."),
        ("stranded", "is stranded and has no outcome yet. Ask again, or pass a longer wait."),
        ("expired", "is expired: its service did not run to an end."),
        ("cancelled", "is cancelled: its service did not run to an end."),
    ],
)
def test_not_done(client: AnyServiceInvoker, server: ScriptedServer, status: str, sentence: str) -> None:
    """The details of a call without an error name its status."""
    server.script(record(status=status))
    result = client.result(CID)

    assert (result.ok, result.has_data, result.data, result.status) == (False, False, None, status)
    assert result.details == f"The call '{CID}' {sentence}"


def test_unknown_cid(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """When the question itself fails there is no status, and the details are the server's."""
    server.script(Reply.error(f"There is no call {CID!r}.", 404))
    result = client.result(CID, wait=500)

    assert (result.ok, result.status, result.data, result.record) == (False, None, None, {})
    assert (result.details, result.cid) == (f"There is no call {CID!r}.", CID)
    assert len(server.requests) == 1


@pytest.mark.parametrize("text", ["", "text", "[]", "{}", '{"status":5}'])
def test_reply_that_is_no_record(client: AnyServiceInvoker, server: ScriptedServer, text: str) -> None:
    """What is no record is no success."""
    server.script(Reply.flat(text))
    result = client.result(CID)

    assert (result.ok, result.status, result.has_data) == (False, None, False)
    assert result.details == f"The server's reply about the call '{CID}' is no record of an invocation."


@pytest.mark.parametrize(
    ("wait", "slices"),
    [
        pytest.param(0, [0], id="at-once"),
        pytest.param(2.5, [2.5], id="short"),
        pytest.param(60, [60], id="one-slice"),
        pytest.param(150, [60, 60, 30], id="in-slices"),
    ],
)
def test_wait(client: AnyServiceInvoker, server: ScriptedServer, wait: float, slices: list[float]) -> None:
    """The server is asked for at most 60 seconds at a time, until the time is up."""
    server.script(record(status="running"))
    result = client.result(CID, wait)

    assert [asked(request) for request in server.requests] == [
        ("zato.invocation.get", {"cid": CID, "wait": each}) for each in slices
    ]
    assert result.status == "running"


@pytest.mark.parametrize("outcome", ["done", "failed", "expired", "cancelled"])
def test_wait_ends_with_the_outcome(client: AnyServiceInvoker, server: ScriptedServer, outcome: str) -> None:
    """As soon as there is an outcome nothing more is asked, however long the caller would wait."""
    server.script(record(status="waiting"), record(status="running"), record(status=outcome))
    result = client.result(CID, wait=float("inf"))

    assert (result.status, len(server.requests)) == (outcome, 3)


def test_result_is_a_response(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A result can be used wherever a response can."""
    server.script(record(response=[1, 2]))
    result = client.result(CID)

    assert isinstance(result, ServiceInvokeResponse)
    assert list(result) == [1, 2]
    assert repr(result).startswith("<InvocationResult at 0x")


def test_result_with_attributes(server: ScriptedServer) -> None:
    """With to_bunch, data and record have attributes."""
    server.script(record(response={"a": {"b": 1}}))
    with AnyServiceInvoker(server.address, "/", to_bunch=True) as client:
        result: Any = client.result(CID)

    assert result.data.a.b == 1
    assert result.record.service == "crm.sync"


def test_cancel(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """Cancelling returns the record."""
    server.script(record(status="cancelled"))
    response = client.cancel(CID)

    assert asked(server.requests[0]) == ("zato.invocation.cancel", {"cid": CID})
    assert (response.ok, response.data["status"]) == (True, "cancelled")


def test_cancel_too_late(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """A call that has an outcome cannot be cancelled; the server says so."""
    server.script(Reply.error("It is done.", 409))
    response = client.cancel(CID)

    assert (response.ok, response.details) == (False, "It is done.")


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        pytest.param({}, {"cid": CID}, id="the-same"),
        pytest.param({"payload": {"a": 1}}, {"cid": CID, "payload": {"a": 1}}, id="another"),
        pytest.param({"payload": None}, {"cid": CID, "payload": None}, id="none"),
    ],
)
def test_replay(client: AnyServiceInvoker, server: ScriptedServer, arguments: Any, sent: object) -> None:
    """Replaying returns the ids of the new call; a payload is sent only if one was given."""
    server.script(Reply.flat('{"cid":"c2","id":"i2"}'))
    response = client.replay(CID, **arguments)

    assert asked(server.requests[0]) == ("zato.invocation.replay", sent)
    assert response.data == {"cid": "c2", "id": "i2"}
