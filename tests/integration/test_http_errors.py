"""Every way a request can go wrong gets one envelope, with the right status and words that help."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

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
    post,
    read_answer,
    services,
)
from tests.support.environments import PASSWORD, ServerProcess, make_environment
from tests.support.journals import Journal
from tests.support.waiting import wait_until

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

MAX_BODY = 50_000
PLACES = 10
PING = {"name": "zato.ping"}

REFUSED = [
    pytest.param(b"", "cannot be read", id="nothing"),
    pytest.param(b"not json", "This is not JSON", id="no-json"),
    pytest.param(b'{"name": "zato.ping"', "This is not JSON", id="half-json"),
    pytest.param(b'{"name": "zato.\xff"}', "not UTF-8", id="no-utf-8"),
    pytest.param(b"[1]", "a JSON list; send an object with 'name'", id="a-list"),
    pytest.param(b'"zato.ping"', "a JSON str; send an object", id="a-string"),
    pytest.param(b"null", "send an object with 'name'", id="null"),
    pytest.param(b"{}", "'name' says which service to invoke", id="no-name"),
    pytest.param(b'{"name": ""}', "'name' says which service to invoke", id="empty-name"),
    pytest.param(b'{"name": ["zato.ping"]}', "'name' says which service", id="name-is-a-list"),
    pytest.param(b'{"name": "zato.ping", "id": "1"}', "Both 'name' and 'id'", id="name-and-id"),
    pytest.param(b'{"name": "zato.ping", "payload": "%%%"}', "'payload' is not base64", id="no-base64"),
    pytest.param(b'{"name": "zato.ping", "payload": "IiI"}', "'payload' is not base64", id="base64-cut-off"),
    pytest.param(b'{"name": "zato.ping", "payload": {"a": 1}}', "'payload' is base64 text", id="payload-is-a-dict"),
    pytest.param(b'{"name": "zato.ping", "payload": "/w=="}', "The payload is not UTF-8", id="payload-is-binary"),
    pytest.param(b'{"name": "zato.ping", "timeout": -1}', "'timeout' is a number of seconds", id="negative-timeout"),
    pytest.param(b'{"name": "zato.ping", "channel": 5}', "'channel' is text", id="channel-is-a-number"),
    pytest.param(b"[" * 201 + b"]" * 201, "nested deeper than 200", id="body-too-deep"),
    pytest.param(b"[" * 2_000, "nested deeper than 200", id="brackets-without-end"),
]

CREDENTIALS = [
    pytest.param({}, "Send HTTP Basic credentials of the user 'admin.invoke'", id="none"),
    pytest.param({"Authorization": ""}, "Send HTTP Basic credentials", id="empty"),
    pytest.param({"Authorization": "Bearer abc"}, "Send HTTP Basic credentials, not 'Bearer'", id="other-scheme"),
    pytest.param({"Authorization": "Basic"}, "wrong", id="scheme-alone"),
    pytest.param({"Authorization": "Basic %%%"}, "not base64", id="no-base64"),
    pytest.param(basic("admin.invoke:wrong"), "User or password is wrong", id="wrong-password"),
    pytest.param(basic(f"someone:{PASSWORD}"), "takes the user 'admin.invoke'", id="wrong-user"),
    pytest.param(basic(f"admin.invoke:{PASSWORD} "), "wrong", id="a-space-too-much"),
    pytest.param(basic("admin.invoke"), "wrong", id="no-colon"),
    pytest.param(basic(b"\xff\xfe:\xff"), "wrong", id="binary"),
    pytest.param(basic(f"pubapi:{PASSWORD}"), "wrong", id="the-other-user"),
]

KINDS = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "Conflict": 409,
    "TooManyRequests": 429,
    "ServiceUnavailable": 503,
    "InvocationTimeout": 504,
}

ENDINGS = [
    pytest.param("value-error", "ValueError: no such customer: 12", id="an-exception"),
    pytest.param("no-text", "LookupError", id="an-exception-without-text"),
    pytest.param("group", "ExceptionGroup: two at once (2 sub-exceptions)", id="a-group"),
    pytest.param("unprintable", "Unprintable", id="an-exception-that-cannot-be-printed"),
    pytest.param("half-a-pair", r"ValueError: bad \ud800 text", id="an-exception-with-half-a-surrogate-pair"),
    pytest.param("exit", "SystemExit: 3. The server goes on", id="sys-exit"),
    pytest.param("interrupt", "KeyboardInterrupt", id="keyboard-interrupt"),
    pytest.param("stop-async", "StopAsyncIteration: 8", id="stop-async-iteration"),
    pytest.param("generator-exit", "GeneratorExit", id="generator-exit"),
    pytest.param("cancelled", "CancelledError", id="cancelled-error"),
    pytest.param("beyond", "Beyond: the pale", id="a-base-exception"),
    pytest.param("recursion", "RecursionError: maximum recursion depth", id="recursion"),
    pytest.param("object", "object has no JSON form at $.", id="no-json-form"),
    pytest.param("nan", "nan is no JSON number at $.rows[0].rate.", id="not-a-number"),
    pytest.param("too-deep", "nested deeper than 200 levels", id="too-deep"),
    pytest.param("surrogate", "half of a surrogate pair", id="half-a-surrogate-pair"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("errors")
    settings = {"max_body": MAX_BODY, "body_timeout": 1.0}
    with ServerProcess(make_environment(folder / "env", services("failing_api", "gates_api"), **settings)) as running:
        yield running


def send(connection: socket.socket, service: str, payload: object) -> None:
    """Ask for a service, and do not wait for the answer."""
    body = f'{{"name": "{service}", "payload": "{b64(payload)}"}}'.encode()
    connection.sendall(head(Content_Length=len(body)) + body)


@pytest.fixture
def door(server: ServerProcess) -> Iterator[str]:
    """The address of a server that is as well after the test as it was before."""
    yield server.address
    assert requests.get(f"{server.address}/zato/ready", timeout=30).json() == {"ready": True}
    assert ask(server.address, "zato.helpers.echo", "alive") == "alive"


@pytest.mark.parametrize(("body", "words"), REFUSED)
def test_body_that_makes_no_sense(door: str, body: bytes, words: str) -> None:
    """What cannot be understood is refused with 400, and the details say what is wrong."""
    status, result, details = envelope(post(door, body))

    assert (status, result) == (400, "ZATO_ERROR")
    assert words in details


@pytest.mark.parametrize(("headers", "words"), CREDENTIALS)
def test_credentials_that_are_not_right(door: str, headers: dict[str, str], words: str) -> None:
    """Whoever is not who they should be gets 401 and is told what the door takes, never what the secret is."""
    response = post(door, PING, auth=None, headers=headers)
    status, result, details = envelope(response)

    assert (status, result) == (401, "ZATO_ERROR")
    assert response.headers["WWW-Authenticate"] == 'Basic realm="Zato admin invoke", charset="UTF-8"'
    assert words in details
    assert PASSWORD not in response.text


@pytest.mark.parametrize("spelling", ["basic {}", "BASIC {}", "Basic  {} "])
def test_credentials_in_another_spelling(door: str, spelling: str) -> None:
    """The scheme is read without regard to case and spaces, as RFC 7617 has it."""
    right = b64(f"admin.invoke:{PASSWORD}")

    assert post(door, PING, auth=None, headers={"Authorization": spelling.format(right)}).status_code == 200


def test_service_that_is_not_deployed(door: str) -> None:
    """A misspelt name gets 404 and the nearest name that is deployed."""
    status, result, details = envelope(call(door, "zato.pingg"))

    assert (status, result) == (404, "ZATO_ERROR")
    assert details == "No service named 'zato.pingg' is deployed. Did you mean 'zato.ping'?"


def test_background_call_of_a_service_that_is_not_deployed(door: str) -> None:
    """A call that could never run is refused at once, not accepted and forgotten."""
    status, _, details = envelope(call(door, "failing.on-thred", is_async=True))

    assert status == 404
    assert "Did you mean 'failing.on-thread'?" in details


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param("/zato/admin/invok", f"Did you mean '{ADMIN_INVOKE}'?", id="misspelt"),
        pytest.param("/", f"Services are invoked at {ADMIN_INVOKE}", id="root"),
        pytest.param("/%00%ff/../x?y=" + "z" * 500, "There is nothing at", id="strange"),
    ],
)
def test_path_that_leads_nowhere(door: str, path: str, words: str) -> None:
    """An unknown address gets 404 and is told the right one, with or without credentials."""
    status, result, details = envelope(requests.get(door + path, timeout=30))

    assert (status, result) == (404, "ZATO_ERROR")
    assert words in details


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        pytest.param("GET", ADMIN_INVOKE, "POST", id="get-instead-of-post"),
        pytest.param("DELETE", "/zato/ping", "GET, POST", id="delete-ping"),
        pytest.param("POST", "/zato/live", "GET", id="post-to-liveness"),
        pytest.param("BREW", ADMIN_INVOKE, "POST", id="no-such-method"),
    ],
)
def test_method_that_is_not_allowed(door: str, method: str, path: str, allowed: str) -> None:
    """The wrong method gets 405 and the header that names the right ones."""
    response = requests.request(method, door + path, timeout=30)
    status, result, details = envelope(response)

    assert (status, result, response.headers["Allow"]) == (405, "ZATO_ERROR", allowed)
    assert f"not {method}" in details


def test_announced_body_that_is_too_large(door: str) -> None:
    """A length over the limit is refused before a byte of the body is sent."""
    status, result, details = envelope(converse(door, head(Content_Length=MAX_BODY + 1)))

    assert (status, result) == (413, "ZATO_ERROR")
    assert details == f"The request's body is over {MAX_BODY} bytes (setting max_body)."


def test_chunked_body_that_is_too_large(door: str) -> None:
    """A body that does not say its length is refused as soon as it is over the limit."""
    chunk = b"%x\r\n%s\r\n" % (MAX_BODY // 2 + 1, b"x" * (MAX_BODY // 2 + 1))
    status, result, _ = envelope(converse(door, head(Transfer_Encoding="chunked"), chunk, chunk))

    assert (status, result) == (413, "ZATO_ERROR")


def test_body_of_the_largest_size(door: str) -> None:
    """A body of exactly the limit is taken."""
    body = b'{"name": "zato.ping"}'.ljust(MAX_BODY)

    assert post(door, body).status_code == 200
    assert envelope(post(door, body + b" "))[0] == 413


def test_chunked_body(door: str) -> None:
    """A body in chunks is read like any other."""
    pieces = b'{"name": "zato', b'.ping"}'
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]

    assert converse(door, head(Transfer_Encoding="chunked"), *chunks, b"0\r\n\r\n").status_code == 200


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([head(Content_Length=100), b'{"name'], id="half-a-body"),
        pytest.param([head(Content_Length=100)], id="no-body"),
        pytest.param([head(Transfer_Encoding="chunked"), b"5\r\n{"], id="half-a-chunk"),
    ],
)
def test_body_that_does_not_arrive(door: str, pieces: list[bytes]) -> None:
    """A body that is not complete in time gets 408, so that nobody holds a place for ever."""
    status, result, details = envelope(converse(door, *pieces))

    assert (status, result) == (408, "ZATO_ERROR")
    assert details == "The request's body did not arrive within 1 s (setting body_timeout)."


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([head(Content_Length=100), b'{"name'], id="in-the-body"),
        pytest.param([head(Transfer_Encoding="chunked"), b"zz\r\n"], id="after-a-malformed-chunk"),
        pytest.param([b"POST /zato/admin/in"], id="in-the-head"),
        pytest.param([head(Content_Length=21), b'{"name": "zato.ping"}'], id="before-the-answer"),
    ],
)
def test_client_that_leaves(door: str, server: ServerProcess, pieces: list[bytes]) -> None:
    """A connection that ends early costs nobody anything and leaves no error in the log."""
    with connect(door) as connection:
        for piece in pieces:
            connection.sendall(piece)

    assert ask(door, "zato.ping")
    assert not [line for line in server.log() if "outside of its handler" in line["event"]]


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", {400}, id="tls"),
        pytest.param(b"GET\r\n\r\n", {400}, id="half-a-request-line"),
        pytest.param(head(X="y" * 700_000), {400, 431}, id="huge-header"),
        pytest.param(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {400, 404, 414, 431}, id="huge-path"),
        pytest.param(head(Content_Length="9" * 40), {400, 413}, id="absurd-length"),
        pytest.param(head(Content_Length="-1"), {400}, id="negative-length"),
    ],
)
def test_what_is_hardly_http(door: str, sent: bytes, statuses: set[int]) -> None:
    """Nonsense on the wire gets a status that says so."""
    assert converse(door, sent).status_code in statuses


@pytest.mark.parametrize("with_cid", [True, False], ids=["cid-and-message", "message"])
@pytest.mark.parametrize("kind", KINDS)
def test_exception_a_service_means_to_raise(door: str, kind: str, with_cid: bool) -> None:
    """An error of ours arrives with its own status and, as details, its message alone."""
    response = call(door, "failing.refusing", {"kind": kind, "with_cid": with_cid})

    assert envelope(response) == (KINDS[kind], "ZATO_ERROR", "Not today.")
    assert ("Retry-After" in response.headers) == (KINDS[kind] == 503)


@pytest.mark.parametrize("service", ["failing.on-thread", "failing.on-loop"])
@pytest.mark.parametrize(("way", "words"), ENDINGS)
def test_service_that_ends_badly(door: str, service: str, way: str, words: str) -> None:
    """Whatever a service raises or returns, its caller gets 500 with the name and text of the error."""
    status, result, details = envelope(call(door, service, way))

    assert (status, result) == (500, "ZATO_ERROR")
    assert words in details
    assert "Traceback" not in details


@pytest.mark.parametrize("service", ["failing.on-thread", "failing.on-loop"])
def test_service_that_raises_stop_iteration(door: str, service: str) -> None:
    """The one exception that futures cannot carry gets 500 like any other."""
    status, _, details = envelope(call(door, service, "stop-iteration"))

    assert status == 500
    assert "StopIteration" in details


@pytest.mark.parametrize("service", ["failing.on-thread", "failing.on-loop"])
@pytest.mark.parametrize("way", [case.values[0] for case in ENDINGS])
def test_background_call_that_ends_badly(server: ServerProcess, door: str, service: str, way: object) -> None:
    """Whatever a service does, its background call has an outcome, and it is `failed`."""
    with server.client() as client:
        result = client.result(client.invoke_async(service, str(way)).data, wait=30)

    assert result.status == "failed"
    assert result.record["error"]["type"]


def test_response_of_the_greatest_depth(door: str) -> None:
    """200 levels go out, as 200 levels come in."""
    deepest = "[" * 200 + "]" * 200

    assert ask(door, "failing.on-thread", "deep") == deepest
    assert ask(door, "zato.helpers.echo", deepest) == deepest


def test_those_who_wait_are_not_counted(tmp_path: Path) -> None:
    """Clients that wait for outcomes, more than there may be requests, keep nobody out; those that work do."""
    environment = make_environment(tmp_path / "env", services("gates_api"), max_requests=PLACES)
    journal = Journal(tmp_path)
    with ServerProcess(environment) as server, server.client() as client, ExitStack() as opened:
        cid = client.invoke_async("gates.wait", journal.payload).data
        sockets = [opened.enter_context(connect(server.address)) for _ in range(3 * PLACES)]
        pings = set()
        for connection in sockets[PLACES:]:
            send(connection, "zato.invocation.get", {"cid": cid, "wait": 60})
            pings.add(client.invoke("zato.ping").inner.status_code)
        for connection in sockets[:PLACES]:
            send(connection, "gates.wait", journal.payload)
        journal.wait("begun", PLACES + 1)
        refused = client.invoke("zato.ping").inner.status_code
        journal.open()
        answers = {envelope(read_answer(connection))[0] for connection in sockets}
    assert (pings, refused, answers) == ({200}, 503, {200})


def test_more_connections_than_files(tmp_path: Path) -> None:
    """Silent clients take each other's places, and never the files that the server and its services need."""
    environment = make_environment(tmp_path / "env", services("gates_api"))
    starting = ServerProcess(environment)
    resource.prlimit(starting.process.pid, resource.RLIMIT_NOFILE, (100, 100))
    with starting as server, server.client() as client, ExitStack() as opened:
        before = client.invoke("zato.ping").ok
        address = server.address
        for _ in range(150):
            opened.enter_context(connect(address))
        answers = [client.invoke("gates.open-a-file").ok for _ in range(5)]
        opened.close()
        after = requests.get(f"{address}/zato/ping", timeout=30).ok
        warned = server.logged("At most 25 connections at once, fewer than max_requests")["level"]
    assert (before, answers, after, warned) == (True, [True] * 5, True, "warning")


