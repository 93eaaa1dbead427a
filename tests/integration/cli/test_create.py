"""`zato create`."""

import os
import re
import shlex
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.disks import NO_ROOM
from tests.support.environments import ZATO
from tests.support.rights import not_as_root
from tests.support.subprocesses import unmeasured_environment
from zato.core.settings import Settings, describe
from zato.environment import Environment
from zato.hashing import matches

FOLDERS = {"services", "user-config", "data", "run", "logs"}
REFUSED = [
    pytest.param("--port", "0", "port = 0 is out of range: 1 to 65535", id="port-zero"),
    pytest.param("--port", "65536", "port = 65536 is out of range: 1 to 65535", id="port-too-large"),
    pytest.param("--port", "http", "'http' is not a valid integer", id="port-is-a-word"),
    pytest.param("--name", "a\nb", r"name = 'a\nb' holds characters that cannot be printed", id="name-of-two-lines"),
    pytest.param("--name", "", "name = '' is not of type str", id="name-empty"),
    pytest.param("--host", "\udcff", "holds characters that cannot be printed", id="host-undecodable"),
    pytest.param("--admin-invoke-password", "short", "A password is 8 to 256", id="password-short"),
    pytest.param("--pubapi-password", "zażółć gęślą", "printable ASCII characters", id="password-not-ascii"),
    pytest.param("--web-admin-password", "short", "A person's password is 8 to 1024 characters", id="people-short"),
    pytest.param("--prot", "1", "Did you mean one of: '--host', '--port'?", id="misspelt-option"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder that does not exist yet."""
    return tmp_path / "env"


@pytest.mark.parametrize("command", [("create",), ("quickstart", "create")], ids=["create", "old-spelling"])
def test_environment_is_made(zato: Zato, path: Path, command: tuple[str, ...]) -> None:
    """Both spellings make the same folder, and say where things are and what comes next."""
    done = zato(*command, path)

    assert (done.code, done.err) == (0, "")
    assert {entry.name for entry in path.iterdir()} == FOLDERS | {"config.toml", "secrets.toml"}
    lines = done.out.splitlines()
    assert lines.pop(3).startswith("  web admin       log in as admin with ")
    assert lines == [
        f"Environment made: {path}",
        f"  services go to  {path / 'services'}",
        f"  settings are in {path / 'config.toml'}, passwords in {path / 'secrets.toml'}",
        f"Start its server with: zato start {path}",
    ]


def test_first_person_has_a_random_password(zato: Zato, path: Path) -> None:
    """It is printed once; the environment keeps a hash."""
    done = zato("create", path)
    (password,) = re.findall(r"web admin +log in as admin with ([A-Za-z2-9]{20})$", done.out, re.MULTILINE)
    secrets = (path / "secrets.toml").read_text("utf-8")
    hashed = Environment(path).credentials().first_user_hash
    assert (password in secrets, hashed in secrets) == (False, True)
    assert matches(password.encode(), hashed.encode())


def test_first_person_has_the_password_that_is_given(zato: Zato, path: Path) -> None:
    """It is printed nowhere."""
    done = zato("create", path, "--web-admin-password", "żółw żółw")
    assert (done.code, "żółw" in done.out) == (0, False)
    assert "log in as admin with the password that was given" in done.out
    assert matches("żółw żółw".encode(), Environment(path).credentials().first_user_hash.encode())


def test_only_the_owner_reads_secrets_and_data(zato: Zato, path: Path) -> None:
    """Passwords, stored calls and the server's address are nobody else's business, whatever the umask."""
    before = os.umask(0)
    try:
        zato("create", path)
    finally:
        os.umask(before)
    rights = {name: stat.S_IMODE((path / name).stat().st_mode) for name in ("secrets.toml", "data", "run", "logs")}
    assert rights == {"secrets.toml": 0o600, "data": 0o700, "run": 0o700, "logs": 0o700}


def test_options_become_settings_and_passwords(zato: Zato, path: Path) -> None:
    """What is given stands in the two files, and nowhere else."""
    passwords = ("--admin-invoke-password", 'quote" \\ back', "--pubapi-password", "hunter2 hunter2")
    zato("create", path, "--port", 17010, "--host", "0.0.0.0", "--name", "Łódź 😀", *passwords)
    environment = Environment(path)
    settings, credentials = environment.settings(), environment.credentials()

    assert (settings.port, settings.host, settings.name) == (17010, "0.0.0.0", "Łódź 😀")
    assert (credentials.admin_invoke, credentials.pubapi) == ('quote" \\ back', "hunter2 hunter2")


def test_without_options_everything_has_its_default(zato: Zato, path: Path) -> None:
    """An environment made with nothing but a path has the settings that are documented."""
    zato("create", path)
    assert Environment(path).settings() == Settings()


def test_config_names_every_setting_with_its_default(zato: Zato, path: Path) -> None:
    """Taking away the number signs gives a file that says the same as the defaults."""
    zato("create", path)
    lines = (path / "config.toml").read_text("utf-8").splitlines()
    shown = tomllib.loads("\n".join(line[2:] for line in lines if " = " in line))
    assert shown == {setting.name: setting.default for setting in describe()}


def test_passwords_are_random(zato: Zato, tmp_path: Path) -> None:
    """No two environments, and no two users, share a password that nobody chose."""
    zato("create", tmp_path / "one")
    zato("create", tmp_path / "other")
    one, other = (Environment(tmp_path / name).credentials() for name in ("one", "other"))
    assert len({one.admin_invoke, one.pubapi, other.admin_invoke, other.pubapi}) == 4


@pytest.mark.parametrize(("option", "value", "words"), REFUSED)
def test_option_that_makes_no_sense_is_refused(zato: Zato, path: Path, option: str, value: str, words: str) -> None:
    """The message says what is wrong, on stderr, and nothing is made."""
    done = zato("create", path, option, value)

    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert not path.exists()


def test_folder_that_is_not_empty_is_refused(zato: Zato, path: Path) -> None:
    """What is in a folder stays as it is."""
    zato("create", path)
    secrets = (path / "secrets.toml").read_bytes()
    done = zato("create", path)

    assert (done.code, done.out) == (2, "")
    assert done.err == f"Error: {path} is not empty. Name a folder that is empty or does not exist yet.\n"
    assert (path / "secrets.toml").read_bytes() == secrets


def test_folder_that_is_empty_is_taken(zato: Zato, path: Path) -> None:
    """A folder made beforehand, with its own rights, will do."""
    path.mkdir()
    assert zato("create", path).code == 0


def test_file_is_no_folder(zato: Zato, path: Path) -> None:
    """A path that is taken by a file is named."""
    path.touch()
    done = zato("create", path)
    assert (done.code, done.err.startswith(f"Error: {path} is a file. Name a folder")) == (2, True)


def test_folder_that_cannot_be_made(zato: Zato, path: Path) -> None:
    """The system's own reason is shown, with the path it is about."""
    path.touch()
    done = zato("create", path / "below")
    assert (done.code, done.err) == (2, f"Error: {path / 'below'} cannot be made: Not a directory: {path / 'below'}.\n")


def test_folder_without_rights(zato: Zato, tmp_path: Path) -> None:
    """Where one may not write, one is told so."""
    tmp_path.chmod(0o500)
    with not_as_root():
        done = zato("create", tmp_path / "env")
    assert (done.code, "Permission denied" in done.err) == (2, True)


@pytest.mark.parametrize("exists", [False, True])
def test_disk_that_is_full(tmp_path: Path, exists: bool) -> None:
    """The folder is named, and what was made is gone, so that the next try is not refused."""
    path = tmp_path / "above" / "env"
    if exists:
        path.mkdir(parents=True)
    before = list(tmp_path.rglob("*"))
    call = [*NO_ROOM, ZATO, "create", str(path)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60, env=unmeasured_environment())
    assert (done.returncode, done.stderr) == (2, f"Error: {path} cannot be made: File too large: {path}.\n")
    assert list(tmp_path.rglob("*")) == before


def test_empty_path_is_refused(zato: Zato, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set in a script does not make an environment of the current folder."""
    path.mkdir()
    monkeypatch.chdir(path)
    done = zato("create", "")
    assert (done.code, "it is empty" in done.err, list(path.iterdir())) == (2, True, [])


def test_next_step_can_be_pasted(zato: Zato, tmp_path: Path) -> None:
    """A path with a space is quoted in the command that is shown."""
    done = zato("create", tmp_path / "my env")
    assert done.out.splitlines()[-1] == f"Start its server with: zato start {shlex.quote(str(tmp_path / 'my env'))}"
