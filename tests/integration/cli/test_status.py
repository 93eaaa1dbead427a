"""`zato status`: where the server answers, and its processes."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import ServerProcess, make_environment
from zato.environment import Environment
from zato.running import RunningServer, RunningWorker

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two worker processes, which takes its time to stop."""
    environment = make_environment(tmp_path_factory.mktemp("status") / "env", name="crm", drain=1.5)
    with ServerProcess(environment, "--workers", "2") as server:
        yield server


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Environment]:
    """An environment that is locked as if by a server, without one."""
    environment = make_environment(tmp_path / "env")
    lock = environment.lock()
    yield environment
    os.close(lock)


def test_running_server_is_shown(zato: Zato, server: ServerProcess) -> None:
    """The process to send signals to comes first, then its workers."""
    done = zato("status", server.environment.path)
    pids = [process.pid for process in server.processes()]
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        f"Server crm runs at {server.address} (process {pids[0]}), ready",
        f"  worker 1  process {pids[1]}",
        f"  worker 2  process {pids[2]}",
    ]


def test_status_for_programs(zato: Zato, server: ServerProcess) -> None:
    """The same as a JSON object."""
    pids = [process.pid for process in server.processes()]
    assert json.loads(zato("status", server.environment.path, "--json").out) == {
        "name": "crm",
        "pid": pids[0],
        "address": server.address,
        "ready": True,
        "reason": "",
        "workers": [{"number": number, "pid": pids[number], "deaths": 0} for number in (1, 2)],
        "broker": "sqlite",
        "cluster": None,
        "calls": None,
    }


def test_server_that_stops_is_not_ready(zato: Zato, tmp_path: Path) -> None:
    """The reason is the one that `/zato/ready` gives."""
    with ServerProcess(make_environment(tmp_path / "env", drain=3)) as server:
        server.process.send_signal(signal.SIGTERM)
        server.logged("Server server1 stops")
        done = zato("status", server.environment.path)
    assert "not ready: " in done.out
    assert "stopping" in done.out


def test_workers_that_died_are_counted(zato: Zato, other: Environment) -> None:
    """Also one that is being replaced just now; whatever does not answer is not ready."""
    workers = (RunningWorker(1, 17, 0), RunningWorker(2, 18, 1), RunningWorker(3, None, 2))
    other.announce(RunningServer(os.getpid(), "crm", "127.0.0.1", 1, 0.0, workers=workers))
    done = zato("status", other.path)
    first, *rest = done.out.splitlines()
    assert first.startswith(
        f"Server crm runs at http://127.0.0.1:1 (process {os.getpid()}), not ready: it does not answer"
    )
    assert rest == [
        "  worker 1  process 17",
        "  worker 2  process 18, replaced once",
        "  worker 3  being replaced, replaced 2 times",
    ]


def test_server_that_starts_has_not_said_anything(zato: Zato, other: Environment) -> None:
    """The exit status is the one for no server; the message says what to do."""
    done = zato("status", other.path)
    assert (done.code, done.out) == (3, "")
    assert f"Wait for it: 'zato wait {other.path}'" in done.err


def test_no_server(zato: Zato, tmp_path: Path) -> None:
    """It says how to start one, whatever an earlier one has left behind."""
    environment = make_environment(tmp_path / "env")
    environment.announce(RunningServer(os.getpid(), "crm", "127.0.0.1", 1, 0.0))
    done = zato("status", environment.path)
    assert (done.code, done.out) == (3, "")
    assert f"Start one with 'zato start {environment.path}'" in done.err
