"""`zato password`: another password, and nothing else changed."""

import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.disks import NO_ROOM
from tests.support.environments import PASSWORD, ZATO, make_environment, run_zato
from tests.support.subprocesses import unmeasured_environment
from zato.environment import Environment
from zato.running import MANAGED, RunningServer

# Ends right before the new file takes the place of the old one.
KILLED = """
import os, pathlib, signal, sys
from zato.cli.main import main
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.argv = ["zato", "password", sys.argv[1], "pubapi"]
main()
"""


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment without a server."""
    return make_environment(tmp_path / "env")


def test_random_password(zato: Zato, environment: Environment) -> None:
    """It is written and not shown; the other user's stays, and so do the rights of the file."""
    done = zato("password", environment.path, "admin.invoke")
    found = environment.credentials()
    assert (done.code, done.out) == (0, f"New password of admin.invoke: in {environment.secrets}\n")
    assert re.fullmatch(r"[\w-]{32}", found.admin_invoke)
    assert (found.pubapi, environment.secrets.stat().st_mode & 0o777) == (PASSWORD, 0o600)


def test_shown_password(zato: Zato, environment: Environment) -> None:
    """Stdout holds it and nothing else."""
    done = zato("password", environment.path, "pubapi", "--show")
    assert done.out == f"{environment.credentials().pubapi}\n"
    assert "New password of pubapi" in done.err


@pytest.mark.parametrize("given", ["from stdin", 'quote " back \\ slash # hash', "\\1 \\g<1>"])
def test_password_from_stdin(environment: Environment, given: str) -> None:
    """The first line is the password, whatever is in it."""
    done = run_zato("password", str(environment.path), "pubapi", "--password-stdin", input=f"{given}\nmore\n")
    assert (done.returncode, environment.credentials().pubapi) == (0, given)


@pytest.mark.parametrize("given", ["", "\n", "short\n", "żółw żółw\n"])
def test_password_that_is_not_legal(environment: Environment, given: str) -> None:
    """It is refused, and the file stays."""
    done = run_zato("password", str(environment.path), "pubapi", "--password-stdin", input=given)
    assert (done.returncode, done.stderr) == (2, "Error: A password is 8 to 256 printable ASCII characters.\n")
    assert environment.credentials().pubapi == PASSWORD


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("pubapi='{}'", id="literal"),
        pytest.param('  "pubapi"  =  "{}"  # why', id="quoted-key"),
        pytest.param('pubapi = "\\u0074{}"', id="escape"),
        pytest.param("", id="missing"),
    ],
)
def test_rest_of_the_file_stays(zato: Zato, environment: Environment, line: str) -> None:
    """Comments, other lines and their order are as they were."""
    text = f"# mine: pubapi = 1\n{line.format(PASSWORD)}\nadmin_invoke = '{PASSWORD}' # keep\n\n# the end\n"
    environment.secrets.write_text(text)
    assert zato("password", environment.path, "pubapi").code == 0
    new = environment.credentials().pubapi
    kept = environment.secrets.read_text().replace(new, "")
    assert kept.replace(f'"pubapi"  =  "{new}"', "").count("#") == text.count("#")
    assert "# mine: pubapi = 1\n" in kept
    assert f"admin_invoke = '{PASSWORD}' # keep\n\n# the end\n" in kept


def test_line_that_is_not_understood(zato: Zato, environment: Environment) -> None:
    """Rather than to break the file, it is left to whoever wrote it so."""
    text = f'admin_invoke = "{PASSWORD}"\npubapi = """{PASSWORD}\n"""\n'
    environment.secrets.write_text(text)
    done = zato("password", environment.path, "pubapi")
    assert (done.code, "the line of 'pubapi' is not understood. Write it by hand." in done.err) == (2, True)
    assert environment.secrets.read_text() == text


@pytest.mark.parametrize(
    ("user", "hint"), [("admin.invok", "Did you mean 'admin.invoke'?"), ("x", "Users: admin.invoke, pubapi.")]
)
def test_unknown_user(zato: Zato, environment: Environment, user: str, hint: str) -> None:
    """The nearest one is named."""
    done = zato("password", environment.path, user)
    assert (done.code, f"there is no user {user!r}. {hint}" in done.err) == (2, True)


def test_password_is_no_argument(zato: Zato, environment: Environment) -> None:
    """It would be in every list of processes."""
    assert zato("password", environment.path, "pubapi", "new-password").code == 2


def test_running_server_has_the_old_one(zato: Zato, environment: Environment) -> None:
    """It says until when."""
    lock = environment.lock()
    done = zato("password", environment.path, "pubapi")
    environment.announce(replace(RunningServer.here("crm", "127.0.0.1", 1, stops_within=0), managed=True))
    managed = zato("password", environment.path, "pubapi")
    os.close(lock)
    assert f"refuses the new one, until it is restarted: zato restart {environment.path}\n" in done.out
    assert f"refuses the new one, until it is restarted: {MANAGED}\n" in managed.out


def test_killed_in_the_middle(zato: Zato, environment: Environment) -> None:
    """The old file is whole; the draft is private, and the next time removes it."""
    before = environment.secrets.read_bytes()
    subprocess.run([sys.executable, "-c", KILLED, str(environment.path)], check=False, timeout=60)
    draft = environment.path / "secrets.toml.new"
    assert (environment.secrets.read_bytes(), draft.stat().st_mode & 0o777) == (before, 0o600)
    assert zato("password", environment.path, "pubapi").code == 0
    assert not draft.exists()


def test_two_at_once(environment: Environment) -> None:
    """None undoes what another did."""
    with ThreadPoolExecutor() as pool:
        admin = pool.map(lambda _: environment.set_password("admin.invoke"), range(20))
        pubapi = pool.map(lambda _: environment.set_password("pubapi"), range(20))
        given = (set(admin), set(pubapi))
    found = environment.credentials()
    assert (found.admin_invoke in given[0], found.pubapi in given[1]) == (True, True)


def test_link_stays_a_link(zato: Zato, environment: Environment, tmp_path: Path) -> None:
    """Secrets may be kept elsewhere."""
    elsewhere = tmp_path / "elsewhere.toml"
    environment.secrets.rename(elsewhere)
    environment.secrets.symlink_to(elsewhere)
    assert zato("password", environment.path, "pubapi").code == 0
    assert environment.secrets.is_symlink()
    assert tomllib.loads(elsewhere.read_text())["pubapi"] != PASSWORD


def test_disk_that_is_full(environment: Environment) -> None:
    """The old file stays, and nothing of the new one."""
    before = sorted(environment.path.iterdir())
    call = [*NO_ROOM, ZATO, "password", str(environment.path), "pubapi"]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60, env=unmeasured_environment())
    assert (done.returncode, done.stderr) == (2, f"Error: {environment.secrets} cannot be written: File too large.\n")
    assert (environment.credentials().pubapi, sorted(environment.path.iterdir())) == (PASSWORD, before)
