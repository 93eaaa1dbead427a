"""The unit of docs/howto/run-under-systemd.md: what it says fits the server, and what it runs works."""

import configparser
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environments import ZATO, ServerProcess, make_environment, run_zato
from tests.support.waiting import wait_until
from zato.cli.readiness import probe
from zato.core.settings import Settings
from zato.environment import Environment
from zato.server.files import ENOUGH
from zato.server.supervisor import CLEANS_UP_WITHIN

UNIT = Path(__file__).parents[2] / "docs" / "examples" / "openzato.service"
PROGRAM, FOLDER = "/opt/openzato/bin/zato", "/var/lib/openzato/crm"
SERVICES = {
    "programs.py": """
import subprocess
from pathlib import Path

from zato.server.service import Service


class Program(Service):
    name = "program"

    def handle(self):
        Path("BEGUN").touch()
        command = "until [ -e GO ]; do sleep 0.05; done; echo complete"
        return subprocess.run(["sh", "-c", command], capture_output=True, text=True).stdout.strip()
"""
}


@pytest.fixture
def unit() -> configparser.SectionProxy:
    """Read the section of the service; a line that stands there twice is an error."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT.read_text("utf-8"))
    return parser["Service"]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen as systemd does, for what a server says of itself."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        yield listening


def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    """Every line is one that systemd knows, with a value that it takes."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")
    (tmp_path / UNIT.name).write_text(UNIT.read_text("utf-8").replace(PROGRAM, ZATO), "utf-8")

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / UNIT.name)],
        capture_output=True,
        check=False,
        text=True,
    )

    assert (done.returncode, [line for line in done.stderr.splitlines() if UNIT.name in line]) == (0, [])


def test_systemd_waits_for_as_long_as_a_stop_may_take(unit: configparser.SectionProxy) -> None:
    """A server that stops in order is not killed, and one that may open all the files it can use may do so."""
    settings = Settings()

    assert int(unit["TimeoutStopSec"]) > settings.drain + settings.grace + CLEANS_UP_WITHIN
    assert int(unit["LimitNOFILE"]) == ENOUGH


def test_command_of_the_unit_says_when_the_server_answers(
    unit: configparser.SectionProxy, manager: socket.socket, tmp_path: Path
) -> None:
    """What systemd waits for under Type=notify comes once, when requests are answered; SIGTERM ends it with 0."""
    environment = make_environment(tmp_path / "env")
    command = unit["ExecStart"].replace(PROGRAM, ZATO).replace(FOLDER, str(environment.path)).split()
    variables = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    server = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        said = manager.recv(1000)
        ready = probe(environment.running()).ready
    finally:
        server.terminate()
        status = server.wait(30)

    assert (unit["Type"], said, ready, status) == ("notify", b"READY=1", True, 0)


def test_program_of_a_service_ends_in_peace(unit: configparser.SectionProxy, tmp_path: Path) -> None:
    """With KillMode=mixed the supervisor alone gets SIGTERM: a program that a service runs is not cut off."""
    environment = programs_in(tmp_path)
    with ServerProcess(environment) as first, first.client() as client:
        cid = client.invoke_async("program").data
        wait_until((tmp_path / "begun").exists, what="the program")
        first.process.send_signal(signal.SIGTERM)
        first.logged("stops")
        (tmp_path / "go").touch()
        first.process.wait(30)
    with ServerProcess(environment) as second, second.client() as client:
        result = client.result(cid, wait=10)

    assert unit["KillMode"] == "mixed"
    assert (result.status, result.data, result.record["attempts"]) == ("done", "complete", 1)


def test_stop_by_command_is_no_failure(unit: configparser.SectionProxy, tmp_path: Path) -> None:
    """After `zato stop` the exit status is 0, so that Restart=on-failure leaves the server stopped."""
    with ServerProcess(make_environment(tmp_path / "env")) as server:
        stopped = run_zato("stop", str(server.environment.path))
        status = server.process.wait(30)

    assert unit["Restart"] == "on-failure"
    assert (stopped.returncode, status) == (0, 0)


def programs_in(folder: Path) -> Environment:
    """Make an environment with a service that runs a program until a file is there."""
    services = {
        name: text.replace("BEGUN", str(folder / "begun")).replace("GO", str(folder / "go"))
        for name, text in SERVICES.items()
    }
    return make_environment(folder / "env", services)
