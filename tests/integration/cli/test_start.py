"""`zato start`: what it prints, what it obeys, how it ends."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.commands import Zato
from tests.support.environments import ZATO, ServerProcess, free_port, make_environment, run_zato
from tests.support.waiting import wait_until

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

GOOD = """
from zato.server.service import Service

class Hello(Service):
    def handle(self):
        return "hello"
"""
BROKEN = "import os\n\nos.nothing()\n"
TWICE = GOOD + "\nclass Other(Service):\n    name = 'good.hello'\n    def handle(self):\n        pass\n"
HANGS = "import time\nfrom pathlib import Path\nPath(__file__).with_suffix('.began').touch()\ntime.sleep(3600)\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose folder has good and broken files, on another port than its settings say."""
    files = {"good.py": GOOD, "broken.py": BROKEN, "twice.py": TWICE}
    environment = make_environment(tmp_path_factory.mktemp("start") / "env", files)
    variables = {"ZATO_NAME": "from-variable", "ZATO_PORT": "1"}
    with ServerProcess(environment, "--port", str(free_port()), "--fg", env=variables) as server:
        yield server


def test_start_says_all_one_needs_to_know(server: ServerProcess) -> None:
    """Address, users, where services go, and how to end it."""
    printed = wait_until(lambda: [line for line in server.output.read_text().splitlines() if line[:1] != "{"])
    path = server.environment.path
    assert [line for line in printed if "NOT LOADED" not in line] == [
        f"Server from-variable answers at {server.address} (process {server.process.pid})",
        "  users     admin.invoke for /zato/admin/invoke",
        f"            passwords are in {path / 'secrets.toml'}",
        f"  services  2 from {path / 'services'}",
        f"  stop      Ctrl-C, or: zato stop {path}",
    ]


def test_port_on_the_command_line_wins(server: ServerProcess) -> None:
    """The server is neither where `config.toml` says nor where a variable does, and commands find it all the same."""
    assert server.environment.running().port not in {1, server.environment.settings().port}


def test_variable_wins_over_the_file(zato: Zato, server: ServerProcess) -> None:
    """`ZATO_NAME` names the server."""
    done = zato("service", "invoke", server.environment.path, "zato.server.info")
    assert '"name": "from-variable"' in done.out


def test_broken_files_are_reported(server: ServerProcess) -> None:
    """Each is named with its line and what is wrong, on the screen and in the log."""
    services = server.environment.services
    reasons = [
        f"{services / 'broken.py'}:3: AttributeError: module 'os' has no attribute 'nothing'",
        f"{services / 'twice.py'}:8: Other is named 'good.hello', as is good.Hello in {services / 'good.py'}. "
        "Give one of them another 'name'.",
    ]
    assert [reason for reason in reasons if f"  NOT LOADED {reason}\n" not in server.output.read_text()] == []
    assert [server.logged(f"Not deployed: {reason}")["level"] for reason in reasons] == ["error", "error"]


def test_traceback_of_a_broken_file_is_logged(server: ServerProcess) -> None:
    """Whoever wrote the file can see how it came to the error, without our own frames."""
    trace = server.logged("Not deployed: ", timeout=1)["exception"]
    assert trace.rstrip().endswith("AttributeError: module 'os' has no attribute 'nothing'")
    assert "zato/server/loader.py" not in trace


def test_other_files_work(zato: Zato, server: ServerProcess) -> None:
    """A broken file does not stop the others, nor a broken class those beside it."""
    names = [zato("service", "invoke", server.environment.path, name).out for name in ("good.hello", "twice.hello")]
    assert names == ["hello\n", "hello\n"]


def test_processes_stay_in_the_callers_group(server: ServerProcess) -> None:
    """Whatever ends the group ends the server."""
    assert {os.getpgid(process.pid) for process in server.processes()} == {server.process.pid}


def test_processes_block_no_signals(server: ServerProcess) -> None:
    """What a service starts can be interrupted as usual."""
    masks = [Path(f"/proc/{process.pid}/status").read_text() for process in server.processes()]
    assert [mask for mask in masks if "SigBlk:\t0000000000000000\n" not in mask] == []


