"""How much a server takes, of everything a client or a service can have too much of."""

import json
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.doors import (
    ADMIN_INVOKE,
    ask,
    b64,
    basic,
    call,
    connect,
    converse,
    envelope,
    head,
    read_answer,
    services,
)
from tests.support.environments import PASSWORD, ServerProcess, make_environment
from tests.support.journals import Journal
from tests.support.waiting import wait_until

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

MAX_BODY = 50_000
MAX_RESPONSE = 100_000
API = "/zato/api/invoke/"
DOORS = {ADMIN_INVOKE: basic(f"admin.invoke:{PASSWORD}"), f"{API}limits.much": basic(f"pubapi:{PASSWORD}")}
FRAMINGS: list[dict[str, Any]] = [{"Content_Length": 1000}, {"Transfer_Encoding": "chunked"}]
ONE_CHUNK = b"%x\r\n%s\r\n" % (MAX_BODY + 1, b"x" * (MAX_BODY + 1))
SIX_CHUNKS = b"%x\r\n%s\r\n" % (MAX_BODY // 5, b"x" * (MAX_BODY // 5)) * 6

TOO_MUCH = f"The service's response is over {MAX_RESPONSE} bytes (setting max_response)."
TOO_LATE = "The request's body did not arrive within 0.5 s (setting body_timeout)."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("limits")
    limits = {"max_body": MAX_BODY, "body_timeout": 0.5, "max_response": MAX_RESPONSE}
    with ServerProcess(make_environment(folder / "env", services("limits_api", "gates_api"), **limits)) as running:
        yield running


@pytest.fixture
def door(server: ServerProcess) -> Iterator[str]:
    """The address of a server that answers after the test as it did before."""
    yield server.address
    assert ask(server.address, "zato.helpers.echo", "alive") == "alive"


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process open as many sockets as the test needs."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def api(address: str, service: str, payload: object) -> requests.Response:
    """Invoke a service through the other door."""
    return requests.post(f"{address}{API}{service}", json=payload, auth=("pubapi", PASSWORD), timeout=30)


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([{"Content_Length": MAX_BODY + 1}], id="announced"),
        pytest.param([{"Transfer_Encoding": "chunked"}, ONE_CHUNK], id="one-chunk"),
        pytest.param([{"Transfer_Encoding": "chunked"}, SIX_CHUNKS], id="six-chunks"),
    ],
)
def test_body_that_is_too_large(door: str, path: str, pieces: list[Any]) -> None:
    """A body over the limit gets 413 at either door, as soon as that is known."""
    beginning = head(path, **{**DOORS[path], **pieces[0]})

    assert envelope(converse(door, beginning, *pieces[1:])) == (
        413,
        "ZATO_ERROR",
        f"The request's body is over {MAX_BODY} bytes (setting max_body).",
    )


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("framing", FRAMINGS, ids=["announced", "chunked"])
def test_body_that_trickles(door: str, path: str, framing: dict[str, Any]) -> None:
    """A body that comes byte by byte has no more time than one that does not come."""
    piece = b"x" if "Content_Length" in framing else b"1\r\nx\r\n"
    started = time.monotonic()
    with connect(door) as connection:
        connection.sendall(head(path, **{**DOORS[path], **framing}))
        connection.settimeout(0.05)
        wait_until(lambda: _has_answer_after(connection, piece))
        connection.settimeout(20)
        answer = read_answer(connection)

    assert envelope(answer) == (408, "ZATO_ERROR", TOO_LATE)
    assert time.monotonic() - started < 5


def test_length_that_is_too_small(door: str) -> None:
    """What comes after the announced length is no part of the body, and no request either."""
    body = b'{"name": "zato.ping"}'
    with connect(door) as connection:
        connection.sendall(head(Content_Length=len(body)) + body + b"and more\r\n\r\n")
        first = read_answer(connection)

    assert first.status_code == 200


def test_two_lengths(door: str) -> None:
    """A request that says two different things about its length reaches no service: proxies may read it otherwise."""
    two = head(Content_Length=21).replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n")

    assert converse(door, two + b'{"name": "zato.ping"}').status_code == 400


@pytest.mark.parametrize("service", ["limits.much", "limits.much-on-loop"])
@pytest.mark.parametrize("kind", ["text", "beyond-ascii", "bytes", "list", "wrapped"])
def test_response_that_is_too_large(door: str, service: str, kind: str) -> None:
    """A response over the limit is an error that names the setting, at either door; one that fits goes out."""
    for answer in (call, api):
        much, fits = ({"kind": kind, "size": size} for size in (MAX_RESPONSE + 200, MAX_RESPONSE - 200))
        status, result, details = envelope(answer(door, service, much))

        assert (status, result) == (500, "ZATO_ERROR")
        assert details.startswith(TOO_MUCH)
        assert answer(door, service, fits).status_code == 200


