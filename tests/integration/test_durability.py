"""Nothing that was accepted is lost, however the server ends."""

import contextlib
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.doors import ask, connect, head, services
from tests.support.environments import ServerProcess, make_environment
from tests.support.journals import Journal
from tests.support.waiting import wait_until
from zato.client import NetworkError
from zato.environment import Environment

pytestmark = pytest.mark.usefixtures("unmeasured")

CALLS = 300
# Three times what a server runs at once: enough for calls that run, calls that wait and calls that are done.
LONG_CALLS = 100
STEPS = ("target", "first", "second")
OUTER_LIMIT = 20.0
OLD_CLIENT: dict[str, Any] = {"is_async": True, "expiration": 15}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal that outlives the server."""
    return Journal(tmp_path)


def _environment(tmp_path: Path, **settings: object) -> Environment:
    # A lease far beyond any limit here: what a dead server held is freed at the start, not by time.
    return make_environment(tmp_path / "env", services("gates_api"), lease=120.0, **settings)


def _prove(
    tmp_path: Path, journal: Journal, *, calls: int, seconds: float, pause: float, fields: dict[str, Any]
) -> None:
    """Accept calls, kill every process, start again: each call has one outcome, and it is `done`."""
    environment = _environment(tmp_path)
    with ServerProcess(environment) as server:
        payload = {**journal.payload, "seconds": seconds}
        cids = [
            ask(server.address, "gates.work", {**payload, "label": str(number)}, **fields) for number in range(calls)
        ]
        journal.wait("begun")
        server.kill()
    before = Counter(line.split()[1] for line in journal.lines("begun"))
    _pass(pause)

    with ServerProcess(environment) as server, server.client() as client:
        ready = time.time()
        results = [client.result(cid, wait=60) for cid in cids]

    again = [line.split() for line in journal.lines("begun")][before.total() :]
    interrupted = [float(at) for _, label, at in again if label in before]
    print(f"{len(interrupted)} calls ran again, the first one {min(interrupted) - ready:.3f} s after readiness")
    assert [result.data for result in results] == [f"did {number}" for number in range(calls)]
    assert {result.record["cid_count"] for result in results} == {1}
    assert {line.split()[1] for line in journal.lines("ended")} == {str(number) for number in range(calls)}
    assert max(Counter(label for _, label, _ in again).values()) == 1
    assert min(interrupted) - ready < OUTER_LIMIT


def test_calls_survive_a_kill(tmp_path: Path, journal: Journal) -> None:
    """300 accepted calls, a kill of every process, a start: none is lost, each has one outcome."""
    _prove(tmp_path, journal, calls=CALLS, seconds=0.2, pause=0, fields={"is_async": True})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_long_calls_survive_a_kill(tmp_path: Path, journal: Journal) -> None:
    """The same with calls of two seconds each."""
    _prove(tmp_path, journal, calls=LONG_CALLS, seconds=2, pause=0, fields={"is_async": True})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_calls_of_old_clients_survive_a_long_outage(tmp_path: Path, journal: Journal) -> None:
    """The same with the expiration of 15 s that old clients send unasked, and an outage of 16 s."""
    _prove(tmp_path, journal, calls=LONG_CALLS, seconds=2, pause=16, fields=OLD_CLIENT)


@pytest.mark.parametrize("step", STEPS)
def test_chain_survives_a_kill_while_a_step_runs(tmp_path: Path, journal: Journal, step: str) -> None:
    """Target, callback and the callback's callback: whichever is killed runs again, and the rest follows once."""
    environment = _environment(tmp_path)
    journal.shut(step)
    with ServerProcess(environment) as server:
        ask(server.address, "gates.start", journal.payload)
        journal.wait(step)
        server.kill()

    journal.unshut(step)
    with ServerProcess(environment):
        journal.wait("second", 2 if step == "second" else 1)

    expected = {name: 2 if name == step else 1 for name in STEPS}
    assert {name: len(journal.lines(name)) for name in STEPS} == expected
    assert [len(set(journal.lines(name))) for name in STEPS] == [1, 1, 1]


def test_chain_survives_a_kill_after_each_step(tmp_path: Path, journal: Journal) -> None:
    """A kill at the very moment of a hand-over neither loses nor doubles what follows."""
    environment = _environment(tmp_path)
    with ServerProcess(environment) as server:
        cid = ask(server.address, "gates.start", journal.payload)
        journal.wait("target")
        server.kill()
    for step in STEPS[1:]:
        with ServerProcess(environment) as server:
            journal.wait(step)
            server.kill()

    with ServerProcess(environment) as server, server.client() as client:
        second = journal.lines("second")[0].split()[1]
        statuses = [client.result(each, wait=30).status for each in (cid, second)]

    assert statuses == ["done", "done"]
    assert [len(set(journal.lines(name))) for name in STEPS] == [1, 1, 1]


