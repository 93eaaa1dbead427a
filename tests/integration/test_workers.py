"""Several worker processes on one file: the work is shared, outcomes are known everywhere, and one may die."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.doors import services
from tests.support.environments import ServerProcess, make_environment
from tests.support.journals import Journal
from tests.support.waiting import wait_until
from zato.client import AnyServiceInvoker, NetworkError

# What runs in these servers is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

CALLS = 1000
# Ten times what an idle machine needs: the order is what is asserted, not the machine.
WAKE_LIMIT = 5.0
GOES_ON_WITHIN = 2.0
LONG = "a-folder-with-a-name-of-forty-characters"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two worker processes, in a folder deeper than the address of a socket may be long."""
    path = tmp_path_factory.mktemp("workers").joinpath(*[LONG] * 3)
    path.mkdir(parents=True)
    # A lease far beyond any limit here: what a dead process held is freed by the one that replaces it, not by time.
    # With a chance more than one, calls that lost a process need not run one after the other.
    environment = make_environment(path / "env", services("workers_api"), lease=120.0, max_takeovers=2)
    with ServerProcess(environment, "--workers", "2") as server:
        yield server


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Where services note what they do."""
    return Journal(tmp_path)


def workers(server: ServerProcess) -> list[int]:
    """Return the numbers of the worker processes that there are."""
    return [each.pid for each in server.environment.running().workers if each.pid]


@pytest.fixture(autouse=True)
def both_there(server: ServerProcess) -> None:
    """Begin when what an earlier test killed has been replaced."""
    wait_until(lambda: len(workers(server)) == 2, 20, what="two processes")


def client_of(server: ServerProcess, pid: int) -> AnyServiceInvoker:
    """Return a client whose connection was accepted by this process."""

    def attempt() -> AnyServiceInvoker | None:
        client = server.client()
        with suppress(NetworkError):
            if client.invoke("workers.who").data == pid:
                return client
        client.close()
        return None

    found = wait_until(attempt, 20, what=f"an answer of process {pid}")
    assert found is not None
    return found


@pytest.fixture
def pair(server: ServerProcess) -> Iterator[tuple[AnyServiceInvoker, AnyServiceInvoker]]:
    """A client of either process: its connection stays with the one that accepted it."""
    first, second = (client_of(server, pid) for pid in workers(server))
    with first, second:
        yield first, second


def invoke_many(server: ServerProcess, payload: dict[str, Any], count: int) -> list[str]:
    """Make background calls over several connections, and return their CIDs."""
    with ThreadPoolExecutor(8) as pool, server.client() as client:
        return list(
            pool.map(lambda number: client.invoke_async("workers.ran", {**payload, "label": number}).data, range(count))
        )


def ended_record(client: AnyServiceInvoker, cid: str) -> dict[str, Any]:
    """Return the record of a call once it has ended; nobody may be there to answer for a moment."""
    try:
        record: dict[str, Any] = client.result(cid).record
    except NetworkError:
        return {}
    return record if record["ended"] else {}


def busy_seconds(process: psutil.Process) -> float:
    """Return how long the threads of a process have run so far."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def becomes_quiet(process: psutil.Process) -> bool:
    """Tell whether a process does next to nothing."""
    before = busy_seconds(process)
    threading.Event().wait(0.3)
    return busy_seconds(process) - before < 0.03


def test_work_is_shared(server: ServerProcess, journal: Journal) -> None:
    """Of 1,000 background calls each process runs at least a quarter, and each call runs once."""
    invoke_many(server, journal.payload, CALLS)
    lines = [line.split() for line in journal.wait("ran", CALLS, timeout=40)]
    shares = Counter(pid for _, _, pid, _ in lines)
    assert {label for _, label, _, _ in lines} == {str(number) for number in range(CALLS)}
    assert len(lines) == CALLS
    assert set(map(int, shares)) == set(workers(server))
    assert min(shares.values()) >= CALLS / 4, shares


