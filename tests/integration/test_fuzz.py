"""Whatever is sent to a server, an envelope comes back, and the server lives on.

`ZATO_FUZZ_EXAMPLES` sets how many examples each test tries.
"""

import contextlib
import json
import os
import socket
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.doors import ADMIN, ADMIN_INVOKE, Answer, ask, basic, connect, read_answer, services
from tests.support.environments import PASSWORD, ServerProcess, make_environment

pytestmark = pytest.mark.usefixtures("unmeasured")

EXAMPLES = int(os.environ.get("ZATO_FUZZ_EXAMPLES", "80"))
FUZZ = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
STATUSES = {200, 400, 401, 404, 409, 413, 504}
# What granian says of what is no HTTP, without a body.
BARE = {400, 414, 431}

EDGES = [0, -1, 15, 2**31, 2**53 + 1, 2**63, -(2**64), 10**25, 1e-320, 1e308, 9_999_999_999.5]
ODD_TEXTS = ["\x00", "\ud800", "\u202e", "é" * 200, "x" * 70_000, "true", "NaN", "{", "\r\n", "٣", "🦆"]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(EDGES)
    | st.text(max_size=20)
    | st.sampled_from(ODD_TEXTS)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
FIELDS = [
    "payload",
    "id",
    "channel",
    "data_format",
    "transport",
    "async",
    "is_async",
    "expiration",
    "expiration_given",
    "timeout",
    "time_limit",
    "pid",
    "all_pids",
    "skip_response_elem",
    "callback",
    "on_failure",
    "delay",
    "retry",
    "cid",
    "idempotency_key",
]
BASE64 = st.binary(max_size=60).map(lambda raw: b64encode(raw).decode())
JSON_BASE64 = VALUES.map(lambda value: b64encode(json.dumps(value).encode()).decode())
REQUESTS = st.fixed_dictionaries(
    {"name": st.sampled_from(["zato.helpers.echo", "calls.answer", "calls.told"])},
    optional={
        **{field: VALUES for field in FIELDS if field not in ("payload", "id")},
        "payload": BASE64 | JSON_BASE64 | VALUES,
    },
)
NAMES = VALUES | st.sampled_from(["zato.ping", "zato.service.invoke", "zato.invocation.get", "zato.server.info"])
HEADERS = st.dictionaries(
    st.sampled_from(["Authorization", "Content-Type", "X-Zato-CID", "Accept-Encoding", "Expect-Not", "Cookie"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40).map(str.strip),
)

CREDENTIALS = [basic(":".join(ADMIN)), basic(f"pubapi:{PASSWORD}"), {}]
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
TOKENS = st.text("!#$%&'*+.^_`|~-AZaz09", min_size=1, max_size=12)
VISIBLE = st.characters(min_codepoint=33, max_codepoint=126)
API_INVOKE = "/zato/api/invoke/"
OPEN = ["/zato/ping", "/zato/live", "/zato/ready"]
DOORS = [ADMIN_INVOKE, f"{API_INVOKE}zato.ping", f"{API_INVOKE}calls.told"]
ODD_PATHS = [
    API_INVOKE,
    "*",
    "/",
    "//",
    "/%00/%ff%2e%2e/",
    "http://elsewhere/zato/ping",
    "here:80",
    f"{API_INVOKE}%2e/%00",
]
PATHS = (
    st.sampled_from(OPEN + DOORS)
    | st.sampled_from(ODD_PATHS)
    | st.text(VISIBLE, max_size=40).map(lambda text: f"/zato/{text}")
)
QUERIES = st.just("") | st.text(VISIBLE, max_size=40).map(lambda text: f"?{text}")
FRAMED = [
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Expect",
    "Upgrade",
    "Host",
    "Idempotency-Key",
    "Content-Type",
    "Content-Encoding",
    "Authorization",
]
FRAME_VALUES = ["0", "5", "-1", "1e3", "+7", "9" * 30, "5, 5", "chunked", "gzip, chunked", "close", "100-continue"]
HEADER_LINES = st.lists(
    st.tuples(st.sampled_from(FRAMED), st.sampled_from(FRAME_VALUES))
    | st.tuples(TOKENS, st.text(VISIBLE, max_size=30))
    | st.tuples(TOKENS, st.text(st.characters(max_codepoint=255), max_size=10)),
    max_size=2,
)
BODIES = st.sampled_from([b"", b'{"name": "zato.ping"}', b'"calls.told"', b"[[[["]) | st.binary(max_size=60)
TORN = [b"zz\r\n", b"-1\r\n", b"5\r\nabc", b"5;x=y\r\nabcde\r\n", b"f" * 18 + b"\r\n", b"0\r\nX: y\r\n"]
CHUNKS = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=20).map(lambda raw: b"%x\r\n%s\r\n" % (len(raw), raw)),
        st.sampled_from(
            [b"zz\r\n", b"-1\r\n", b"5\r\nabc", b"5;x=y\r\nabcde\r\n", b"ffffffffffffffffff\r\n", b"0\r\nX: y\r\n"]
        ),
        st.binary(max_size=12),
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that is alive at the end, and never had to catch what a handler let through."""
    folder = tmp_path_factory.mktemp("fuzz")
    # Half-sent bodies are given up soon, so that examples with one take no longer than others.
    settings = {"body_timeout": 0.1, "max_body": 500_000}
    with ServerProcess(make_environment(folder / "env", services("calls_api"), **settings)) as running:
        processes = running.processes()
        yield running
        assert ask(running.address, "zato.helpers.echo", "alive") == "alive"
        assert not [line for line in running.log() if "outside of its handler" in line["event"]]
        assert running.processes() == processes


@pytest.fixture
def session(server: ServerProcess) -> Iterator[requests.Session]:
    """One connection for all examples of a test."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