def test_second_server_leaves_the_first_alone(zato: Zato, server: ServerProcess) -> None:
    """It is refused, on whatever port, and commands still find the first."""
    refused = zato("start", server.environment.path, "--port", free_port())
    answered = zato("service", "invoke", server.environment.path, "zato.ping")
    assert (refused.code, "runs already" in refused.err, answered.code) == (2, True, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_signal_ends_the_server(tmp_path: Path, number: signal.Signals) -> None:
    """It says goodbye in the log, leaves no address behind and ends with status 0."""
    with ServerProcess(make_environment(tmp_path / "env")) as server:
        server.process.send_signal(number)
        code = server.process.wait(60)

    assert (code, server.log()[-1]["event"]) == (0, "Server server1 stops")
    assert not (server.environment.run / "server.json").exists()


@pytest.mark.parametrize(
    ("send", "number"),
    [
        pytest.param(os.killpg, signal.SIGINT, id="ctrl-c"),
        pytest.param(os.killpg, signal.SIGTERM, id="sigterm-to-the-group"),
        pytest.param(os.kill, signal.SIGTERM, id="sigterm"),
    ],
)
def test_file_that_never_ends_its_import_can_be_interrupted(
    tmp_path: Path, send: Callable[[int, int], None], number: signal.Signals
) -> None:
    """One signal is enough while a server starts, whatever its services do meanwhile, and nobody prints a traceback."""
    environment = make_environment(tmp_path / "env", {"hangs.py": HANGS})
    server = ServerProcess(environment)
    try:
        wait_until((environment.services / "hangs.began").exists, 20)
        send(server.process.pid, number)
        code = server.process.wait(60)
    finally:
        server.kill()
    assert (code, environment.is_locked()) == (0, False)
    assert [json.loads(line)["event"] for line in server.output.read_text().splitlines()] == ["Server server1 stops"]


def test_server_that_cannot_say_where_it_is(tmp_path: Path) -> None:
    """On a full disk, for instance, the file is named, and everything is closed as if it had been stopped."""
    environment = make_environment(tmp_path / "env")
    (environment.run / "server.new").mkdir()
    done = run_zato("start", str(environment.path))
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        f"Error: {environment.run / 'server.new'} cannot be written: Is a directory.\n",
    )
    assert [file.name for file in environment.data.iterdir()] == ["broker.db"]


@pytest.mark.parametrize("output", [">/dev/full", "2>&1 | true"], ids=["full", "unread"])
def test_output_that_cannot_be_written(zato: Zato, tmp_path: Path, output: str) -> None:
    """A server that cannot print its greeting says so in its log, and serves."""
    environment = make_environment(tmp_path / "env")
    command = ["bash", "-o", "pipefail", "-c", f'"$0" start "$1" {output}; echo $?', ZATO, str(environment.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as shell:
        assert zato("wait", environment.path).code == 0
        log = environment.logs / "server.log"
        said = wait_until(lambda: [line for line in log.read_text().splitlines() if "cannot be printed" in line])
        stopped = zato("stop", environment.path)
        status = shell.communicate(timeout=20)[0]
    assert (len(said), stopped.code, status) == (1, 0, b"0\n")


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0"])
def test_host_can_be_a_name_or_every_address(tmp_path: Path, host: str) -> None:
    """Commands reach the server wherever it listens."""
    with ServerProcess(make_environment(tmp_path / "env", host=host)) as server:
        done = run_zato("service", "invoke", str(server.environment.path), "zato.ping")
    assert done.stdout == '{"pong": "zato"}\n'


def test_environment_can_be_moved(tmp_path: Path) -> None:
    """A folder holds no path of its own; one with a space will do."""
    environment = make_environment(tmp_path / "env", {"good.py": GOOD})
    environment.path.rename(tmp_path / "moved here")
    with ServerProcess(type(environment)(tmp_path / "moved here")) as server:
        done = run_zato("service", "invoke", str(server.environment.path), "good.hello")
        printed = server.output.read_text()
    assert done.stdout == "hello\n"
    assert f"zato stop '{tmp_path / 'moved here'}'" in printed


def test_killed_server_starts_again(tmp_path: Path) -> None:
    """Nothing that a killed server leaves behind has to be cleared away by hand."""
    environment = make_environment(tmp_path / "env")
    with ServerProcess(environment) as server:
        server.kill()
        left = environment.run / "server.json"
        assert left.exists()
    with ServerProcess(environment) as again:
        assert psutil.Process(environment.running().pid).pid == again.process.pid
