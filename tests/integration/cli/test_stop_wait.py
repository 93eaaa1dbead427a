"""`zato stop` and `zato wait`, with a server that runs."""

import errno
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.commands import Zato
from tests.support.environments import ZATO, ServerProcess, make_environment
from tests.support.waiting import wait_until
from zato.running import RunningServer

# What a server does at its stop is measured where it does that in the tests' own process.
pytestmark = pytest.mark.usefixtures("unmeasured")

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


FORKS = """
import os, signal, warnings
from zato.server.service import Service

warnings.simplefilter("ignore", DeprecationWarning)

class Fork(Service):
    def handle(self):
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            signal.pause()
        return child
"""

POOL = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from zato.server.service import Service

def length(text):
    return len(text)

class Count(Service):
    def handle(self):
        with ProcessPoolExecutor(1) as pool:
            return [multiprocessing.get_start_method(), pool.submit(length, "abcdef").result()]
"""


@contextmanager
def default_interrupt() -> Iterator[None]:
    """Have children react to SIGINT, which this process may ignore."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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


def test_stop_of_somebody_elses_server(zato: Zato, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may not stop it is told so in one line."""

    def refuse(pid: int, number: int) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    environment = make_environment(tmp_path / "env")
    lock = environment.lock()
    environment.announce(RunningServer.here("crm", "127.0.0.1", 1, stops_within=0))
    monkeypatch.setattr(os, "kill", refuse)
    done = zato("stop", environment.path)
    os.close(lock)
    assert (done.code, f"Process {os.getpid()} belongs to another user" in done.err) == (2, True)


def test_stop_does_not_wait_with_those_who_wait(zato: Zato, tmp_path: Path) -> None:
    """A client that waits for an outcome gets the status as it is, whether it came before the stop or during it."""
    environment = make_environment(tmp_path / "env", drain=2, grace=40)
    with ServerProcess(environment) as server, server.client() as client, ThreadPoolExecutor() as pool:
        cid = client.invoke_async("zato.ping", delay=3600).data
        waiting = pool.submit(client.result, cid, 50)
        started = time.monotonic()
        stopped = zato("stop", environment.path)
        taken = time.monotonic() - started
        answer = waiting.result(30)
    assert (stopped.code, answer.status, taken < 20) == (0, "delayed", True)


def test_server_killed_beside_a_child_it_forked(tmp_path: Path) -> None:
    """A child that a service forked keeps neither the lock nor the port: a new server starts at once."""
    environment = make_environment(tmp_path / "env", {"crm.py": FORKS})
    with ServerProcess(environment) as server, server.client() as client:
        child = int(client.invoke("crm.fork").data)
        server.process.kill()
        server.process.wait()
        try:
            with ServerProcess(environment) as again, again.client() as next_client:
                answer = next_client.invoke("zato.ping").data
                alive = psutil.pid_exists(child)
        finally:
            os.kill(child, signal.SIGKILL)
    assert (answer, alive) == ({"pong": "zato"}, True)


def test_processes_of_a_service_are_spawned(tmp_path: Path) -> None:
    """A pool of processes works in a service, though the server has threads."""
    environment = make_environment(tmp_path / "env", {"crm.py": POOL})
    with ServerProcess(environment) as server, server.client() as client:
        answer = client.invoke("crm.count").data
    assert answer == ["spawn", 6]


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
    # A pipe is written to once the command has come so far as to look at it.
    os.mkfifo(environment.run / "server.lock")
    # Whoever is started by a shell's background job ignores Ctrl-C, and so would its children.
    with (
        default_interrupt(),
        subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiting,
    ):
        try:
            with (environment.run / "server.lock").open("w"):
                waiting.send_signal(signal.SIGINT)
                out, err = waiting.communicate(timeout=20)
        finally:
            waiting.kill()
    assert (waiting.returncode, out, err.strip()) == (130, "", "Aborted!")
