"""`zato start --detach`: it returns when the server answers, or says why it does not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.commands import Zato
from tests.support.disks import NO_ROOM
from tests.support.environments import ZATO, make_environment, run_zato
from tests.support.subprocesses import unmeasured_environment
from tests.support.waiting import wait_until
from zato.environment import Environment

HANGS = "import time\nfrom pathlib import Path\nPath(__file__).with_suffix('.began').touch()\ntime.sleep(3600)\n"
# Prints once it is told to.
PRINTS = """
import threading
from pathlib import Path
def wait():
    while not Path(__file__).parents[1].joinpath("go").exists():
        threading.Event().wait(0.02)
    print("from a service", flush=True)
threading.Thread(target=wait, daemon=True).start()
"""
# The command line, where what a detached server prints goes to a full disk.
FULL = """
from zato.cli import detached, main
detached.ZATO = ("sh", "-c", 'exec "$0" "$@" >/dev/full 2>&1', *detached.ZATO)
main.main()
"""
WORDY = "for number in range(30):\n    print('line', number, flush=True)\n"


def processes_of(environment: Environment) -> list[psutil.Process]:
    """Return every process whose command names the environment."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = process.info["cmdline"] or []
        if str(environment.path) in command and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


@contextmanager
def ended(environment: Environment) -> Iterator[None]:
    """End what was started in the context, whatever happens."""
    try:
        yield
    finally:
        for process in processes_of(environment):
            process.kill()


def test_detached_server_goes_on(zato: Zato, tmp_path: Path) -> None:
    """When the command is back the server answers; it has no terminal, and `zato stop` ends it."""
    environment = make_environment(tmp_path / "env")
    with ended(environment):
        done = run_zato("start", str(environment.path), "--detach", "--workers", "2", start_new_session=True)
        answer = zato("service", "invoke", environment.path, "zato.ping")
        running = environment.running()
        session = os.getsid(running.pid)
        stopped = zato("stop", environment.path)
    assert (done.returncode, done.stderr) == (0, "")
    first, *_, last = done.stdout.splitlines()
    assert first == f"Server server1 answers at {running.address} (process {running.pid}, 2 workers)"
    assert last == f"  stop      zato stop {environment.path}"
    assert (answer.code, session, stopped.code) == (0, running.pid, 0)


@pytest.mark.parametrize(
    ("files", "config", "words"),
    [
        pytest.param({}, "workers = 1.5", "workers = 1.5 is not of type int", id="bad-setting"),
        pytest.param({}, "port = ", "is no TOML", id="bad-file"),
        pytest.param({"wordy.py": WORDY}, "", "server.new cannot be written: Is a directory", id="wordy-services"),
    ],
)
def test_server_that_does_not_start(tmp_path: Path, files: dict[str, str], config: str, words: str) -> None:
    """The last 20 lines of what it said are shown, and the exit status is 1."""
    environment = make_environment(tmp_path / "env", files)
    with (environment.path / "config.toml").open("a") as file:
        file.write(f"{config}\n")
    (environment.run / "server.new").mkdir()
    done = run_zato("start", str(environment.path), "--detach")
    *said, last = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert words in said[-1]
    assert len(said) == (20 if files else 1)
    ended_with = f"it ended with status 2. 'zato doctor {environment.path}' may say why."
    assert last == f"Error: The server of {environment.path} did not start: {ended_with}"


def test_server_that_runs_already(zato: Zato, tmp_path: Path) -> None:
    """A second one says so, and does not pass for a success; what the first one prints is kept whole."""
    environment = make_environment(tmp_path / "env", {"prints.py": PRINTS})
    printed = environment.logs / "start.log"
    with ended(environment):
        first, second = (run_zato("start", str(environment.path), "--detach") for _ in range(2))
        (environment.path / "go").touch()
        wait_until(lambda: "from a service" in printed.read_text())
        assert zato("stop", environment.path).code == 0
    assert (first.returncode, second.returncode, second.stdout) == (0, 1, "")
    refusal = f"Error: A server of {environment.path} runs already. Stop it with 'zato stop {environment.path}'.\n"
    assert second.stderr.startswith(refusal)
    assert "another command has started it meanwhile" in second.stderr
    assert printed.read_text() == f"{first.stdout}{refusal}from a service\n"


def test_what_an_earlier_server_printed_goes(zato: Zato, tmp_path: Path) -> None:
    """The file is of the last start, though a process of an earlier one may still write to what it had."""
    environment = make_environment(tmp_path / "env")
    printed = environment.logs / "start.log"
    printed.write_text("of an earlier server\n")
    with ended(environment), printed.open("a") as earlier:
        done = run_zato("start", str(environment.path), "--detach")
        earlier.write("late\n")
        earlier.flush()
        assert zato("stop", environment.path).code == 0
    assert printed.read_text() == done.stdout


def test_server_whose_words_go_nowhere(zato: Zato, tmp_path: Path) -> None:
    """That its greeting cannot be kept, on a full disk, neither ends it nor makes the command wait for ever."""
    environment = make_environment(tmp_path / "env")
    call = [sys.executable, "-c", FULL, "start", str(environment.path), "--detach"]
    with ended(environment):
        done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60)
        answer = zato("service", "invoke", environment.path, "zato.ping")
        stopped = zato("stop", environment.path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"Server of {environment.path} answers\n", "")
    assert (answer.code, stopped.code) == (0, 0)


def test_disk_that_is_full(tmp_path: Path) -> None:
    """A server that could not even say why it ended is no riddle."""
    environment = make_environment(tmp_path / "env")
    call = [*NO_ROOM, ZATO, "start", str(environment.path), "--detach"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60, env=unmeasured_environment())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f". 'zato doctor {environment.path}' may say why.\n")


def test_server_that_takes_too_long(zato: Zato, tmp_path: Path) -> None:
    """It is stopped when `--timeout` is over, and nothing is left of it."""
    environment = make_environment(tmp_path / "env", {"hangs.py": HANGS})
    with ended(environment):
        done = zato("start", environment.path, "--detach", "--timeout", 2)
        left = processes_of(environment)
    assert (done.code, done.out, left) == (1, "", [])
    assert f"The server of {environment.path} did not start: it did not answer within 2 s, and was stopped." in done.err


def test_command_that_is_interrupted(tmp_path: Path) -> None:
    """Whoever does not wait for the server does not get one."""
    environment = make_environment(tmp_path / "env", {"hangs.py": HANGS})
    call = [ZATO, "start", str(environment.path), "--detach"]
    with ended(environment):
        with subprocess.Popen(call, stderr=subprocess.PIPE, preexec_fn=_mind_interrupts) as starting:  # noqa: PLW1509
            wait_until((environment.services / "hangs.began").exists, 20)
            starting.send_signal(signal.SIGINT)
            assert starting.stderr is not None
            err = starting.stderr.read()
        left = processes_of(environment)
    assert (starting.returncode, err, left) == (130, b"\nAborted!\n", [])


def _mind_interrupts() -> None:
    """React to Ctrl-C, also where this process was started to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_log_that_cannot_be_written(zato: Zato, tmp_path: Path) -> None:
    """The file is named, with the system's reason, and nothing is started."""
    environment = make_environment(tmp_path / "env")
    environment.logs.rmdir()
    environment.logs.touch()
    done = zato("start", environment.path, "--detach")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"Error: {environment.logs} cannot be written: File exists.\n"
