"""One worker process, with this test as its supervisor. With a real one it is tested in `integration`."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.support.environments import make_environment
from tests.support.subprocesses import unmeasured_environment
from zato.environment import Environment
from zato.server.orders import Orders, Report, said_in
from zato.server.supervisor import COMMAND

FOLLY = """
import asyncio, atexit, threading, time
from pathlib import Path
from zato.server.service import AsyncService

async def stay():
    await asyncio.to_thread(time.sleep, 3600)

threading.Thread(target=time.sleep, args=(3600,)).start()
task = asyncio.get_running_loop().create_task(stay())
"""


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment."""
    return make_environment(tmp_path / "env")


@contextmanager
def worker(environment: Environment) -> Iterator[tuple["subprocess.Popen[bytes]", BinaryIO]]:
    """Yield a worker process that has its orders, and what it says."""
    lock = environment.lock()
    ours, theirs = socket.socketpair()
    orders = Orders(
        path=str(environment.path),
        settings=environment.settings(),
        credentials=environment.credentials(),
        worker=1,
        run="0a1b2c3d",
        parent=os.getpid(),
        lock=lock,
        to_stream=False,
    )
    call = [*COMMAND, str(environment.path), "worker-1", str(theirs.fileno())]
    handles = [theirs.fileno(), lock]
    with ours, theirs, subprocess.Popen(call, pass_fds=handles, env=unmeasured_environment()) as process:
        theirs.close()
        ours.sendall(orders.to_line())
        with ours.makefile("rb") as said:
            try:
                yield process, said
            finally:
                process.kill()
    os.close(lock)


def reported(said: BinaryIO) -> Report:
    """Return the report of a process, which follows what it says of the files that it imports."""
    while not isinstance(what := said_in(said.readline()), Report):
        pass
    return what


def test_process_that_cannot_work_says_why(environment: Environment) -> None:
    """Its exit status is that of the error, and it prints nothing."""
    (environment.data / "broker.db").write_bytes(b"no database" * 1000)
    with worker(environment) as (process, said):
        report = reported(said)
        status = process.wait(60)
    assert "no usable broker file" in report.fault
    assert status == 2


def test_process_reports_when_it_answers(environment: Environment) -> None:
    """It says how many services there are and which are not, gives a sign of life, and ends at SIGTERM alone."""
    (environment.services / "broken.py").write_text("1 / 0")
    with worker(environment) as (process, said):
        report, pulse = reported(said), said.read(1)
        process.send_signal(signal.SIGINT)
        alive = said.read(1)
        for _ in range(2):
            process.terminate()
        status = process.wait(60)
    assert (report.services, len(report.errors), report.fault) == (0, 1, "")
    assert (pulse, alive, status) == (b".", b".", 0)


def test_threads_that_services_began_do_not_keep_the_process(environment: Environment) -> None:
    """After the stop they have two seconds."""
    (environment.services / "folly.py").write_text(FOLLY)
    with worker(environment) as (process, said):
        report = reported(said)
        process.terminate()
        status = process.wait(60)
    assert (report.errors, status) == ((), 0)
