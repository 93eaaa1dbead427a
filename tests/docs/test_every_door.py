"""The examples with declared input and output, and with hooks: each answers the same at every door."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.commands import Zato, zato_in
from tests.support.environments import PASSWORD, ServerProcess, make_environment
from tests.support.waiting import wait_until
from zato.core.payload import unwrapped

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
FILES = ("bookings.py", "catalogue.py", "catalogue_simple_io.py", "catalogue_typed.py", "rooms.py", "old/customers.py")
RELAY = """
from pathlib import Path

from zato.server.service import AsyncService, Service


class Relay(Service):
    name = "relay"

    def handle(self):
        return self.invoke(self.request.payload["service"], self.request.payload["payload"])


class RelayOnLoop(AsyncService):
    name = "relay-on-loop"

    async def handle(self):
        return await self.invoke(self.request.payload["service"], self.request.payload["payload"])


class Note(Service):
    name = "relay.note"

    def handle(self):
        note = Path(__file__).with_name(f"{self.in_reply_to}.new")
        note.write_text(self.request.payload)
        note.rename(note.with_suffix(".note"))
"""
CHAIRS = [{"product": "chair", "quantity": "2"}]

# What a service is sent, and its whole response.
ANSWERS = [
    pytest.param(
        "catalogue.order", {"customer_id": "7", "lines": CHAIRS}, {"customer_id": 7, "total": 240}, id="names-and-types"
    ),
    pytest.param(
        "catalogue.accept",
        {"customer_id": "C-17", "lines": [{"product": "chair", "quantity": 3}], "deliver_on": "2026-01-31"},
        {"customer_id": "C-17", "pieces": 3, "deliver_on": "2026-01-31"},
        id="model",
    ),
    pytest.param(
        "catalogue.stock",
        {"product": "chair", "at_least": "10"},
        {"response": [{"product": "chair", "pieces": 12, "warehouse": "south"}]},
        id="simple-io-repeated",
    ),
    pytest.param(
        "customers.get",
        {"customer_id": "1"},
        {"response": {"name": "Ada", "is_active": True, "email": "ada@example.com"}},
        id="simple-io",
    ),
    pytest.param(
        "rooms.book",
        {"room": "red", "seats_count": 3},
        {"room": "red", "seats_count": 3, "state": "booked"},
        id="hooks",
    ),
]
# What a service is sent, status, and what the caller is told.
REFUSALS = [
    pytest.param("catalogue.order", {"lines": []}, 400, "Element missing: customer_id", id="names-and-types"),
    pytest.param(
        "catalogue.accept",
        {"customer_id": "C-17", "lines": [{"quantity": 1}]},
        400,
        "Element missing: lines[0].product",
        id="model",
    ),
    pytest.param("catalogue.stock", {}, 400, "Element missing: product", id="simple-io"),
    pytest.param("customers.get", {"customer_id": 17}, 404, "There is no such customer", id="raised-by-handle"),
    pytest.param(
        "rooms.book", {"room": "red", "seats_count": 13}, 400, "red has 12 seats, not 13.", id="raised-by-hook"
    ),
]
Ask = Callable[[ServerProcess, str, Any], Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server with all the examples: none of the calls changes it for the others."""
    files = {Path(file).name: (EXAMPLES / file).read_text("utf-8") for file in FILES}
    environment = make_environment(tmp_path_factory.mktemp("doors") / "env", {**files, "relay.py": RELAY})
    with ServerProcess(environment) as running:
        yield running


