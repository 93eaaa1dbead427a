"""Whatever is sent to `/zato/admin/invoke`, an envelope comes back, and the server lives on."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.doors import ADMIN, ADMIN_INVOKE, ask, services
from tests.support.environments import ServerProcess, make_environment

FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
STATUSES = {200, 400, 401, 404, 409, 413}

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that is alive at the end, and never had to catch what a handler let through."""
    folder = tmp_path_factory.mktemp("fuzz")
    with ServerProcess(make_environment(folder / "env", services("calls_api"))) as running:
        yield running
        assert ask(running.address, "zato.helpers.echo", "alive") == "alive"
        assert not [line for line in running.log() if "outside of its handler" in line["event"]]


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