def test_payload_that_is_too_deep(door: str) -> None:
    """201 levels of payload get 400."""
    status, _, details = envelope(call(door, "zato.helpers.echo", "[" * 201 + "]" * 201))

    assert status == 400
    assert "nested deeper than 200" in details


@pytest.mark.parametrize("service", ["gates.wait", "gates.wait-on-loop"])
def test_call_that_runs_out_of_time(door: str, tmp_path: Path, service: str) -> None:
    """`timeout` is the time the client wants to wait; then it gets 504, and the text says who was late."""
    response = call(door, service, {"folder": str(tmp_path)}, timeout=0.2)
    (tmp_path / "open").touch()

    assert envelope(response) == (504, "ZATO_ERROR", f"'{service}' did not answer within 0.2 s.")


def test_more_requests_than_are_allowed(tmp_path: Path) -> None:
    """The request over the limit gets 503 at once and is told when to come again; pings are never refused."""
    environment = make_environment(tmp_path / "env", services("gates_api"), max_requests=1)
    with ServerProcess(environment) as server, connect(server.address) as held:
        _hold(held, tmp_path)
        refused = call(server.address, "zato.ping")
        ping = requests.get(f"{server.address}/zato/ping", timeout=30)
        (tmp_path / "open").touch()
        first = read_answer(held)

    assert envelope(refused)[:2] == (503, "ZATO_ERROR")
    assert "(setting max_requests)" in envelope(refused)[2]
    assert int(refused.headers["Retry-After"]) > 0
    assert (ping.status_code, first.status_code) == (200, 200)


