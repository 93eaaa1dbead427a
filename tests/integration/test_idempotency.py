"""One idempotency key, one run: however often a call is sent, by whom, and however the server ends meanwhile."""

import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.doors import ADMIN, ask, b64, converse, envelope, head, post, services
from tests.support.environments import PASSWORD, ServerProcess, make_environment
from tests.support.journals import Journal
from tests.support.subprocesses import unmeasured_environment
from zato.environment import Environment

pytestmark = pytest.mark.usefixtures("unmeasured")

CLIENTS = 4
THREADS = 25
SERVICE = "gates.wait"
ROOT = Path(__file__).parents[2]

# What `zato start` is given besides.
SERVERS: list[list[str]] = [[], ["--workers", "2"]]

DIFFERENT = "The request carries different idempotency keys. Send one, as a header or as a field."

REPEATS = (ROOT / "docs/examples/repeatable_post.py").read_text("utf-8")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal that outlives the server."""
    return Journal(tmp_path)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment whose dead processes are not waited for."""
    return make_environment(tmp_path / "env", {**services("gates_api"), "order.py": REPEATS}, lease=120.0)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server for all tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("keys")
    with ServerProcess(make_environment(folder / "env", {"order.py": REPEATS})) as running:
        yield running.address


class Clients:
    """Processes that all make the same call."""

    def __init__(self, processes: Sequence["subprocess.Popen[str]"]) -> None:
        self._processes = processes

    def begin(self) -> None:
        """Let all of them send it."""
        for process in self._processes:
            self._tell(process, "go")

    def cids(self) -> set[str]:
        """Return every CID that any of them was given, once each thread has one."""
        given = [json.loads(process.communicate(timeout=50)[0]) for process in self._processes]
        assert [len(each) for each in given] == [THREADS] * CLIENTS
        return {cid for each in given for cid in each}

    @staticmethod
    def _tell(process: "subprocess.Popen[str]", line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(f"{line}\n")
        process.stdin.flush()


@contextmanager
def clients_of(server: ServerProcess, payload: object) -> Iterator[Clients]:
    """Start processes that are ready to make a call."""
    order = {
        "address": server.address,
        "auth": ADMIN,
        "service": SERVICE,
        "payload": payload,
        "key": "order-17",
        "threads": THREADS,
    }
    options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    command = [sys.executable, "-m", "tests.support.keyed_client"]
    with ExitStack() as started:
        processes = [
            started.enter_context(subprocess.Popen(command, env=unmeasured_environment(), **options))
            for _ in range(CLIENTS)
        ]
        for process in processes:
            started.callback(process.kill)
            Clients._tell(process, json.dumps(order))
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield Clients(processes)


def keyed(door: str, key: str | bytes, **fields: object) -> requests.Response:
    """Ask for a background call with the header."""
    return post(door, {"name": "zato.ping", "is_async": True, **fields}, headers={"Idempotency-Key": key})


@pytest.mark.parametrize("arguments", SERVERS, ids=" ".join)
def test_a_hundred_calls_at_once(environment: Environment, journal: Journal, arguments: list[str]) -> None:
    """A hundred requests with one key, from four processes at once, are one call: one CID, one run."""
    with ServerProcess(environment, *arguments) as server, server.client() as client:
        with clients_of(server, journal.payload) as clients:
            clients.begin()
            cids = clients.cids()
        journal.open()
        records = [client.result(cid, wait=30).record for cid in cids]

    assert [(record["status"], record["cid_count"]) for record in records] == [("done", 1)]
    assert (len(journal.lines("begun")), len(journal.lines("ended"))) == (1, 1)


@pytest.mark.parametrize("arguments", SERVERS, ids=" ".join)
def test_a_hundred_calls_and_a_kill(environment: Environment, journal: Journal, arguments: list[str]) -> None:
    """If the server is killed in the middle, those who ask it again later get the CID of the first call."""
    with (
        clients_of_a_killed(environment, journal, arguments) as clients,
        ServerProcess(environment, *arguments) as server,
    ):
        cids = clients.cids()
        journal.open()
        with server.client() as client:
            records = [client.result(cid, wait=30).record for cid in cids]
        again = ask(server.address, SERVICE, journal.payload, is_async=True, idempotency_key="order-17")

    assert [(record["status"], record["cid_count"]) for record in records] == [("done", 1)]
    assert {again} == cids
    assert len(journal.lines("ended")) == 1


@contextmanager
def clients_of_a_killed(environment: Environment, journal: Journal, arguments: list[str]) -> Iterator[Clients]:
    """Start clients, and kill their server when the first call runs: many have no answer by then."""
    with ServerProcess(environment, *arguments) as server, clients_of(server, journal.payload) as clients:
        clients.begin()
        journal.wait("begun")
        server.kill()
        yield clients


def test_key_after_a_restart(environment: Environment) -> None:
    """A key is known for as long as the outcome is kept, whatever the server has been through."""
    with ServerProcess(environment) as server:
        first = ask(server.address, "zato.ping", is_async=True, idempotency_key="k")
        server.kill()
    with ServerProcess(environment) as server:
        again = keyed(server.address, "k", payload=b64("")).json()["response"]

    assert b64decode(again).decode() == first


def test_header_and_field(door: str) -> None:
    """Header and field are two ways to say the same, and together they must."""
    first = keyed(door, "one").json()["response"]

    assert keyed(door, "one", idempotency_key="one").json()["response"] == first
    assert post(door, {"name": "zato.ping", "is_async": True, "idempotency_key": "one"}).json()["response"] == first
    assert envelope(keyed(door, "one", idempotency_key="two")) == (400, "ZATO_ERROR", DIFFERENT)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        pytest.param({"payload": b64({"a": 1})}, "payload", id="payload"),
        pytest.param({"name": "order"}, "service", id="service"),
    ],
)
def test_key_of_another_call(door: str, fields: dict[str, object], what: str) -> None:
    """A key that was used for another service or payload is refused: the second call would be lost."""
    key = f"taken-by-another-{what}"
    keyed(door, key)
    status, result, details = envelope(keyed(door, key, **fields))

    assert (status, result) == (409, "ZATO_ERROR")
    assert f"{key!r} was used before, for another service or payload" in details