def test_response_of_the_largest_size(door: str) -> None:
    """The limit counts the bytes of the response itself, not those of its base64."""
    assert len(ask(door, "limits.much", {"kind": "text", "size": MAX_RESPONSE})) == MAX_RESPONSE
    assert envelope(call(door, "limits.much", {"kind": "text", "size": MAX_RESPONSE + 1}))[0] == 500


def test_responses_of_200_megabytes(door: str, server: ServerProcess) -> None:
    """Responses far over the limit cost no memory once they are refused, and the message has a code in the log."""
    for _ in range(4):
        status, _, details = envelope(call(door, "limits.much", {"kind": "text", "size": 200_000_000}))
        assert (status, details.startswith(TOO_MUCH)) == (500, True)

    assert sum(process.memory_info().rss for process in server.processes()) < 500_000_000


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        pytest.param({"X-A": "x" * 32_001}, "1 headers of 32004 bytes; at most 64 of 32000", id="one-huge"),
        pytest.param({f"X-{n}": "x" * 1_000 for n in range(40)}, "40 headers of", id="many-large"),
        pytest.param({f"X-{n}": "" for n in range(65)}, "65 headers of", id="too-many"),
        pytest.param({"": "x"}, "a header named '', which is no legal name", id="no-name"),
        pytest.param({"X-A\r\nX-B": "x"}, "which is no legal name", id="line-feed-in-the-name"),
        pytest.param({"X-A": "1\nX-B: 2"}, "use visible ASCII", id="line-feed"),
        pytest.param({"X-A": "1\x00"}, "use visible ASCII", id="null"),
        pytest.param({"Transfer-Encoding": "chunked"}, "which the server sets itself", id="framing"),
    ],
)
def test_headers_that_cannot_be_sent(door: str, headers: dict[str, str], words: str) -> None:
    """Headers that would vanish, split the reply or break clients are an error that names them."""
    status, _, details = envelope(api(door, "limits.sets", {"headers": headers}))

    assert status == 500
    assert words in details


def test_largest_headers_that_can_be_sent(door: str) -> None:
    """64 headers of 500 bytes reach a client of Python's own."""
    headers = {f"X-{number:02}": "x" * 496 for number in range(64)}
    reply = api(door, "limits.sets", {"headers": headers})

    assert (reply.status_code, {name: reply.headers.get(name) for name in headers}) == (200, headers)


@pytest.mark.parametrize("status", [204, 304])
def test_status_that_allows_no_body(door: str, status: int) -> None:
    """A body that the status forbids is left out, and the connection goes on being understood."""
    with requests.Session() as session:
        session.auth = ("pubapi", PASSWORD)
        address = f"{door}{API}limits.sets"
        first = session.post(address, json={"status_code": status, "payload": "text"}, timeout=30)
        second = session.post(address, json={"payload": "after"}, timeout=30)

    assert (first.status_code, first.content, second.text) == (status, b"", "after")


def test_nesting_at_the_other_door(door: str) -> None:
    """200 levels come in, 201 do not: there too."""
    deepest, deeper = (json.loads("[" * levels + "]" * levels) for levels in (200, 201))

    assert "'list' object" in envelope(api(door, "limits.sets", deepest))[2]
    assert envelope(api(door, "limits.sets", deeper))[:2] == (400, "ZATO_ERROR")


@pytest.mark.usefixtures("many_files")
def test_a_thousand_requests_in_progress(tmp_path: Path) -> None:
    """With a thousand requests in progress the next one gets 503 at once; who asks after the server gets an answer."""
    environment = make_environment(tmp_path / "env", services("gates_api"))
    journal = Journal(tmp_path)
    with ServerProcess(environment) as server, ExitStack() as opened:
        held = [opened.enter_context(connect(server.address)) for _ in range(1000)]
        for connection in held:
            _send(connection, "gates.wait-on-loop", journal.payload)
        journal.wait("begun", 1000)
        started = time.monotonic()
        refused = call(server.address, "zato.ping")
        watchers = [requests.get(f"{server.address}/zato/{what}", timeout=30) for what in ("ping", "live", "ready")]
        took = time.monotonic() - started
        journal.open()
        statuses = {read_answer(connection).status_code for connection in held}

    assert envelope(refused)[:2] == (503, "ZATO_ERROR")
    assert "1000 requests are in progress (setting max_requests)" in envelope(refused)[2]
    assert int(refused.headers["Retry-After"]) > 0
    assert ([reply.status_code for reply in watchers], statuses) == ([200] * 3, {200})
    assert took < 2


def _send(connection: socket.socket, service: str, payload: object) -> None:
    """Ask for a service, and do not wait for the answer."""
    body = f'{{"name": "{service}", "payload": "{b64(payload)}"}}'.encode()
    connection.sendall(head(Content_Length=len(body)) + body)


def _has_answer_after(connection: socket.socket, piece: bytes) -> bool:
    """Send a piece, and tell whether something comes back within a moment."""
    connection.sendall(piece)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False