def test_request_to_a_server_that_stops(tmp_path: Path) -> None:
    """A server that stops says that it is not ready, refuses what comes late, and ends what it has begun."""
    environment = make_environment(tmp_path / "env", services("gates_api"), drain=0.5)
    with ServerProcess(environment) as server, connect(server.address) as held, connect(server.address) as late:
        _hold(held, tmp_path)
        late.sendall(head(Content_Length=21)[:-2])
        server.process.terminate()
        not_ready = _not_ready(server)
        wait_until(lambda: not _lets_in(server.address))
        late.sendall(b"\r\n" + b'{"name": "zato.ping"}')
        refused = read_answer(late)
        (tmp_path / "open").touch()
        finished = read_answer(held)

    assert envelope(not_ready) == (503, "ZATO_ERROR", "Not ready: stopping.")
    assert envelope(refused)[:2] == (503, "ZATO_ERROR")
    assert int(not_ready.headers["Retry-After"]) > 0
    assert int(refused.headers["Retry-After"]) > 0
    assert finished.status_code == 200


def test_call_that_cannot_be_stored(tmp_path: Path) -> None:
    """While the store has no room, a background call gets 503 and is not kept; everything else goes on."""
    environment = make_environment(tmp_path / "env")
    large = "x" * 4_000_000
    with ServerProcess(environment) as server:
        _limit_files(server, 2_000_000)
        refused = call(server.address, "zato.ping", large, is_async=True, cid="lost")
        now = call(server.address, "zato.ping")
        _limit_files(server, resource.RLIM_INFINITY)
        accepted = call(server.address, "zato.ping", large, is_async=True, cid="kept")
        found = [call(server.address, "zato.invocation.get", {"cid": cid}).status_code for cid in ("lost", "kept")]

    assert envelope(refused)[:2] == (503, "ZATO_ERROR")
    assert int(refused.headers["Retry-After"]) > 0
    assert (now.status_code, accepted.status_code, found) == (200, 200, [404, 200])


