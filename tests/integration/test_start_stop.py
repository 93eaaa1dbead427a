"""How a server and all its processes begin and end: by signals, by force, beside others, on what others left behind."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.doors import ADMIN, connect, head, services
from tests.support.environments import ZATO, ServerProcess, free_port, make_environment, run_zato
from tests.support.journals import Journal
from tests.support.waiting import wait_until
from zato.client import NetworkError
from zato.environment import Environment

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

BOTH = ("--workers", "2")
FOLLOWS_WITHIN = 2.0


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal whose gate is open at the end."""
    made = Journal(tmp_path)
    yield made
    made.open()


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment whose services wait at gates."""
    return make_environment(tmp_path / "env", services("gates_api"), lease=120.0)


def is_gone(process: psutil.Process) -> bool:
    """Tell whether a process has ended, waited for or not."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_killed_server_leaves_no_process(environment: Environment, journal: Journal) -> None:
    """Its workers end with it, one that is busy and one that is stopped; what is left behind is no obstacle."""
    with ServerProcess(environment, *BOTH) as server, server.client() as client:
        first, second = environment.running().workers
        cids = [client.invoke_async(name, journal.payload).data for name in ("gates.wait", "gates.wait-on-loop")]
        journal.wait("begun", 2)
        os.kill(second.pid or 0, signal.SIGSTOP)
        found = server.processes()
        os.kill(environment.running().pid, signal.SIGKILL)
        wait_until(lambda: all(map(is_gone, found)), FOLLOWS_WITHIN, what="the end of all processes")
    assert len(found) == 3

    (environment.run / "server.json").write_text('{"pid": 1, "name"')
    (environment.run / "worker-1.bell").unlink()
    (environment.run / "worker-1.bell").touch()
    journal.open()
    with ServerProcess(environment, *BOTH) as server, server.client() as client:
        records = [client.result(cid, wait=30).record for cid in cids]
    assert [(record["status"], record["takeovers"]) for record in records] == [("done", 1)] * 2
    assert first.pid != second.pid


def test_moved_environment_of_a_killed_server(tmp_path: Path) -> None:
    """It starts at once: nobody else uses an embedded store, whatever was heard of there a moment ago."""
    before = make_environment(tmp_path / "before", broker="sqlite", lease=120.0)
    with ServerProcess(before) as server:
        server.kill()
    moved = Environment(before.path.rename(tmp_path / "after"))

    with ServerProcess(moved) as server:
        events = [line["event"] for line in server.log()]
    assert not [event for event in events if "this start waits" in event]