def test_waiting_costs_nothing(
    server: ServerProcess, journal: Journal, pair: tuple[AnyServiceInvoker, AnyServiceInvoker]
) -> None:
    """1,000 who wait for 1,000 outcomes take no thread and no query, and learn of those that another process makes."""
    here, there = pair
    process = psutil.Process(int(here.invoke("workers.who").data))
    cids = here.invoke("workers.plan", CALLS).data
    threads = process.num_threads()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(here.invoke, "workers.await", {**journal.payload, "cids": cids})
        wait_until(lambda: becomes_quiet(process), 20, what="1,000 who wait")
        before, began = busy_seconds(process), time.monotonic()
        threading.Event().wait(2)
        share = (busy_seconds(process) - before) / (time.monotonic() - began)
        grown = process.num_threads() - threads
        made = [_cancelled(there, cid) for cid in cids[:20]]
        woken = [line.split() for line in journal.wait("woke", 20)]
        there.invoke("workers.cancel", cids[20:])
        outcomes = waiting.result(30).data

    assert [cid for _, cid, _ in woken] == cids[:20]
    assert max(float(at) - done for (_, _, at), done in zip(woken, made, strict=True)) < WAKE_LIMIT
    assert (outcomes, share < 0.04, grown <= 0) == (CALLS, True, True), (share, grown)


def _is_replaced(server: ServerProcess, pid: int) -> bool:
    """Tell whether there are two processes, and not this one."""
    return pid not in workers(server) and len(workers(server)) == 2


def _cancelled(client: AnyServiceInvoker, cid: str) -> float:
    """Cancel a call, and return when that was done."""
    client.invoke("zato.invocation.cancel", {"cid": cid})
    return time.monotonic()


def _answers(server: ServerProcess) -> bool:
    """Tell whether a process answers; a connection may still go to the one that is dying."""
    with server.client() as client, suppress(NetworkError):
        return client.invoke("zato.ping").ok
    return False


@pytest.mark.parametrize("place", [0, 1], ids=["first", "second"])
def test_killed_worker_loses_nothing(server: ServerProcess, journal: Journal, place: int) -> None:
    """The other process goes on, the dead one is replaced, and every call has its outcome."""
    pids = workers(server)
    cids = invoke_many(server, {**journal.payload, "seconds": 0.1}, 400)
    journal.wait("ran", 20)
    psutil.Process(pids[place]).kill()
    killed = time.monotonic()
    with server.client() as client:
        statuses = Counter(wait_until(partial(ended_record, client, cid), 40)["status"] for cid in cids)

    other = str(pids[1 - place])
    again = [float(at) for _, _, pid, at in map(str.split, journal.lines("ran")) if pid == other and float(at) > killed]
    assert statuses == {"done": 400}
    assert min(again) - killed < GOES_ON_WITHIN
    wait_until(lambda: len(set(workers(server)) - set(pids)) == 1, what="a new process")
    assert server.logged(f"Worker {place + 1} was killed by SIGKILL")["level"] == "error"


def test_whoever_waits_outlives_the_other_process(
    server: ServerProcess, journal: Journal, pair: tuple[AnyServiceInvoker, AnyServiceInvoker]
) -> None:
    """A process that dies and is replaced neither ends the waiting of those in the other one, nor hides outcomes."""
    here, there = pair
    victim = int(there.invoke("workers.who").data)
    cids = here.invoke("workers.plan", 2).data
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(here.invoke, "workers.await", {**journal.payload, "cids": cids})
        psutil.Process(victim).kill()
        wait_until(partial(_is_replaced, server, victim), 20)
        with server.client() as client:
            woken_before = journal.lines("woke")
            client.invoke("workers.cancel", cids)
        outcomes = waiting.result(30).data
    assert (woken_before, outcomes) == ([], 2)


def test_service_that_kills_its_process_again_and_again(server: ServerProcess, journal: Journal) -> None:
    """Each time the process is replaced, more slowly in a row; meanwhile the other one answers."""
    pid = server.environment.running().pid
    for number in range(2):
        victim = workers(server)[1]
        with client_of(server, victim) as client, pytest.raises(NetworkError):
            client.invoke("workers.die", journal.payload)
        wait_until(partial(_answers, server), GOES_ON_WITHIN)
        wait_until(partial(_is_replaced, server, victim), 20)
        assert len(journal.lines("dies")) == number + 1
    assert server.environment.running().pid == pid
    deaths = [line["event"] for line in server.log() if "Worker 2 ended with status 7" in line["event"]]
    assert "died in a row" in deaths[-1]


def test_call_that_kills_its_process_does_not_circle_for_ever(server: ServerProcess, journal: Journal) -> None:
    """Once it lost its process more often than `max_takeovers` allows, it has failed."""
    with server.client() as client:
        cid = client.invoke_async("workers.die", journal.payload).data
    for line in journal.wait("dies", 3):
        wait_until(partial(_is_replaced, server, int(line.split()[1])), 20)
    with server.client() as client:
        record = client.result(cid, wait=20).record
    assert (record["status"], record["error"]["code"]) == ("failed", "process_died")
    assert len(journal.lines("dies")) == 3
