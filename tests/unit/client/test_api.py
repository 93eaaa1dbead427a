"""The client of `/zato/api/invoke`."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests.support.httpd import Reply, ScriptedServer
from zato.client import APIClient
from zato.core.errors import InvalidPayload


@pytest.fixture
def api(server: ScriptedServer) -> Iterator[APIClient]:
    """A client of the scripted server."""
    server.script(Reply.of({"a": 1}, X_Zato_CID="c1", X_Extra="yes"))
    with APIClient(server.address, "pubapi", "s3cret") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "verb"),
    [("invoke", "POST"), ("post", "POST"), ("patch", "PATCH"), ("put", "PUT"), ("delete", "DELETE")],
)
def test_verbs_with_a_body(api: APIClient, server: ScriptedServer, method: str, verb: str) -> None:
    """The payload's JSON is the body, and the service's name is part of the address."""
    getattr(api, method)("crm.sync", {"b": 2}, {"X-Trace": "1"})

    request = server.requests[0]
    assert (request.method, request.path, request.json) == (verb, "/zato/api/invoke/crm.sync", {"b": 2})
    assert (request.headers["Content-Type"], request.headers["X-Trace"]) == ("application/json", "1")
    assert request.headers["Authorization"] == "Basic cHViYXBpOnMzY3JldA=="


def test_get(api: APIClient, server: ScriptedServer) -> None:
    """A GET carries its payload as a query string, with the words of JSON."""
    api.get("crm.find", {"name": "Żółw & co", "active": True, "ids": [1, 2], "since": date(2024, 2, 29), "none": None})

    assert server.requests[0].body == b""
    assert server.requests[0].path == (
        "/zato/api/invoke/crm.find?name=%C5%BB%C3%B3%C5%82w+%26+co&active=true&ids=1&ids=2&since=2024-02-29"
    )


def test_get_with_a_payload_that_is_no_dict(api: APIClient) -> None:
    """A list has no form as a query string."""
    with pytest.raises(InvalidPayload, match="GET sends its payload as a query string; a dict is needed"):
        api.get("crm.find", [1])


@pytest.mark.parametrize("payload", ["", None], ids=["empty", "none"])
@pytest.mark.parametrize("verb", ["GET", "POST", "DELETE"])
def test_no_payload(api: APIClient, server: ScriptedServer, verb: str, payload: object) -> None:
    """Without a payload there is neither a body nor a query string."""
    api.by_verb(verb, "crm.sync", payload)

    request = server.requests[0]
    assert (request.method, request.path, request.body) == (verb, "/zato/api/invoke/crm.sync", b"")


def test_by_verb(api: APIClient, server: ScriptedServer) -> None:
    """Any verb will do, in any case."""
    api.by_verb("options", "crm.sync")

    assert server.requests[0].method == "OPTIONS"


def test_path_of_the_caller(server: ScriptedServer) -> None:
    """The path may be another one, and a name cannot leave its place in it."""
    with APIClient(server.address, "u", "p", "/my/{}/api") as client:
        client.get("../crm?x")

    assert server.requests[0].path == "/my/..%2Fcrm%3Fx/api"


def test_reply(api: APIClient) -> None:
    """Success is the service's response and nothing else."""
    response = api.get("crm.find")

    assert (response.is_ok, response.ok, response.has_data, response.data) == (True, True, True, {"a": 1})
    assert (response.cid, response.headers["x-extra"], response.inner.status_code) == ("c1", "yes", 200)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(Reply(b"<xml/>"), (True, "<xml/>", ""), id="text"),
        pytest.param(Reply(b""), (True, None, ""), id="nothing"),
        pytest.param(Reply.error("Nope", 403), (False, None, "Nope"), id="error"),
        pytest.param(Reply(b"<h1>", 502), (False, None, "HTTP 502 Bad Gateway: <h1>"), id="html-error"),
    ],
)
def test_other_replies(api: APIClient, server: ScriptedServer, reply: Reply, expected: Any) -> None:
    """Text is data too; a failure has details instead of data."""
    server.script(reply)
    response = api.invoke("crm.sync")

    assert (response.is_ok, response.data) == expected[:2]
    assert expected[2] in response.details


def test_retry_after_is_the_callers_business(api: APIClient, server: ScriptedServer) -> None:
    """A server that asks to come back later gets no second request from the client itself."""
    server.script(Reply.of({"details": "busy"}, 503, Retry_After="0"))
    response = api.get("crm.find")

    assert (response.ok, response.details, len(server.requests)) == (False, "busy", 1)
