"""`zato completion`: what a real shell completes."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import ZATO, ServerProcess, make_environment
from tests.support.subprocesses import children_unmeasured
from tests.support.waiting import wait_until

# Completes the words of a command as bash does when the tabulator is pressed.
BASH = """
set -e
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_zato_completion zato "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
SERVICE = "from zato.server.service import Service\nclass Order(Service):\n    def handle(self):\n        return 1\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that runs."""
    environment = make_environment(tmp_path_factory.mktemp("completion") / "env", {"crm.py": SERVICE})
    with children_unmeasured():
        server = ServerProcess(environment)
    with server:
        yield server


@pytest.fixture
def path(server: ServerProcess) -> str:
    """The folder of the server's environment."""
    return str(server.environment.path)


@pytest.fixture
def script(zato: Zato, tmp_path: Path) -> Path:
    """What bash reads once, to be able to complete."""
    file = tmp_path / "script"
    file.write_text(zato("completion", "bash").out)
    return file


def completed(script: Path, *words: str) -> list[str]:
    """Return what bash offers for the last of some words. Nothing is ever said beside that."""
    variables = {**os.environ, "PATH": f"{Path(ZATO).parent}:{os.environ['PATH']}", "HOME": str(script.parent)}
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", str(script), "zato", *words],
        capture_output=True,
        check=False,
        text=True,
        timeout=20,
        env=variables,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["sta"], ["start", "status"], id="command"),
        pytest.param(["service", "inv"], ["invoke"], id="group"),
        pytest.param(["logs", "--l"], ["--lines", "--level"], id="option"),
        pytest.param(["logs", "--level", "w"], ["warning"], id="choice"),
        pytest.param(["log-level", "env", "de"], ["debug", "default"], id="optional-argument"),
        pytest.param(["completion", ""], ["bash", "zsh", "fish"], id="argument"),
        pytest.param(["config", "explain", "-", "ret"], ["retention", "return_tracebacks"], id="setting"),
        pytest.param(["password", "env", "ad"], ["admin.invoke"], id="user"),
        pytest.param(["nonsense", "x"], [], id="no-command"),
        pytest.param(["logs", "/no/such/folder", "--service", "x"], [], id="no-server"),
    ],
)
def test_bash_completes(script: Path, words: list[str], expected: list[str]) -> None:
    """Commands, options and names; where there is nothing to say, nothing is said."""
    assert completed(script, *words) == expected


def test_services_of_a_running_server(script: Path, path: str) -> None:
    """Their names come from the server, if it answers within a second; a busy machine is asked again."""
    # To be measured takes most of the second.
    with children_unmeasured():
        wait_until(lambda: completed(script, "logs", path, "--service", "crm") == ["crm.order"], 30, what="a service")


def test_server_that_never_answers(script: Path, server: ServerProcess, path: str) -> None:
    """A person who presses the tabulator waits for a second, not for the server."""
    os.killpg(server.process.pid, signal.SIGSTOP)
    try:
        assert completed(script, "logs", path, "--service", "crm") == []
    finally:
        os.killpg(server.process.pid, signal.SIGCONT)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_is_legal(zato: Zato, tmp_path: Path, shell: str) -> None:
    """The shell itself finds no mistake in it; where there is no such shell, the script names the command at least."""
    script = tmp_path / "script"
    script.write_text(zato("completion", shell).out)
    assert "_ZATO_COMPLETE" in script.read_text()
    if program := shutil.which(shell):
        done = subprocess.run([program, "-n", str(script)], capture_output=True, check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