@pytest.fixture
def zato(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Zato:
    """Run a command to its end."""
    return zato_in(monkeypatch, capsys)


def by_client(server: ServerProcess, name: str, payload: Any) -> Any:
    """Ask as a client that wants the whole response."""
    with server.client() as client:
        return client.invoke(name, payload, skip_response_elem=False).data


def by_client_later(server: ServerProcess, name: str, payload: Any) -> Any:
    """Ask in the background, and look the outcome up."""
    with server.client() as client:
        return client.result(client.invoke_async(name, payload).data, wait=20).data


def by_service(server: ServerProcess, name: str, payload: Any) -> Any:
    """Have a blocking service ask."""
    return by_client(server, "relay", {"service": name, "payload": payload})


def by_service_on_loop(server: ServerProcess, name: str, payload: Any) -> Any:
    """Have a service on the event loop ask."""
    return by_client(server, "relay-on-loop", {"service": name, "payload": payload})


def by_callback(server: ServerProcess, name: str, payload: Any) -> Any:
    """Ask in the background, and see what the callback gets."""
    with server.client() as client:
        cid = client.invoke_async(name, payload, callback="relay.note").data
    note = server.environment.services / f"{cid}.note"
    wait_until(note.exists)
    return json.loads(note.read_text())


def by_rest(server: ServerProcess, name: str, payload: Any) -> Any:
    """Ask at the service's own address."""
    return rest(server, "POST", name, json=payload).json()


def rest(server: ServerProcess, method: str, name: str, **how: Any) -> requests.Response:
    """Ask at a service's own address."""
    address = f"{server.address}/zato/api/invoke/{name}"
    return requests.request(method, address, auth=("pubapi", PASSWORD), timeout=20, **how)


@pytest.mark.parametrize(
    "ask",
    [by_client, by_client_later, by_service, by_service_on_loop, by_callback, by_rest],
    ids=lambda ask: ask.__name__,
)
@pytest.mark.parametrize(("name", "payload", "response"), ANSWERS)
def test_answer(server: ServerProcess, ask: Ask, name: str, payload: Any, response: Any) -> None:
    """Whoever asks gets the same, the wrapper of SimpleIO included."""
    assert ask(server, name, payload) == response


@pytest.mark.parametrize(("name", "payload", "response"), ANSWERS)
def test_answer_to_clients_as_they_are(
    zato: Zato, server: ServerProcess, name: str, payload: Any, response: Any
) -> None:
    """Clients and the command line take the wrapper off, unless they are told not to."""
    with server.client() as client:
        answered = client.invoke(name, payload).data
    done = zato("service", "invoke", server.environment.path, name, "--payload", json.dumps(payload))
    assert (answered, json.loads(done.out)) == (unwrapped(response), unwrapped(response))


@pytest.mark.parametrize(("name", "payload", "status", "message"), REFUSALS)
def test_refusal(server: ServerProcess, name: str, payload: Any, status: int, message: str) -> None:
    """Status and message are the same at each door where somebody waits, and in the record of a background call."""
    with server.client() as client:
        now = client.invoke(name, payload)
        relayed = client.invoke("relay", {"service": name, "payload": payload})
        later = client.result(client.invoke_async(name, payload).data, wait=20)
    direct = rest(server, "POST", name, json=payload)
    statuses = [now.inner.status_code, relayed.inner.status_code, direct.status_code]
    texts = [now.details, relayed.details, direct.json()["zato_env"]["details"], later.details]
    assert (statuses, texts, later.status) == ([status] * 3, [message] * 4, "failed")


def test_call_that_is_not_accepted(server: ServerProcess) -> None:
    """It succeeds, and there is no output."""
    with server.client() as client:
        response = client.invoke("rooms.book", {"room": "roof", "seats_count": 1})
    assert (response.ok, response.has_data) == (True, False)


def test_hooks_log_what_the_page_says(server: ServerProcess) -> None:
    """The input before the work, the output after it, and how long it took."""
    with server.client() as client:
        cid = client.invoke("rooms.book", {"room": "red", "seats_count": 4}).cid
    lines = [line["event"] for line in server.log() if line.get("cid") == cid]
    assert [line.split(" took ")[0] for line in lines] == [
        'Incoming data: {"room":"red","seats_count":4,"note":""}',
        'Outgoing data: {"room":"red","seats_count":4,"state":"booked"}',
        "red",
    ]


def test_methods_of_an_address(server: ServerProcess) -> None:
    """Each HTTP method has its own; what has none is refused with those that there are."""
    put = rest(server, "PUT", "rooms", json={"name": "blue", "seats": 4})
    listed = rest(server, "GET", "rooms").json()
    gone = [rest(server, "DELETE", "rooms", params={"name": "blue"}).status_code for _ in range(2)]
    refused = rest(server, "POST", "rooms", json={})
    assert (put.status_code, listed["blue"], gone) == (201, {"seats": 4}, [200, 404])
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, PUT, DELETE")


def test_address_without_a_handle_has_no_other_door(server: ServerProcess) -> None:
    """A client's call has no HTTP method, and is told where there is one."""
    with server.client() as client:
        response = client.invoke("rooms")
    assert (response.inner.status_code, "/zato/api/invoke/rooms" in response.details) == (405, True)


def test_declarations_are_for_programs(server: ServerProcess) -> None:
    """`zato.service.get` has what a service takes and gives, and which methods."""
    with server.client() as client:
        declared = client.invoke("zato.service.get", {"name": "customers.get"}).data
        rooms = client.invoke("zato.service.get", {"name": "rooms"}).data
    assert declared["input"]["elements"] == [{"name": "customer_id", "type": "int", "required": True}]
    assert declared["output"]["wrapper"] == "response"
    assert (rooms["input"], rooms["methods"]) == (None, ["GET", "HEAD", "PUT", "DELETE"])
