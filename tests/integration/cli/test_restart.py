"""`zato restart`: the same server again, or the old one untouched."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.commands import Zato
from tests.support.environments import ZATO, ServerProcess, free_port, make_environment, run_zato
from zato.environment import Environment
from zato.running import MANAGED, RunningServer

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """A server that was started detached, on another port than the one in its file, by a variable and two options."""
    environment = make_environment(tmp_path_factory.mktemp("restart") / "env")
    options = ("--port", str(free_port()), "--workers", "2")
    started = run_zato("start", str(environment.path), "--detach", *options, env={**os.environ, "ZATO_GRACE": "7"})
    assert started.returncode == 0, started.stderr
    try:
        yield environment
    finally:
        # Also if no server says where it is.
        for process in psutil.process_iter(["cmdline"]):
            if str(environment.path) in (process.info["cmdline"] or []):
                process.kill()


@pytest.fixture
def config(environment: Environment) -> Iterator[Path]:
    """Its settings, put back after the test."""
    before = environment.config.read_text()
    yield environment.config
    environment.config.write_text(before)


def test_server_comes_back_as_it_was_started(zato: Zato, environment: Environment) -> None:
    """Port and workers of its command line and variables of its start are kept; the process is another."""
    before = environment.running()
    done = run_zato("restart", str(environment.path))
    after = environment.running()
    assert (done.returncode, done.stderr) == (0, "")
    first, second, *_ = done.stdout.splitlines()
    assert first == f"Stopped (process {before.pid})."
    assert second == f"Server server1 answers at {before.address} (process {after.pid}, {len(before.workers)} workers)"
    assert (after.port, after.settings["grace"], after.pid != before.pid) == (before.port, 7.0, True)
    assert zato("service", "invoke", environment.path, "zato.ping").code == 0


def test_options_of_the_restart_win(environment: Environment) -> None:
    """What is given now is kept by the next restart."""
    port = environment.running().port
    manager = {**os.environ, "NOTIFY_SOCKET": "/of/who/keeps/the/shell"}
    assert run_zato("restart", str(environment.path), "--workers", "3", env=manager).returncode == 0
    assert run_zato("restart", str(environment.path)).returncode == 0
    after = environment.running()
    assert (after.port, len(after.workers)) == (port, 3)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        pytest.param("workers = 1.5", "workers = 1.5 is not of type int", id="bad-setting"),
        pytest.param("port = ", "is no TOML", id="bad-file"),
        pytest.param('tls_cert = "no.pem"\ntls_key = "no.pem"', "no.pem cannot be read", id="no-certificate"),
        pytest.param('broker = "nothing"', "broker = 'nothing' is not known", id="unknown-broker"),
        pytest.param('host = "192.0.2.1"', "The server cannot listen on '192.0.2.1'", id="not-our-address"),
    ],
)
def test_what_could_not_start_stops_nothing(
    zato: Zato, environment: Environment, config: Path, lines: str, words: str
) -> None:
    """The mistake is named, and the same process goes on."""
    before = environment.running()
    config.write_text(f"{config.read_text()}\n{lines}\n")
    done = zato("restart", environment.path)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert environment.running().pid == before.pid


def test_passwords_that_others_can_read_stop_nothing(zato: Zato, environment: Environment) -> None:
    """They would keep the new server from starting."""
    before = environment.running()
    environment.secrets.chmod(0o644)
    done = zato("restart", environment.path)
    environment.secrets.chmod(0o600)
    assert (done.code, f"chmod 600 {environment.secrets}" in done.err) == (2, True)
    assert environment.running().pid == before.pid


def test_without_a_server_it_is_a_start(zato: Zato, tmp_path: Path) -> None:
    """It says so; a mistake in the settings is named before anything is started."""
    environment = make_environment(tmp_path / "env")
    refused = zato("restart", environment.path, "--port", "0")
    done = run_zato("restart", str(environment.path))
    stopped = zato("stop", environment.path)
    assert (refused.code, "out of range" in refused.err) == (2, True)
    assert done.stdout.splitlines()[0] == f"No server of {environment.path} runs: this is a start."
    assert (done.returncode, stopped.code) == (0, 0)


def test_server_that_has_not_said_where_it_is(zato: Zato, tmp_path: Path) -> None:
    """One that starts just now is neither stopped nor doubled."""
    environment = make_environment(tmp_path / "env")
    lock = environment.lock()
    done = zato("restart", environment.path)
    os.close(lock)
    assert (done.code, "has not said yet where it answers" in done.err) == (3, True)


def test_what_a_server_says_of_its_start(environment: Environment) -> None:
    """Its file names what overrode `config.toml`, and when it was started."""
    said = json.loads((environment.run / "server.json").read_text())
    assert said["since"].endswith("Z")
    assert ["environment variable ZATO_GRACE", {"grace": "7"}] in said["layers"]


def test_server_that_does_not_come_back(environment: Environment) -> None:
    """The command that starts it as it was started is shown, and does so."""
    before = environment.running()
    in_the_way = environment.run / "server.new"
    in_the_way.mkdir()
    done = run_zato("restart", str(environment.path))
    in_the_way.rmdir()
    _, shown, command = done.stderr.partition("may say why. Start it as it was with: ")
    variables = {**os.environ, "PATH": f"{Path(ZATO).parent}:{os.environ['PATH']}"}
    again = subprocess.run(["sh", "-c", command], env=variables, capture_output=True, check=False, timeout=60)
    after = environment.running()
    assert (done.returncode, bool(shown), again.returncode) == (1, True, 0)
    assert (after.port, len(after.workers), after.layers) == (before.port, len(before.workers), before.layers)


def test_server_that_a_service_manager_keeps(zato: Zato, tmp_path: Path) -> None:
    """It would come back outside of that, so it goes on."""
    environment = make_environment(tmp_path / "env")
    with ServerProcess(environment, env={"NOTIFY_SOCKET": str(tmp_path / "notify")}) as server:
        done = zato("restart", environment.path)
        ended = server.process.poll()
    assert (done.code, done.out, done.err, ended) == (2, "", f"Error: {MANAGED}\n", None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts processes of others")
def test_server_of_somebody_else(zato: Zato, tmp_path: Path) -> None:
    """Root would bring it back as root, so it goes on."""
    environment = make_environment(tmp_path / "env")
    lock = environment.lock()
    with subprocess.Popen(["sleep", "60"], user=65534) as server:
        environment.announce(RunningServer(server.pid, "crm", "127.0.0.1", 1, 0.0))
        done = zato("restart", environment.path)
        ended = server.poll()
        server.kill()
    os.close(lock)
    assert (done.code, done.out, ended) == (2, "", None)
    assert f"process {server.pid}, belongs to user nobody, and would come back as root." in done.err


def test_server_that_another_command_has_started_meanwhile(tmp_path: Path) -> None:
    """Whoever is late says so, rather than to wait for the new server's end."""
    environment = make_environment(tmp_path / "env")
    port = environment.settings().port
    lock = environment.lock()
    with subprocess.Popen(["sleep", "60"]) as old:
        environment.announce(RunningServer(old.pid, "crm", "127.0.0.1", port, 0.0))
        with subprocess.Popen([ZATO, "restart", str(environment.path)], stderr=subprocess.PIPE, text=True) as late:
            old.wait(30)
            environment.announce(RunningServer.here("crm", "127.0.0.1", port, stops_within=0.0))
            _, err = late.communicate(timeout=30)
    os.close(lock)
    assert late.returncode == 1
    assert "did not start: another command has started it meanwhile. 'zato status " in err
    assert "Start it as it was" not in err