def test_port_of_another_environment(environment: Environment, tmp_path: Path) -> None:
    """A second server is refused in one line that names the port and whose it is, and touches nothing."""
    second = make_environment(tmp_path / "second", port=environment.settings().port)
    port = environment.settings().port
    with ServerProcess(environment, *BOTH):
        done = run_zato("start", str(second.path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Error: Port {port} on 127.0.0.1 is taken by the server of {environment.path}. Choose another with --port.\n"
    )
    assert [*second.data.iterdir(), *second.logs.iterdir()] == []


def test_port_of_another_program(tmp_path: Path) -> None:
    """The same for anybody's, also if it would share the port."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        port = other.getsockname()[1]
        done = run_zato("start", str(make_environment(tmp_path / "env", port=port).path))
    assert done.returncode == 2
    assert done.stderr == (
        f"Error: Port {port} on 127.0.0.1 is taken by another program. Choose another with --port.\n"
    )


@pytest.mark.parametrize("same", ["environment", "port"])
def test_two_starts_at_the_same_moment(tmp_path: Path, same: str) -> None:
    """Of two servers of one environment, or on one port, exactly one runs."""
    port = free_port()
    first = make_environment(tmp_path / "first", port=port)
    second = first if same == "environment" else make_environment(tmp_path / "second", port=port)
    starts = [
        subprocess.Popen([ZATO, "start", str(each.path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for each in (first, second)
    ]
    wait_until(lambda: any(start.poll() is not None for start in starts), 20)
    refused, runs = sorted(starts, key=lambda start: start.poll() is None)
    winner = (first, second)[starts.index(runs)]
    waited = run_zato("wait", str(winner.path), "--timeout", "20").returncode
    alive = winner.running().pid == runs.pid
    runs.terminate()
    outputs = [start.communicate(timeout=20) for start in (refused, runs)]
    assert (refused.returncode, waited, alive, runs.returncode) == (2, 0, True, 0)
    assert outputs[0][1].startswith("Error: ")
    assert len(outputs[0][1].splitlines()) == 1


def test_stop_by_signal(environment: Environment, journal: Journal) -> None:
    """Not ready for `drain`, then the doors close; what has not ended after `grace` is released; then it is over."""
    with ServerProcess(_with(environment, drain=1.5, grace=0.5), *BOTH) as server, server.client() as client:
        cid = client.invoke_async("gates.wait", journal.payload).data
        journal.wait("begun")
        address = server.address
        with connect(address) as half_sent:
            half_sent.sendall(head(Content_Length=100) + b"half")
            server.process.terminate()
            wait_until(lambda: requests.get(f"{address}/zato/ready", timeout=5).status_code == 503, what="not ready")
            answered = requests.get(f"{address}/zato/ping", timeout=5, auth=ADMIN).status_code
            wait_until(lambda: _refuses(address), 5, what="closed doors")
            alive = server.process.poll() is None
            status = server.process.wait(10)
    journal.open()
    with ServerProcess(environment) as server, server.client() as client:
        record = client.result(cid, wait=30).record
    assert (answered, alive, status) == (200, True, 0)
    assert (record["status"], record["attempts"], record["takeovers"]) == ("done", 1, 0)


def _with(environment: Environment, **settings: float) -> Environment:
    """Return the environment with other settings in its file."""
    config = environment.path / "config.toml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith(tuple(settings))]
    config.write_text("\n".join([*lines, *(f"{name} = {value}" for name, value in settings.items())]))
    return environment


def _refuses(address: str) -> bool:
    try:
        connect(address).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=["sigterm", "ctrl-c", "end-of-a-terminal"]
)
def test_signal_to_every_process(environment: Environment, journal: Journal, number: signal.Signals) -> None:
    """What systemd and terminals send to the whole group is the same stop: requests in progress get their answers."""
    with ServerProcess(environment, *BOTH) as server, server.client() as client, ThreadPoolExecutor(1) as pool:
        calling = pool.submit(client.invoke, "gates.wait", journal.payload)
        journal.wait("begun")
        os.killpg(server.process.pid, number)
        server.logged("Server server1 stops")
        journal.open()
        answer = calling.result(20).data
        status = server.process.wait(60)
        errors = [line["event"] for line in server.log() if line["level"] == "error"]
    assert (answer, status, errors) == ("through", 0, [])
    assert "Traceback" not in server.output.read_text()


def test_second_interrupt_ends_everything_at_once(environment: Environment, journal: Journal) -> None:
    """Whoever presses Ctrl-C twice does not want to wait for work in progress."""
    with ServerProcess(environment, *BOTH) as server, server.client() as client, ThreadPoolExecutor(1) as pool:
        calling = pool.submit(client.invoke, "gates.wait", journal.payload)
        journal.wait("begun")
        found = server.processes()
        os.killpg(server.process.pid, signal.SIGINT)
        server.logged("Server server1 stops")
        os.killpg(server.process.pid, signal.SIGINT)
        wait_until(lambda: all(map(is_gone, found)), FOLLOWS_WITHIN, what="the end of all processes")
        with pytest.raises(NetworkError):
            calling.result(20)
        wait_until(lambda: not environment.is_locked(), FOLLOWS_WITHIN, what="the end of the lock")
    assert server.process.wait() == 1


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lambda run: (run.rmdir(), run.touch()), "server.lock cannot be opened: ", id="is-a-file"),
        pytest.param(lambda run: (run / "worker-1.bell").mkdir(), "No socket can be made in ", id="no-socket"),
        pytest.param(lambda run: (run / "server.json").mkdir(), "server.json cannot be removed: ", id="no-address"),
    ],
)
def test_folder_run_that_cannot_be_written(
    environment: Environment, spoil: Callable[[Path], object], words: str
) -> None:
    """One line says what cannot be made, and why."""
    spoil(environment.run)
    done = run_zato("start", str(environment.path), *BOTH)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