def test_request_that_does_not_end_before_the_server(tmp_path: Path) -> None:
    """A call that outlasts the grace of a stop gets 503 and not a closed connection."""
    environment = make_environment(tmp_path / "env", services("gates_api"), grace=0.2)
    with ServerProcess(environment) as server, connect(server.address) as held:
        _hold(held, tmp_path)
        server.process.terminate()
        answer = read_answer(held)
        server.process.wait(30)

    assert envelope(answer)[:2] == (503, "ZATO_ERROR")
    assert "stopped before the call ended" in envelope(answer)[2]
    assert int(answer.headers["Retry-After"]) > 0
    assert server.process.returncode == 0


def test_tracebacks_for_callers(tmp_path: Path) -> None:
    """With `return_tracebacks` the details show where the service failed."""
    environment = make_environment(tmp_path / "env", services("failing_api"), return_tracebacks=True)
    with ServerProcess(environment) as server, server.client() as client:
        _, _, details = envelope(call(server.address, "failing.on-thread", "value-error"))
        result = client.result(client.invoke_async("failing.on-thread", "value-error").data, wait=30)

    assert details.startswith("Traceback")
    assert details.rstrip().endswith("ValueError: no such customer: 12")
    assert str(environment.services / "failing_api.py") in details
    assert "failing_api.py" in result.record["error"]["traceback"]


