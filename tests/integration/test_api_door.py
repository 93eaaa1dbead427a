"""`/zato/api/invoke/{service}`: plain JSON in and out, with the status and headers a service sets."""

from collections.abc import Iterator

import pytest
import requests

from tests.support.environments import PASSWORD, ServerProcess, make_environment
from zato.client import APIClient

SERVICES = """
from zato.server.service import Conflict, Service

class Show(Service):
    name = "show"
    def handle(self):
        http = self.request.http
        return {"payload": self.request.payload, "method": http.method, "path": http.path, "params": dict(http.params),
                "post": http.POST, "get": dict(http.GET), "agent": http.headers["user-agent"],
                "channel": self.channel, "door": self.channel.name}

class Made(Service):
    name = "made"
    def handle(self):
        self.response.status_code = 201
        self.response.headers["Location"] = "/things/1"
        self.response.content_type = "text/csv"
        self.response.payload = "a;b"

class Text(Service):
    name = "text"
    def handle(self):
        return "gr\\u00fc\\u00df"

class Nothing(Service):
    name = "nothing"
    def handle(self):
        pass

class Refuses(Service):
    name = "refuses"
    def handle(self):
        raise Conflict("it is there already")

class Sets(Service):
    name = "sets"
    def handle(self):
        for attribute, value in self.request.payload.items():
            setattr(self.response, attribute, value)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests here."""
    with ServerProcess(make_environment(tmp_path_factory.mktemp("api") / "env", {"s.py": SERVICES})) as server:
        yield server


@pytest.fixture
def client(server: ServerProcess) -> Iterator[APIClient]:
    """A client with the right credentials."""
    with APIClient(server.address, "pubapi", PASSWORD) as client:
        yield client


@pytest.mark.parametrize("verb", ["POST", "PUT", "PATCH", "DELETE"])
def test_body_is_the_payload(client: APIClient, verb: str) -> None:
    """With every verb but GET the JSON of the body reaches the service, which sees the verb."""
    data = client.by_verb(verb, "show", {"a": [1, None]}).data

    assert (data["payload"], data["post"], data["method"]) == ({"a": [1, None]}, {"a": [1, None]}, verb)


def test_query_string_is_the_payload_of_a_get(client: APIClient) -> None:
    """A GET's query string reaches the service as a dict; a repeated name as a list."""
    data = client.get("show", {"a": "1", "b": ["2", "3"], "c": ""}).data

    assert data["payload"] == {"a": "1", "b": ["2", "3"], "c": ""}
    assert (data["params"], data["get"]) == ({"a": "1", "b": "3", "c": ""},) * 2


def test_request_is_seen(client: APIClient) -> None:
    """The service sees path, headers and door of the request."""
    data = client.get("show").data

    assert (data["path"], data["door"], data["channel"]) == ("/zato/api/invoke/show",) * 2 + ("rest",)
    assert data["agent"].startswith("python-requests")


def test_string_that_holds_json_stays_a_string(client: APIClient) -> None:
    """Text is parsed once here, and not once more as at the old door."""
    assert client.post("show", '{"a": 1}').data["payload"] == '{"a": 1}'


def test_response_is_the_reply(client: APIClient) -> None:
    """Status, headers, content type and body are the service's, and the CID is beside them."""
    inner = client.post("made").inner

    assert (inner.status_code, inner.headers["Location"], inner.headers["Content-Type"], inner.text) == (
        201,
        "/things/1",
        "text/csv",
        "a;b",
    )
    assert len(inner.headers["X-Zato-CID"]) == 24


@pytest.mark.parametrize(
    ("service", "content_type", "body"),
    [
        pytest.param("text", "text/plain; charset=utf-8", "grüß", id="text"),
        pytest.param("nothing", "application/json", "", id="nothing"),
        pytest.param("zato.ping", "application/json", '{"zato_ping_response": {"pong": "zato"}}', id="ping"),
    ],
)
def test_default_content_type(client: APIClient, service: str, content_type: str, body: str) -> None:
    """Without a content type of its own a response is text or JSON, as what it holds."""
    inner = client.get(service).inner

    assert (inner.headers["Content-Type"], inner.content.decode()) == (content_type, body)


@pytest.mark.parametrize(
    ("service", "status", "details"),
    [
        pytest.param("zato.server.info", 403, "not open to this address", id="built-in"),
        pytest.param("shaw", 404, "Did you mean 'show'?", id="unknown"),
        pytest.param("refuses", 409, "it is there already", id="refused-by-the-service"),
        pytest.param("show/more", 404, "No service named 'show/more'", id="longer-path"),
    ],
)
def test_refusal(server: ServerProcess, service: str, status: int, details: str) -> None:
    """An error is an envelope with its status, a CID and what is wrong."""
    reply = requests.post(f"{server.address}/zato/api/invoke/{service}", auth=("pubapi", PASSWORD), timeout=10)

    assert reply.status_code == status
    assert reply.json()["zato_env"]["result"] == "ZATO_ERROR"
    assert reply.json()["zato_env"]["cid"] == reply.headers["X-Zato-CID"]
    assert details in reply.json()["zato_env"]["details"]


def test_admin_is_no_user_of_the_api(server: ServerProcess) -> None:
    """The credentials of one door do not open the other, and the reply names the realm."""
    reply = requests.get(f"{server.address}/zato/api/invoke/show", auth=("admin.invoke", PASSWORD), timeout=10)

    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="Zato API", charset="UTF-8"'


@pytest.mark.parametrize(
    ("response", "details"),
    [
        pytest.param({"headers": {"X-A": "1\r\nX-B: 2"}}, "use visible ASCII", id="line-feed"),
        pytest.param({"headers": {"X-A": "grün"}}, "use visible ASCII", id="not-ascii"),
        pytest.param({"headers": {"X A": "1"}}, "'X A', which is no legal name", id="name"),
        pytest.param({"headers": {"Content-Length": "1"}}, "which the server sets itself", id="ours"),
        pytest.param({"headers": {"X-A": [1]}}, "to [1]", id="not-text"),
        pytest.param({"content_type": "text/\n"}, "use visible ASCII", id="content-type"),
        pytest.param({"status_code": 99}, "status_code to 99", id="status-too-low"),
        pytest.param({"status_code": "200"}, "status_code to '200'", id="status-text"),
        pytest.param({"status_code": True}, "status_code to True", id="status-bool"),
    ],
)
def test_response_that_http_cannot_carry(client: APIClient, response: dict[str, object], details: str) -> None:
    """A status or header that would vanish or split the reply is an error that names it."""
    found = client.post("sets", response)

    assert found.inner.status_code == 500
    assert details in str(found.details)


def test_numbers_are_legal_header_values(client: APIClient) -> None:
    """A number is written as text."""
    assert client.post("sets", {"headers": {"X-Count": 3}}).inner.headers["X-Count"] == "3"


@pytest.mark.parametrize(
    ("response", "content_type"),
    [
        pytest.param({"headers": {"Content-Type": "text/csv"}}, "text/csv", id="header"),
        pytest.param({"headers": {"content-type": "text/csv"}, "content_type": "text/tsv"}, "text/tsv", id="both"),
    ],
)
def test_content_type_is_sent_once(client: APIClient, response: dict[str, object], content_type: str) -> None:
    """A content type among the headers replaces the default; the attribute wins over it."""
    assert client.post("sets", response).inner.headers["Content-Type"] == content_type