def knock(server: ServerProcess, session: requests.Session, body: bytes, **options: Any) -> tuple[int, str]:
    """Send a body, check that what comes back is an envelope, and return its status and details."""
    address = f"{server.address}{ADMIN_INVOKE}"
    response = session.post(address, body, **{"auth": ADMIN, "timeout": 30, **options})
    env = response.json()["zato_env"]
    assert env["cid"] == response.headers["X-Zato-CID"]
    assert env["result"] == ("ZATO_OK" if response.status_code == 200 else "ZATO_ERROR")
    assert isinstance(env["details"], str)
    return response.status_code, env["details"]


@FUZZ
@given(body=st.binary(max_size=300))
def test_bodies_of_any_bytes(server: ServerProcess, session: requests.Session, body: bytes) -> None:
    """Bytes that are no request are refused with 400."""
    assert knock(server, session, body)[0] == 400


@FUZZ
@given(value=VALUES)
@example(value={"name": "x" * 100_000})
@example(value={"name": "\x00\ud800"})
@example(value={"name": 10**400})
def test_bodies_of_any_json(server: ServerProcess, session: requests.Session, value: object) -> None:
    """JSON that is no request, or one for nobody, is refused with 400 or 404."""
    assert knock(server, session, json.dumps(value).encode())[0] in (400, 404)


@FUZZ
@given(fields=REQUESTS)
@example(fields={"name": "calls.told", "payload": "WzFlNDAwXQ==", "is_async": True})
@example(fields={"name": "calls.told", "is_async": True, "retry": {"attempts": 10**30}})
@example(fields={"name": "calls.told", "is_async": True, "delay": 1e300})
@example(fields={"name": "calls.told", "is_async": True, "expiration": 9999999999.0})
@example(fields={"name": "calls.told", "channel": "\ud800", "transport": "\ud800"})
@example(fields={"name": "calls.told", "is_async": True, "channel": "\ud800", "idempotency_key": "\ud800"})
@example(fields={"name": "calls.told", "is_async": True, "idempotency_key": "\x00"})
def test_fields_of_any_kind(server: ServerProcess, session: requests.Session, fields: dict[str, object]) -> None:
    """A field of a wrong kind is refused; a 500 is only ever a response that has no JSON form."""
    status, details = knock(server, session, json.dumps(fields).encode())

    assert status in STATUSES or "cannot be written as JSON" in details


@FUZZ
@given(name=NAMES, payload=VALUES)
def test_builtins_with_any_input(
    server: ServerProcess, session: requests.Session, name: object, payload: object
) -> None:
    """A built-in service takes what it knows and refuses everything else by name."""
    body = {"name": name, "payload": b64encode(json.dumps(payload).encode()).decode()}
    status, _ = knock(server, session, json.dumps(body).encode())

    assert status in STATUSES