def test_failure_in_the_log(server: ServerProcess, door: str) -> None:
    """A failed request is logged with its CID and traceback; one a service meant to refuse, without."""
    failed = call(door, "failing.on-thread", "value-error").headers["X-Zato-CID"]
    refused = call(door, "failing.refusing", {"kind": "Conflict", "with_cid": False}).headers["X-Zato-CID"]

    wait_until(lambda: {failed, refused} <= {line.get("cid") for line in server.log()})
    lines = {line.get("cid"): line for line in server.log()}
    assert lines[failed]["level"] == "error"
    assert "no such customer" in lines[failed]["exception"]
    assert lines[refused]["level"] == "info"
    assert "exception" not in lines[refused]


def _hold(connection: socket.socket, folder: Path) -> None:
    """Ask for a service that does not end before a file appears, and return when it runs."""
    body = f'{{"name": "gates.wait", "payload": "{b64({"folder": str(folder)})}"}}'.encode()
    connection.sendall(head(Content_Length=len(body)) + body)
    wait_until((folder / "journal").exists)


def _limit_files(server: ServerProcess, size: int) -> None:
    """Let no file of the server grow beyond a size: a disk that is full, and then is not."""
    for process in server.processes():
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))


def _lets_in(address: str) -> bool:
    try:
        connect(address).close()
    except OSError:
        return False
    return True


def _not_ready(server: ServerProcess) -> requests.Response:
    """Return what readiness says once it says no."""
    address = f"{server.address}/zato/ready"
    found: list[requests.Response] = []

    def says_no() -> bool:
        found.append(requests.get(address, timeout=30))
        return found[-1].status_code == 503

    wait_until(says_no)
    return found[-1]