@pytest.mark.parametrize(
    ("key", "words"),
    [
        pytest.param("", "idempotency_key='' is not legal: give a text of 1 to 255 characters", id="empty"),
        pytest.param("x" * 256, "is not legal: give a text of up to 255 characters", id="too-long"),
        pytest.param("schlüssel".encode(), "is visible ASCII; send any other key as the field", id="not-ascii"),
    ],
)
def test_key_that_is_not_legal(door: str, key: str | bytes, words: str) -> None:
    """A key that could not be kept is refused, and never just left out."""
    status, _, details = envelope(keyed(door, key))

    assert status == 400
    assert words in details


def test_header_that_is_sent_twice(door: str) -> None:
    """Two keys in one request are refused, because it is not known which one is meant."""
    body = b'{"name": "zato.ping", "is_async": true}'
    twice = head(Content_Length=len(body), Idempotency_Key="a").replace(b"\r\n\r\n", b"\r\nIdempotency-Key: b\r\n\r\n")
    status, _, details = envelope(converse(door, twice + body))

    assert (status, details) == (
        400,
        "The request carries different idempotency keys. Send one, as a header or as a field.",
    )


def test_key_of_a_call_that_is_not_in_the_background(door: str) -> None:
    """Whoever sends a key relies on it, so it is refused where it would have no effect."""
    status, _, details = envelope(keyed(door, "sync", is_async=False))

    assert status == 400
    assert details.startswith("The header Idempotency-Key works with background calls only")


def test_key_for_a_service_of_ones_own(door: str) -> None:
    """At the other door the header is the service's: handed on to `invoke_async`, it makes a POST repeatable."""
    address, auth = f"{door}/zato/api/invoke/order", ("pubapi", PASSWORD)
    replies = [
        requests.post(address, json={"n": n}, auth=auth, headers={"Idempotency-Key": "mine"}, timeout=30)
        for n in (1, 1, 2)
    ]

    assert [reply.status_code for reply in replies] == [202, 202, 409]
    assert replies[0].json() == replies[1].json()
