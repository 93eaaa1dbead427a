"""The three rules of threads: only roots wait, two budgets, and doors that need no thread."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.doors import Answer, ask, b64, call, connect, envelope, head, read_answer, services
from tests.support.environments import ServerProcess, make_environment
from tests.support.journals import Journal
from tests.support.waiting import wait_until

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

SLOTS = 4
BUDGETS = {"http_threads": SLOTS, "background_threads": SLOTS}
MORE = 3 * SLOTS
GENEROUS = 5.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with few slots; every test leaves all of them free."""
    folder = tmp_path_factory.mktemp("threads")
    with ServerProcess(make_environment(folder / "env", services("gates_api"), **BUDGETS)) as running:
        yield running


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal whose gate is open at the end, whatever happens."""
    made = Journal(tmp_path)
    yield made
    made.open()


class Requests:
    """Requests under way at the same time. Use it in a `with`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._open: list[socket.socket] = []

    def send(self, name: str, payload: dict[str, Any], *, times: int = 1) -> None:
        """Ask for a service, and do not wait for the answer."""
        for _ in range(times):
            connection = connect(self._address)
            self._open.append(connection)
            body = f'{{"name": "{name}", "payload": "{b64(payload)}"}}'.encode()
            connection.sendall(head(Content_Length=len(body)) + body)

    def answers(self) -> list[Answer]:
        """Return all answers, in the order of the requests."""
        return [read_answer(connection) for connection in self._open]

    def __enter__(self) -> "Requests":
        return self

    def __exit__(self, *exception: object) -> None:
        for connection in self._open:
            connection.close()


def test_doors_work_while_every_thread_sleeps(server: ServerProcess, journal: Journal) -> None:
    """With both budgets full of sleepers and more in line, work is accepted, found, cancelled, listed and pinged."""
    with Requests(server.address) as held, server.client() as client:
        held.send("gates.wait", journal.payload, times=2 * SLOTS)
        sleepers = [client.invoke_async("gates.wait", journal.payload).data for _ in range(2 * SLOTS)]
        journal.wait("begun", 2 * SLOTS)

        started = time.monotonic()
        accepted, unwanted = (client.invoke_async("gates.wait", journal.payload).data for _ in range(2))
        cancelled = client.cancel(unwanted).data["status"]
        statuses = [client.result(cid).status for cid in (sleepers[0], accepted)]
        pinged = client.result(client.invoke_async("zato.ping").data, wait=30).status
        listed = client.invoke("zato.service.get-list").ok and requests.get(f"{server.address}/zato/ready").ok
        threads = client.invoke("zato.server.info").data["threads"]
        taken = time.monotonic() - started

        assert len(journal.lines("begun")) == 2 * SLOTS
        journal.open()
        assert {answer.status_code for answer in held.answers()} == {200}
        assert {client.result(cid, wait=30).status for cid in [*sleepers, accepted]} == {"done"}

    assert (statuses, cancelled, pinged, listed) == (["running", "waiting"], "cancelled", "done", True)
    assert threads["http"] == {"limit": SLOTS, "running": SLOTS, "waiting": SLOTS}
    assert threads["background"]["running"] == SLOTS
    assert taken < GENEROUS


def test_background_work_does_not_delay_requests(server: ServerProcess, journal: Journal) -> None:
    """A blocking service answers a request at once while background work fills its own budget."""
    with server.client() as client:
        sleepers = [client.invoke_async("gates.wait", journal.payload).data for _ in range(MORE)]
        journal.wait("begun", SLOTS)
        answer = ask(server.address, "gates.work", {**journal.payload, "label": "now", "seconds": 0})
        journal.open()

        assert answer == "did now"
        assert {client.result(cid, wait=30).status for cid in sleepers} == {"done"}


@pytest.mark.parametrize("top", ["gates.down", "gates.down-on-loop"])
def test_more_chains_than_slots(server: ServerProcess, journal: Journal, top: str) -> None:
    """Chains of services, depth 4 and of both kinds, never wait for each other's slots."""
    payload = {**journal.payload, "depth": 3}
    with Requests(server.address) as held, server.client() as client:
        held.send(top, payload, times=MORE)
        chains = [client.invoke_async(top, payload).data for _ in range(MORE)]
        journal.wait("begun", 2 * SLOTS)
        journal.open()

        assert [answer.status_code for answer in held.answers()] == [200] * MORE
        assert [client.result(cid, wait=30).data for cid in chains] == ["through"] * MORE
    assert len(journal.lines("ended")) == 2 * MORE


def test_tasks_do_not_take_slots(server: ServerProcess, journal: Journal) -> None:
    """Services on the event loop run in numbers that have nothing to do with threads."""
    with Requests(server.address) as held:
        held.send("gates.wait-on-loop", journal.payload, times=MORE)
        journal.wait("begun", MORE)
        journal.open()

        assert {answer.status_code for answer in held.answers()} == {200}


def test_slots_held_by_calls_that_ran_out_of_time(tmp_path: Path, journal: Journal) -> None:
    """A late call keeps its slot; when all are held, readiness says no and one line names them, until they end."""
    environment = make_environment(tmp_path / "env", services("gates_api"), http_threads=2)
    with ServerProcess(environment) as server:
        first = call(server.address, "gates.wait", journal.payload, timeout=0.1)
        ready_with_one = _ready(server)
        second = call(server.address, "gates.wait", journal.payload, timeout=0.1)
        not_ready = requests.get(f"{server.address}/zato/ready", timeout=30)
        lines = [server.logged("held by calls nobody waits for")["event"]]
        journal.open()
        wait_until(lambda: _ready(server))
        last = ask(server.address, "gates.wait", journal.payload)

    assert (first.status_code, ready_with_one, second.status_code) == (504, True, 504)
    assert envelope(not_ready) == (
        503,
        "ZATO_ERROR",
        "Not ready: every HTTP slot for blocking services is held by a call that ran out of time.",
    )
    assert lines == ["All 2 HTTP slots are held by calls nobody waits for any more: gates.wait"]
    assert last == "through"


def test_call_that_runs_out_of_time_in_line(tmp_path: Path, journal: Journal) -> None:
    """A call whose time is up before it has a slot gives up its place and never runs."""
    environment = make_environment(tmp_path / "env", services("gates_api"), http_threads=1)
    with ServerProcess(environment) as server, Requests(server.address) as held:
        held.send("gates.wait", {**journal.payload, "label": "first"})
        journal.wait("begun first")
        late = call(server.address, "gates.wait", {**journal.payload, "label": "late"}, timeout=0.1)
        ready = _ready(server)
        journal.open()
        answers = [answer.status_code for answer in held.answers()]
        ask(server.address, "gates.wait", {**journal.payload, "label": "last"})

    assert (late.status_code, ready, answers) == (504, True, [200])
    assert not journal.lines("begun late")


def test_client_that_leaves_the_line(server: ServerProcess, journal: Journal) -> None:
    """A client that goes away while its call runs costs no slot in the end."""
    with Requests(server.address) as held:
        held.send("gates.wait", journal.payload, times=SLOTS)
        journal.wait("begun", SLOTS)
    journal.open()
    journal.wait("ended", SLOTS)

    assert _ready(server)
    assert ask(server.address, "gates.wait", journal.payload) == "through"


def _ready(server: ServerProcess) -> bool:
    return requests.get(f"{server.address}/zato/ready", timeout=30).ok
