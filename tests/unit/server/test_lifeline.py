"""A process ends with the one that started it."""

import socket
import subprocess
import sys

import psutil
import pytest

from tests.support.subprocesses import unmeasured_environment
from tests.support.waiting import wait_until
from zato.server.lifeline import watch

# Starts a child that ends with it, says its number, and waits for its own end.
PARENT = """
import socket, subprocess, sys, time
ours, theirs = socket.socketpair()
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(theirs.fileno())], pass_fds=[theirs.fileno()])
ours.recv(1)
print(child.pid, flush=True)
time.sleep(600)
"""
CHILD = """
import os, signal, socket, sys, time
from zato.server.lifeline import end_with_parent
line = socket.socket(fileno=int(sys.argv[1]))
end_with_parent(os.getppid(), line)
line.send(b".")
{then}
time.sleep(600)
"""
ORPHAN = """
import os, socket
from zato.server.lifeline import end_with_parent
ours, theirs = socket.socketpair()
end_with_parent(os.getppid() + 1, theirs)
print("alive")
"""


@pytest.mark.parametrize(
    "then",
    [
        pytest.param("", id="idle"),
        pytest.param("while True: pass", id="busy"),
        pytest.param("os.kill(os.getpid(), signal.SIGSTOP)", id="stopped"),
        pytest.param("signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))", id="deaf"),
    ],
)
def test_child_of_a_killed_parent_ends(then: str) -> None:
    """Whatever the child does, there is nobody left two seconds after the parent was killed."""
    call = [sys.executable, "-c", PARENT, CHILD.format(then=then)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, env=unmeasured_environment()) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 2, what="the child's end")


def test_parent_that_was_gone_before() -> None:
    """Who asks too late ends at once."""
    done = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


@pytest.mark.parametrize("unread", [b"", b"pulse"], ids=["read", "unread"])
def test_line_that_is_closed(unread: bytes) -> None:
    """Where the kernel does not help, the end of the line tells; words that nobody read do not hide it."""
    ended: list[bool] = []
    ours, theirs = socket.socketpair()
    with theirs:
        thread = watch(theirs, lambda: ended.append(True))
        theirs.send(unread or b".")
        if not unread:
            ours.recv(1)
        before = list(ended)
        ours.close()
        thread.join(5)
    assert (before, ended) == ([], [True])


def test_line_with_words_is_open() -> None:
    """What the other end says is no end."""
    ended: list[bool] = []
    ours, theirs = socket.socketpair()
    with theirs:
        thread = watch(theirs, lambda: ended.append(True))
        for _ in range(3):
            ours.send(b"x")
        wait_until(lambda: not _unread(theirs))
        before = list(ended)
        ours.close()
        thread.join(5)
    assert (before, ended) == ([], [True])


def _unread(line: socket.socket) -> bool:
    """Tell whether something waits to be read."""
    try:
        return bool(line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except BlockingIOError:
        return False


def test_other_systems_than_linux_watch_the_line() -> None:
    """There the process ends, too, when its parent's end of the line closes."""
    program = CHILD.replace("from zato", "sys.platform = 'darwin'\nfrom zato").format(then="")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        call = [sys.executable, "-c", program, str(theirs.fileno())]
        with subprocess.Popen(call, pass_fds=[theirs.fileno()], env=unmeasured_environment()) as child:
            theirs.close()
            ours.recv(1)
            ours.close()
            status = child.wait(10)
    assert status == 1
