"""`zato stop` and `zato wait`, with a server that runs."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import ZATO, ServerProcess, make_environment
from tests.support.waiting import wait_until

# Says that it began, and ends once the file `go` is there.
PATIENT = """
import time
from pathlib import Path
from zato.server.service import Service

HERE = Path(__file__).parent

class Patient(Service):
    def handle(self):
        (HERE / "began").touch()
        while not (HERE / "go").exists():
            time.sleep(0.01)
        (HERE / "ended").touch()
        return "done"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server with a service that takes as long as the test wants."""
    with ServerProcess(make_environment(tmp_path / "env", {"crm.py": PATIENT})) as server:
        yield server


def begin(server: ServerProcess, *options: str) -> "subprocess.Popen[str]":
    """Invoke the patient service, and return once it runs."""
    call = [ZATO, "service", "invoke", str(server.environment.path), "crm.patient", *options]
    calling = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until((server.environment.services / "began").exists, 20)
    return calling


def stopping_of(server: ServerProcess) -> "subprocess.Popen[bytes]":
    """Give the command `zato stop`, and do not wait for it."""
    return subprocess.Popen([ZATO, "stop", str(server.environment.path)], stdout=subprocess.DEVNULL)


def test_stop_returns_once_the_server_has_ended(zato: Zato, server: ServerProcess) -> None:
    """When the command is back, another server can start."""
    pid = server.environment.running().pid
    done = zato("stop", server.environment.path)
    assert (done.code, done.out, done.err) == (0, f"Stopped (process {pid}).\n", "")
    assert not server.environment.is_locked()


def test_stop_lets_work_end(server: ServerProcess) -> None:
    """A request in progress gets its answer before the server goes."""
    with begin(server) as calling, stopping_of(server) as stopping:
        server.logged("Server server1 stops")
        (server.environment.services / "go").touch()
        out, err = calling.communicate(timeout=30)
    assert (out, err, stopping.returncode) == ("done\n", "", 0)


def test_stop_gives_back_background_work_that_takes_too_long(zato: Zato, tmp_path: Path) -> None:
    """A background call that outlives the grace period runs again when the server is started again."""
    environment = make_environment(tmp_path / "env", {"crm.py": PATIENT}, grace=0.1)
    with ServerProcess(environment) as server, begin(server, "--async") as calling:
        cid = calling.communicate(timeout=30)[0].strip()
        assert zato("stop", environment.path).code == 0
    (environment.services / "go").touch()
    with ServerProcess(environment):
        record = json.loads(zato("invocation", "show", environment.path, cid, "--wait", "20", "--json").out)
    assert (record["status"], record["response"]) == ("done", "done")


def test_second_stop_ends_the_server_at_once(server: ServerProcess) -> None:
    """Whoever asks twice does not want to wait for work in progress."""
    with begin(server) as calling:
        with stopping_of(server):
            server.logged("Server server1 stops")
            server.process.send_signal(signal.SIGTERM)
        _, err = calling.communicate(timeout=30)
    assert (server.process.wait(), calling.returncode) == (1, 3)
    assert "closed the connection before its reply was complete" in err
    assert not (server.environment.services / "ended").exists()


def test_stop_does_not_need_the_settings(zato: Zato, server: ServerProcess) -> None:
    """A mistake in `config.toml` made since the start does not keep the server running."""
    (server.environment.path / "config.toml").write_text("port = ")
    assert zato("stop", server.environment.path).code == 0


def test_server_that_does_not_stop(zato: Zato, server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that reacts to nothing is named, with the way to end it."""
    monkeypatch.setattr("zato.cli.control.MARGIN", -1000.0)
    server.process.send_signal(signal.SIGSTOP)
    done = zato("stop", server.environment.path)
    server.process.send_signal(signal.SIGCONT)
    pid = server.process.pid
    assert (done.code, done.out) == (2, "")
    assert f"Process {pid} has not stopped. End it with 'kill -9 {pid}'." in done.err


def test_wait_returns_when_the_server_is_ready(zato: Zato, tmp_path: Path) -> None:
    """The command may be given before the server is there; it says nothing."""
    environment = make_environment(tmp_path / "env")
    server = ServerProcess(environment)
    try:
        done = zato("wait", environment.path)
        answer = zato("service", "invoke", environment.path, "zato.ping")
    finally:
        server.stop()
    assert (done.code, done.out, done.err, answer.code) == (0, "", "", 0)


def test_wait_does_not_take_a_stopping_server_for_a_ready_one(zato: Zato, tmp_path: Path) -> None:
    """A server that still answers, but says that it is about to close its doors, is not ready."""
    with ServerProcess(make_environment(tmp_path / "env", drain=3)) as server:
        server.process.send_signal(signal.SIGTERM)
        server.logged("Server server1 stops")
        done = zato("wait", server.environment.path, "--timeout", "0.1")
        answered = zato("service", "invoke", server.environment.path, "zato.ping")
    assert (done.code, answered.code) == (3, 0)


def test_wait_can_be_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends it without a traceback."""
    environment = make_environment(tmp_path / "env")
    call = [ZATO, "wait", str(environment.path)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting:
        wait_until((environment.run / "server.lock").exists, 20)
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=20)
    assert (waiting.returncode, out, err.strip()) == (1, "", "Aborted!")
