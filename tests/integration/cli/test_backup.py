"""`zato backup` and `zato restore`, beside a server that runs and without one."""

import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import ZATO, ServerProcess, make_environment
from tests.support.subprocesses import children_unmeasured
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.environment import Environment

SERVICE = """
from zato.server.service import Service

class Keep(Service):
    name = "keep.it"

    def handle(self):
        return self.request.payload
"""


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment whose server does not run."""
    return make_environment(tmp_path / "env", {"keep.py": SERVICE})


@pytest.fixture
def server(environment: Environment) -> Iterator[ServerProcess]:
    """Its server."""
    with children_unmeasured(), ServerProcess(environment) as running:
        yield running


def _call(server: ServerProcess, payload: str, *, delay: float | None = None) -> str:
    with server.client() as client:
        cid = client.invoke_async("keep.it", payload, delay=delay).data
        if delay is None:
            assert client.result(cid, wait=10).data == payload
        return str(cid)


def _status(server: ServerProcess, cid: str) -> str | None:
    with server.client() as client:
        return client.result(cid).status


def test_a_server_that_runs_is_backed_up_and_restored(zato: Zato, server: ServerProcess, tmp_path: Path) -> None:
    """What was accepted after the backup is gone after the restoration, all else is there, and the server goes on."""
    path, file = server.environment.path, tmp_path / "file with space.db"
    kept, delayed = _call(server, "kept"), _call(server, "delayed", delay=3600)
    backed_up = zato("backup", path, file)
    gone = _call(server, "gone")
    restored = zato("restore", path, file, "--yes")
    copy = server.environment.data / "broker.db.before-restore"

    assert (backed_up.code, backed_up.err, backed_up.out) == (
        0,
        "",
        f"Backed up to {file}: 1 call without outcome, 1 outcome.\nRestore it with: zato restore {path} '{file}'\n",
    )
    assert (restored.code, restored.err, restored.out) == (
        0,
        "",
        f"Restored from {file}: 1 call without outcome, 1 outcome.\n"
        f"What it replaced is in {copy}. Delete that file, or go back with: zato restore {path} {copy}\n",
    )
    assert [_status(server, cid) for cid in (kept, delayed, gone)] == ["done", "delayed", None]
    assert _status(server, _call(server, "new")) == "done"


@children_unmeasured()
def test_what_a_stopped_server_had_accepted_runs_elsewhere(
    zato: Zato, environment: Environment, tmp_path: Path
) -> None:
    """A backup brings calls to another environment that has the same services."""
    with ServerProcess(environment) as server:
        delayed = _call(server, "delayed", delay=1)
        server.kill()
    assert zato("backup", environment.path, tmp_path / "backup.db").code == 0
    other = make_environment(tmp_path / "other", {"keep.py": SERVICE})
    restored = zato("restore", other.path, tmp_path / "backup.db", "--yes")

    assert (restored.code, restored.out.count("\n")) == (0, 1)
    with ServerProcess(other) as server, server.client() as client:
        assert client.result(delayed, wait=10).data == "delayed"


def test_without_a_terminal_nobody_can_be_asked(zato: Zato, environment: Environment, tmp_path: Path) -> None:
    """A script says that it means it; without that, nothing is changed."""
    _backed_up(zato, environment, tmp_path / "backup.db")
    with (tmp_path / "empty").open("w+") as stdin:
        command = [ZATO, "restore", str(environment.path), str(tmp_path / "backup.db")]
        done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("Nobody is there to be asked; if that is meant, give --yes.\n")
    assert not list(environment.data.glob("*.before-restore"))


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_a_person_is_asked(zato: Zato, environment: Environment, tmp_path: Path, *, answer: str, code: int) -> None:
    """They are shown what the file holds and what it means; only a yes is one."""
    _backed_up(zato, environment, tmp_path / "backup.db")
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    command = [ZATO, "restore", str(environment.path), str(tmp_path / "backup.db")]
    done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, check=False, timeout=60)
    os.close(ours)
    os.close(theirs)

    assert (done.returncode, done.stdout.splitlines()[:2]) == (
        code,
        [
            f"{tmp_path / 'backup.db'} holds 0 calls without outcome, 0 outcomes.",
            "Calls that have run since it was made run again; calls that were accepted since are gone.",
        ],
    )
    assert len(list(environment.data.glob("*.before-restore"))) == (1 if code == 0 else 0)


def test_a_file_that_is_there_is_not_overwritten(zato: Zato, environment: Environment, tmp_path: Path) -> None:
    """The message names it, and says what to do."""
    file = tmp_path / "backup.db"
    _backed_up(zato, environment, file)
    done = zato("backup", environment.path, file)

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"Error: {file} is there already, and is not overwritten. Name a file that does not exist yet.\n"
    )


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_folder_that_is_no_environment(zato: Zato, tmp_path: Path, command: str) -> None:
    """It is said before anything is read or written."""
    done = zato(command, tmp_path, tmp_path / "backup.db", *(["--yes"] if command == "restore" else []))

    assert (done.code, done.out, "is no environment" in done.err) == (2, "", True)
    assert list(tmp_path.iterdir()) == []


def test_a_text_is_no_backup(zato: Zato, environment: Environment, tmp_path: Path) -> None:
    """One line says so, and the environment stays without a store."""
    (tmp_path / "backup.db").write_text("hello")
    done = zato("restore", environment.path, tmp_path / "backup.db", "--yes")

    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert list(environment.data.iterdir()) == []


def _backed_up(zato: Zato, environment: Environment, file: Path) -> None:
    """Make a store, as a server does at its start, and a backup of it."""
    open_backend(Location("sqlite", environment.data), SystemClock()).close()
    assert zato("backup", environment.path, file).code == 0