def test_work_that_outlasts_a_stop(tmp_path: Path, journal: Journal) -> None:
    """Work that does not end within the grace of a stop is given back: it runs again, and that is no take-over."""
    environment = _environment(tmp_path, grace=0.2)
    with ServerProcess(environment) as server, server.client() as client:
        cids = [client.invoke_async(name, journal.payload).data for name in ("gates.wait", "gates.wait-on-loop")]
        journal.wait("begun", 2)
        status = server.stop()

    journal.open()
    with ServerProcess(environment) as server, server.client() as client:
        records = [client.result(cid, wait=30).record for cid in cids]

    assert status == 0
    assert [(record["status"], record["takeovers"], record["attempts"]) for record in records] == [("done", 0, 1)] * 2
    assert len(journal.lines("begun")) == 4


def test_work_that_ends_during_a_stop(tmp_path: Path, journal: Journal) -> None:
    """A server that is asked to stop waits for work in progress, records it, and begins nothing new."""
    environment = _environment(tmp_path, background_threads=1)
    with ServerProcess(environment) as server, server.client() as client:
        first, second = (client.invoke_async("gates.wait", journal.payload).data for _ in range(2))
        journal.wait("begun")
        server.process.terminate()
        wait_until(lambda: not _lets_in(server))
        journal.open()
        status = server.process.wait(30)
        begun = len(journal.lines("begun"))

    with ServerProcess(environment) as server, server.client() as client:
        records = [client.result(cid, wait=30).record for cid in (first, second)]

    assert (status, begun) == (0, 1)
    assert [(record["status"], record["takeovers"]) for record in records] == [("done", 0), ("done", 0)]
    assert len(journal.lines("begun")) == 2


def test_half_sent_request_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    """A body that never arrives is no work in progress."""
    with ServerProcess(_environment(tmp_path)) as server, connect(server.address) as half:
        half.sendall(head(Content_Length=100) + b'{"name')
        ask(server.address, "zato.ping")
        started = time.monotonic()
        status = server.stop()

    assert status == 0
    assert time.monotonic() - started < 10


def test_server_that_stood_still(tmp_path: Path, journal: Journal) -> None:
    """A server that is halted for longer than its leases goes on with its calls, and runs none of them twice."""
    # Long enough for the next look to come before the next beat, which would hide the fault.
    environment = make_environment(tmp_path / "env", services("gates_api"), lease=6.0, max_takeovers=0)
    with ServerProcess(environment) as server, server.client() as client:
        cids = [client.invoke_async(name, journal.payload).data for name in ("gates.wait", "gates.wait-on-loop")]
        journal.wait("begun", 2)
        worker = server.environment.running().workers[0].pid
        assert worker is not None
        os.kill(worker, signal.SIGSTOP)
        _pass(6.2)
        os.kill(worker, signal.SIGCONT)
        client.invoke("zato.ping")
        journal.open()
        records = [client.result(cid, wait=30).record for cid in cids]

    assert [(record["status"], record["takeovers"]) for record in records] == [("done", 0), ("done", 0)]
    assert len(journal.lines("begun")) == 2


@pytest.mark.parametrize("limit", [0, 2], ids=["no-take-over", "two-take-overs"])
def test_call_that_kills_its_process(tmp_path: Path, journal: Journal, limit: int) -> None:
    """A call that ends its process is run again `max_takeovers` times and then given up, with the reason."""
    environment = _environment(tmp_path, max_takeovers=limit)
    with ServerProcess(environment) as server, server.client() as client:
        with contextlib.suppress(NetworkError):
            client.invoke_async("gates.die", journal.payload, cid="doomed")
        server.logged("gates.die is given up", timeout=30)
        server.wait_ready()
        record = client.result("doomed", wait=30).record
        assert client.invoke("zato.ping").ok

    assert (record["status"], record["error"]["code"]) == ("failed", "process_died")
    assert len(journal.lines("begun")) == limit + 1


def _pass(seconds: float) -> None:
    """Let time pass; an outage is nothing but that."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 5)


def _lets_in(server: ServerProcess) -> bool:
    try:
        connect(server.address).close()
    except OSError:
        return False
    return True
