"""Who may have a port, and who has it."""

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path

import pytest

from tests.support.environments import free_port, make_environment
from tests.support.subprocesses import unmeasured_environment
from zato.core.errors import EnvironmentFault
from zato.environment import Environment
from zato.ports import claim, reserve

REFUSED = [
    pytest.param("no-such-host.invalid", "The server cannot listen on 'no-such-host.invalid': ", id="unknown-name"),
    pytest.param("a..b", "Check 'host' in config.toml", id="impossible-name"),
    pytest.param("x" * 80, "Check 'host' in config.toml", id="name-too-long"),
    pytest.param("192.0.2.1", "Check 'host' in config.toml", id="another-machine"),
]
# Asks for a port each time it is told when, says whether it got it, and lets go when told to.
ASKS = """
import sys, time
from zato.core.errors import EnvironmentFault
from zato import ports
from zato.ports import reserve
ports.PROC = ports.PROC / "self" / "task"  # whose it is takes long to find out, and is not asked here
for line in sys.stdin:
    while time.monotonic() < float(line):
        pass
    try:
        kept = reserve("127.0.0.1", int(sys.argv[1]))
    except EnvironmentFault:
        kept = None
    print("yes" if kept else "no", flush=True)
    sys.stdin.readline()
    if kept:
        kept.close()
    print(flush=True)
"""


def worker_socket(port: int) -> socket.socket:
    """Return a socket that listens as those of worker processes do."""
    made = socket.socket()
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        made.setsockopt(socket.SOL_SOCKET, option, 1)
    made.bind(("127.0.0.1", port))
    made.listen()
    return made


@pytest.mark.parametrize(("host", "words"), REFUSED)
def test_host_that_cannot_be_listened_on(host: str, words: str) -> None:
    """The message names the host and where it is set."""
    with pytest.raises(EnvironmentFault) as caught:
        reserve(host, free_port())
    assert words in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize("shares", [False, True], ids=["alone", "sharing"])
def test_port_that_is_taken(host: str, shares: bool) -> None:
    """Whoever listens there on any address keeps it, even if he would share it."""
    with socket.create_server((host, 0), reuse_port=shares) as other:
        port = other.getsockname()[1]
        with pytest.raises(EnvironmentFault) as caught:
            reserve("127.0.0.1", port)
    assert str(caught.value) == (f"Port {port} on 127.0.0.1 is taken by another program. Choose another with --port.")


@pytest.mark.parametrize("listens", [True, False], ids=["listens", "does-not-listen-just-then"])
def test_port_of_another_environment(tmp_path: Path, listens: bool) -> None:
    """The server that has it is named by its folder."""
    port = free_port()
    lock = make_environment(tmp_path / "crm").lock()
    with reserve("127.0.0.1", port), worker_socket(port) if listens else nullcontext():
        claim(lock, port)
        with pytest.raises(EnvironmentFault) as caught:
            reserve("127.0.0.1", port)
    os.close(lock)
    assert str(caught.value) == (
        f"Port {port} on 127.0.0.1 is taken by the server of {tmp_path / 'crm'}. Choose another with --port."
    )


@pytest.mark.parametrize("ended", [True, False], ids=["that-has-ended", "on-another-port"])
def test_server_that_is_not_to_blame(tmp_path: Path, ended: bool) -> None:
    """One on another port is not blamed, nor one that had the port, though somebody looks at its lock."""
    lock = Environment(tmp_path).lock()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        claim(lock, port if ended else port - 1)
        if ended:
            fcntl.flock(lock, fcntl.LOCK_UN)
        with pytest.raises(EnvironmentFault, match="by another program"):
            reserve("127.0.0.1", port)
    os.close(lock)


def test_port_that_an_earlier_server_had(tmp_path: Path) -> None:
    """A server that starts again, and finds its port taken by another program, does not blame itself."""
    environment = make_environment(tmp_path / "env")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        killed = environment.lock()
        claim(killed, port)
        os.close(killed)
        lock = environment.lock()
        with pytest.raises(EnvironmentFault, match="by another program"):
            reserve("127.0.0.1", port)
    os.close(lock)


def test_lock_on_a_full_disk() -> None:
    """That the port cannot be said in it is no reason not to start."""
    with Path("/dev/full").open("wb", buffering=0) as full:
        claim(full.fileno(), 1)


def test_two_who_ask_at_the_same_moment() -> None:
    """Exactly one gets the port, each time: one in a hundred attempts used to give it to both."""
    call = [sys.executable, "-c", ASKS, str(free_port())]
    begin = partial(
        subprocess.Popen,
        call,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=unmeasured_environment(),
    )
    with begin() as first, begin() as second:
        answers = Counter(_asked(first, second) for _ in range(600))
        for each in (first, second):
            each.communicate()
    assert set(answers) == {("no", "yes")}


def _asked(*processes: "subprocess.Popen[str]") -> tuple[str, ...]:
    """Have all processes ask at once, then let go, and return what they were told."""
    told = _each(processes, f"{time.monotonic() + 0.001}")
    _each(processes, "let go")
    return told


def _each(processes: Sequence["subprocess.Popen[str]"], line: str) -> tuple[str, ...]:
    """Say something to all processes, and return what they answer."""
    for each in processes:
        assert each.stdin is not None
        each.stdin.write(f"{line}\n")
    return tuple(sorted(each.stdout.readline().strip() for each in processes if each.stdout is not None))


def test_port_is_kept_from_others_and_shared_with_workers() -> None:
    """From its reservation to its end a server has the port, whether a process of it listens just then or not."""
    port = free_port()
    with reserve("127.0.0.1", port):
        with pytest.raises(EnvironmentFault, match="is taken"):
            reserve("127.0.0.1", port)
        with worker_socket(port), worker_socket(port), pytest.raises(EnvironmentFault, match="is taken"):
            reserve("127.0.0.1", port)
        with pytest.raises(EnvironmentFault, match="is taken"):
            reserve("0.0.0.0", port)
    reserve("127.0.0.1", port).close()


def test_nobody_connects_to_a_reservation() -> None:
    """It does not listen, or it would get a share of the connections and answer none."""
    port = free_port()
    with reserve("127.0.0.1", port), socket.socket() as client:
        refused = client.connect_ex(("127.0.0.1", port))
        with worker_socket(port) as worker:
            worker.settimeout(5)
            for _ in range(20):
                with closing(socket.create_connection(("127.0.0.1", port))):
                    worker.accept()[0].close()
    assert refused != 0


def test_remains_of_connections_are_no_obstacle() -> None:
    """A server can start again at once after one that closed connections."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            door.accept()[0].close()
            client.recv(1)
    reserve("127.0.0.1", port).close()


def test_port_that_needs_other_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says from which number on no rights are needed."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(EnvironmentFault, match=r"^Port 80 on 127\.0\.0\.1 cannot be used: Permission denied\. .* 1024"):
        reserve("127.0.0.1", 80)
