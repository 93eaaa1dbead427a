"""`zato server list` and `zato server drain`: what a server tells of itself, and that it takes no new work."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.commands import Zato
from tests.support.environments import ServerProcess, make_environment, run_zato
from tests.support.waiting import wait_until
from zato import __version__

# What runs in these servers is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

SERVICES = """
import time
from pathlib import Path

from zato.server.service import Service


class Long(Service):
    name = "long"

    def handle(self):
        while not Path(self.request.payload).exists():
            time.sleep(0.01)
        return "ended"


class Short(Service):
    name = "short"

    def handle(self):
        return "ran"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two worker processes."""
    environment = make_environment(tmp_path_factory.mktemp("servers") / "env", {"s.py": SERVICES}, name="crm")
    with ServerProcess(environment, "--workers", "2") as server:
        yield server


@pytest.fixture(autouse=True)
def undone(server: ServerProcess) -> Iterator[None]:
    """Have the server take work again after each test, with both of its processes."""
    yield
    wait_until(lambda: all(worker.pid for worker in server.environment.running().workers), what="two processes")
    with server.client() as client:
        client.invoke("zato.server.drain", {"undo": True})
    wait_until(lambda: is_ready(server), what="a server that takes work again")


def is_ready(server: ServerProcess) -> bool:
    """Tell whether every process of the server says that it is ready, as far as can be seen from outside."""
    return all(answers_ready(server))


def answers_ready(server: ServerProcess) -> list[bool]:
    """Ask so often that each of two processes has very probably answered."""
    return [requests.get(f"{server.address}/zato/ready", timeout=10).ok for _ in range(12)]


def test_list_for_programs(zato: Zato, server: ServerProcess) -> None:
    """One object a server, with its processes."""
    [found] = json.loads(zato("server", "list", server.environment.path, "--json").out)
    pids = {worker.number: worker.pid for worker in server.environment.running().workers}
    assert found.pop("started").endswith("Z")
    assert 0 <= found.pop("ago") < 15
    assert found.pop("services") >= 15
    threads = {"total": 0, "busy": 0, "http_limit": 32, "http_running": 0, "http_waiting": 0}
    assert found.pop("threads").keys() == threads.keys()
    assert [worker.pop("threads")["http_limit"] for worker in found["workers"]] == [32, 32]
    assert found == {
        "name": "crm",
        "host": os.uname().nodename,
        "address": server.address,
        "version": __version__,
        "running": 0,
        "slots": 2 * 1032,
        "draining": False,
        "drained": False,
        "alive": True,
        "current": [],
        "workers": [{"worker": number, "pid": pids[number], "running": 0, "slots": 1032} for number in (1, 2)],
    }


def test_list_for_people(zato: Zato, server: ServerProcess) -> None:
    """A line a server, below headings."""
    done = zato("server", "list", server.environment.path)
    heads, line = done.out.splitlines()
    assert (done.code, heads.split()) == (
        0,
        ["server", "state", "address", "host", "version", "workers", "services", "running", "seen"],
    )
    assert line.split()[:6] == ["crm", "up", server.address, os.uname().nodename, __version__, "2"]


def test_draining_waits_for_what_runs(zato: Zato, server: ServerProcess, tmp_path: Path) -> None:
    """What runs ends and is recorded, what comes waits, and requests are answered meanwhile."""
    path, gate = server.environment.path, tmp_path / "gate"
    with server.client() as client:
        running = client.invoke_async("long", str(gate)).data
        wait_until(lambda: client.result(running).status == "running")
        late = zato("server", "drain", path, "--wait", 2.5)
        wait_until(lambda: not any(answers_ready(server)), what="processes that all know of it")
        waiting = client.invoke_async("short").data
        answered = client.invoke("short").data
        threading.Timer(0.5, gate.touch).start()
        done = zato("server", "drain", path)
        assert [client.result(cid).status for cid in (running, waiting)] == ["done", "waiting"]
        undone = zato("server", "drain", path, "--undo")
        assert client.result(waiting, wait=10).status == "done"
    assert late.code == 8
    assert "crm still runs 1 call after 2.5 s. It takes no new work: wait" in late.err
    assert (answered, done.code, done.out) == ("ran", 0, "crm takes no new work, and nothing runs there any more.\n")
    assert "crm drains: 1 call runs there" in done.err
    assert undone.out == "crm takes work again.\n"


def test_readiness_says_no_while_draining(zato: Zato, server: ServerProcess) -> None:
    """Balancers look elsewhere, and people are told why; also by the list, and by the server itself."""
    path = server.environment.path
    zato("server", "drain", path)
    ready = requests.get(f"{server.address}/zato/ready", timeout=10)
    status = zato("status", path)
    [listed] = json.loads(zato("server", "list", path, "--json").out)
    with server.client() as client:
        itself = client.invoke("zato.server.info").data
    assert (ready.status_code, "Not ready: draining." in ready.text) == (503, True)
    assert "not ready: Not ready: draining" in status.out
    assert (listed["draining"], listed["drained"], itself["draining"]) == (True, True, True)
    assert zato("server", "list", path).out.splitlines()[1].split()[1] == "drained"


def test_draining_does_not_wait_if_nobody_wants_to(zato: Zato, server: ServerProcess) -> None:
    """Programs get the object of the server as it is."""
    done = zato("server", "drain", server.environment.path, "--wait", 0, "--json")
    found = json.loads(done.out)
    assert (done.code, found["name"], found["draining"]) == (0, "crm", True)


def test_replaced_process_drains_too(zato: Zato, server: ServerProcess) -> None:
    """A worker process that dies while its server drains is followed by one that takes no work either."""
    path = server.environment.path
    zato("server", "drain", path)
    [_, victim, _] = server.processes()
    victim.kill()
    wait_until(
        lambda: victim.pid not in [process.pid for process in server.processes()] and len(server.processes()) == 3
    )
    with server.client() as client:
        cid = client.invoke_async("short").data
        done = zato("server", "drain", path)
        assert client.result(cid).status == "waiting"
    assert done.code == 0


def test_unknown_server_is_refused(zato: Zato, server: ServerProcess) -> None:
    """The nearest name is suggested, or all are named."""
    near, far = (zato("server", "drain", server.environment.path, "--server", name) for name in ("crn", "zzz"))
    assert (near.code, near.out) == (4, "")
    assert "There is no server 'crn'. Did you mean 'crm'?" in near.err
    assert "There is no server 'zzz'. Servers: crm." in far.err


def test_draining_ends_with_a_restart(tmp_path: Path) -> None:
    """A server that was drained before an upgrade takes work after it."""
    environment = make_environment(tmp_path / "env")
    with ServerProcess(environment):
        assert run_zato("server", "drain", str(environment.path)).returncode == 0
    with ServerProcess(environment) as server:
        assert is_ready(server)


def test_no_server_runs(zato: Zato, tmp_path: Path) -> None:
    """Whom to ask is a server of the cluster."""
    environment = make_environment(tmp_path / "env")
    done = zato("server", "list", environment.path)
    assert (done.code, f"Start one with 'zato start {environment.path}'" in done.err) == (3, True)