@FUZZ
@given(headers=HEADERS)
def test_headers_of_any_text(server: ServerProcess, session: requests.Session, headers: dict[str, str]) -> None:
    """Headers change nothing but who the caller is."""
    known = "Authorization" not in headers
    options: dict[str, Any] = {"headers": headers, "auth": ADMIN if known else None}
    status, _ = knock(server, session, b'{"name": "zato.ping"}', **options)

    assert status == (200 if known else 401)


def exchange(server: ServerProcess, sent: bytes) -> Answer | None:
    """Send bytes over a connection of their own; return the answer, or None if the connection is just closed."""
    with connect(server.address) as connection:
        try:
            connection.sendall(sent)
            while (answer := read_answer(connection)).status_code == 100:
                pass
        except (ConnectionError, IndexError):
            return None
    return answer


def check(answer: Answer | None, *, head_only: bool = False) -> None:
    """Fail if an answer is neither a reply of ours nor one of granian's to what is no HTTP."""
    if answer is None:
        return
    if "X-Zato-CID" not in answer.headers:
        assert (answer.status_code in BARE, answer.text) == (True, "")
        return
    assert answer.status_code < 500 or "cannot be written as JSON" in answer.text, answer
    if answer.status_code >= 400 and not head_only:
        env = answer.json()["zato_env"]
        assert (env["result"], env["cid"]) == ("ZATO_ERROR", answer.headers["X-Zato-CID"])


def lives(server: ServerProcess, session: requests.Session) -> bool:
    """Tell whether the server answers on a connection that others have not touched."""
    return bool(session.get(f"{server.address}/zato/ping", timeout=30).json()["pong"] == "zato")


@FUZZ
@given(sent=st.binary(max_size=200))
@example(sent=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
@example(sent=b"\x16\x03\x01\x02\x00\x01\x00\x01")
def test_connections_of_any_bytes(server: ServerProcess, session: requests.Session, sent: bytes) -> None:
    """What is no HTTP gets a bare status or a closed connection."""
    with connect(server.address) as connection:
        connection.sendall(sent + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError, IndexError):
            check(read_answer(connection))
    assert lives(server, session)


@FUZZ
@given(
    method=METHODS | TOKENS,
    path=PATHS,
    query=QUERIES,
    version=st.sampled_from(["HTTP/1.1"] * 12 + ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "http/1.1", ""]),
    lines=HEADER_LINES,
    credentials=st.sampled_from(CREDENTIALS),
    body=BODIES,
)
def test_requests_of_any_kind(server: ServerProcess, session: requests.Session, **parts: Any) -> None:
    """Method, address, query, headers and body in any combination get an answer that fits."""
    lines = [f"{parts['method']} {parts['path']}{parts['query']} {parts['version']}", "Host: here", "Connection: close"]
    named = [*parts["credentials"].items(), *parts["lines"]]
    if not any(name in ("Content-Length", "Transfer-Encoding") for name, _ in named):
        named.append(("Content-Length", str(len(parts["body"]))))
    sent = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in named), "", ""]).encode("latin-1")

    check(exchange(server, sent + parts["body"]), head_only=parts["method"] == "HEAD")
    assert lives(server, session)


@FUZZ
@given(path=st.sampled_from(DOORS), credentials=st.sampled_from(CREDENTIALS), chunks=CHUNKS, ended=st.booleans())
def test_chunks_of_any_kind(server: ServerProcess, session: requests.Session, **parts: Any) -> None:
    """Chunks that are torn, mislabelled or without an end are refused, and never waited for."""
    named = {"Host": "here", "Transfer-Encoding": "chunked", "Connection": "close", **parts["credentials"]}
    head = "\r\n".join([f"POST {parts['path']} HTTP/1.1", *(f"{k}: {v}" for k, v in named.items()), "", ""])
    chunks = b"".join(parts["chunks"]) + (b"0\r\n\r\n" if parts["ended"] else b"")

    check(exchange(server, head.encode() + chunks))
    assert lives(server, session)
