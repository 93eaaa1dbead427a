"""An environment's folder, without a server. What commands make of it is tested in `integration/cli`."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.disks import no_room
from tests.support.rights import not_as_root
from zato.core.errors import EnvironmentFault, InvalidSetting, ServerNotRunning
from zato.environment import Credentials, Environment
from zato.running import RunningServer

SERVER = RunningServer(pid=17, name="crm", host="127.0.0.1", port=17010, stops_within=20.5)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """A new environment."""
    environment = Environment(tmp_path / "env")
    environment.create({}, Credentials.make())
    return environment


@pytest.mark.parametrize(
    ("host", "address"),
    [
        pytest.param("127.0.0.1", "http://127.0.0.1:80", id="ipv4"),
        pytest.param("::1", "http://[::1]:80", id="ipv6"),
        pytest.param("0.0.0.0", "http://127.0.0.1:80", id="every-ipv4"),
        pytest.param("::", "http://[::1]:80", id="every-ipv6"),
        pytest.param("localhost", "http://localhost:80", id="name"),
    ],
)
def test_address_can_be_connected_to(host: str, address: str) -> None:
    """Where a server listens is not always where it is reached."""
    assert RunningServer(1, "crm", host, 80, 1.0).address == address


@pytest.mark.parametrize("password", ["1234567", "x" * 257, "with\nline", "ż" * 8, ""])
def test_password_that_is_not_legal(password: str) -> None:
    """What cannot travel in a header is refused, and not repeated."""
    with pytest.raises(EnvironmentFault, match=r"^A password is 8 to 256 printable ASCII characters\.$"):
        Credentials.make(pubapi=password)


@pytest.mark.parametrize("password", ["12345678", "x" * 256, "a b\"c'd\\e#f"])
def test_password_survives_its_file(tmp_path: Path, password: str) -> None:
    """What is written is what is read."""
    environment = Environment(tmp_path / "env")
    environment.create({}, Credentials.make(password, password))
    read = environment.credentials()
    assert (read.admin_invoke, read.pubapi) == (password, password)


def test_new_environment_has_a_key_of_its_own(environment: Environment, tmp_path: Path) -> None:
    """No two have the same; it is not in what is shown of the credentials, and the folder for files is private."""
    key = environment.credentials().encryption_key
    other = Environment(tmp_path / "other")
    other.create({}, Credentials.make())
    assert (len(key), key == other.credentials().encryption_key) == (44, False)
    assert key not in repr(environment.credentials())
    assert environment.user_config.stat().st_mode & 0o777 == 0o700


def test_older_environment_has_no_key(environment: Environment) -> None:
    """It starts all the same: only services that encrypt need one."""
    remove_key(environment)
    assert environment.credentials().encryption_key == ""


@pytest.mark.parametrize("value", ["'short'", "7", f"'{'A' * 42}=='", f"'{'ż' * 43}='", f"'{'A' * 43}= and more'"])
def test_key_that_is_none_is_refused(environment: Environment, value: str) -> None:
    """At the start, and without showing it."""
    remove_key(environment)
    with environment.secrets.open("a") as file:
        file.write(f"encryption_key = {value}\n")
    with pytest.raises(EnvironmentFault, match=r"encryption_key is not 32 bytes in URL-safe base64") as caught:
        environment.credentials()
    assert value == "7" or value.strip("'") not in str(caught.value)


def test_several_keys(environment: Environment) -> None:
    """An older key stays behind a new one."""
    key = environment.credentials().encryption_key
    remove_key(environment)
    with environment.secrets.open("a") as file:
        file.write(f"encryption_key = '{key} {key}'\n")
    assert environment.credentials().encryption_key == f"{key} {key}"


@pytest.mark.parametrize("value", ["'hunter2-plain'", "7", "'$argon2id$ż'"])
def test_hash_of_the_first_person_that_is_none_is_refused(environment: Environment, value: str) -> None:
    """By mistake it may be the password, which is not shown."""
    with environment.secrets.open("a") as file:
        file.write(f"first_user_hash = {value}\n")
    with pytest.raises(EnvironmentFault, match=r"first_user_hash is no argon2id hash.*'zato user create'") as caught:
        environment.credentials()
    assert "hunter2" not in str(caught.value)


def remove_key(environment: Environment) -> None:
    """Make the passwords those of an older version."""
    lines = environment.secrets.read_text().splitlines(keepends=True)
    environment.secrets.write_text("".join(line for line in lines if not line.startswith("encryption_key")))


@pytest.mark.parametrize(
    "value", ["a", 'quote"', "back\\slash", "tab-less", "żółw", "😀", "# no comment", "'single'", "${HOME}"]
)
def test_text_survives_its_file(tmp_path: Path, value: str) -> None:
    """A setting of any printable text is read as it was given."""
    environment = Environment(tmp_path / "env")
    environment.create({"name": value}, Credentials.make())
    assert environment.settings().name == value


@pytest.mark.parametrize("value", ["a\nb", "\x7f", "\x1b[31m", "\udcff", "\u2028"])
def test_text_that_cannot_be_printed_is_refused(tmp_path: Path, value: str) -> None:
    """It would make trouble wherever the name is shown; no folder is made."""
    environment = Environment(tmp_path / "env")
    with pytest.raises(InvalidSetting, match="holds characters that cannot be printed"):
        environment.create({"name": value}, Credentials.make())
    assert not environment.path.exists()


def test_later_values_win(environment: Environment) -> None:
    """Defaults, then the file, then what overrides it."""
    (environment.path / "config.toml").write_text("port = 2\nname = 'file'\ngrace = 3\n")
    settings = environment.settings(("variables", {"port": "4", "name": "variable"}), ("command line", {"port": 5}))
    assert (settings.port, settings.name, settings.grace, settings.drain) == (5, "variable", 3.0, 0.5)


def test_path_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that changes its folder does not lose its environment."""
    monkeypatch.chdir(tmp_path)
    assert Environment(Path("env")).path == tmp_path.resolve() / "env"


def test_announced_server_is_found(environment: Environment) -> None:
    """While the lock is held, what the server said is true."""
    lock = environment.lock()
    environment.announce(SERVER)
    found = environment.running()
    os.close(lock)
    assert found == SERVER


@pytest.mark.parametrize("end", ["retracted", "killed"])
def test_server_that_has_gone_is_not_found(environment: Environment, end: str) -> None:
    """Whether it took its leave or not, its address counts for nothing."""
    lock = environment.lock()
    environment.announce(SERVER)
    if end == "retracted":
        environment.retract()
    os.close(lock)
    with pytest.raises(ServerNotRunning, match=r"No server of .* runs"):
        environment.running()


def test_number_of_a_dead_server_may_be_anybodys(environment: Environment) -> None:
    """A server that died while a process of its own keeps the lock is not taken for whoever has its number now."""
    here = RunningServer.here("crm", "127.0.0.1", 17010, stops_within=1.0)
    lock = environment.lock()
    environment.announce(here)
    alive = environment.running()
    environment.announce(replace(here, started=1))
    with pytest.raises(ServerNotRunning, match=rf"process {os.getpid()}, has ended, but .*'fuser {environment.run}"):
        environment.running()
    os.close(lock)
    assert alive == here


def test_dead_server_that_nobody_waited_for(environment: Environment) -> None:
    """A process that was killed is dead, even while its number is not free."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        started = int(Path(f"/proc/{process.pid}/stat").read_text().split()[21])
        server = replace(SERVER, pid=process.pid, started=started)
        before = server.has_ended
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        after = server.has_ended
    assert (before, after) == (False, True)


def test_server_that_cannot_be_announced(environment: Environment) -> None:
    """The file is named, with the system's reason."""
    (environment.run / "server.new").mkdir()
    with pytest.raises(EnvironmentFault, match=r"server\.new cannot be written: Is a directory\."):
        environment.announce(SERVER)


def test_no_room_for_an_announcement(environment: Environment) -> None:
    """What was said before stays, and no draft does."""
    environment.announce(SERVER)
    with no_room(), pytest.raises(EnvironmentFault, match=r"server\.new cannot be written: File too large\."):
        environment.announce(replace(SERVER, pid=18))
    assert [file.name for file in environment.run.iterdir()] == ["server.json"]
    assert RunningServer.from_json((environment.run / "server.json").read_text()) == SERVER


def test_what_cannot_be_retracted(environment: Environment) -> None:
    """It is named, and no lock is kept."""
    (environment.run / "server.json").mkdir()
    for act in (environment.retract, environment.lock):
        with pytest.raises(EnvironmentFault, match=r"server\.json cannot be removed: "):
            act()
    assert not environment.is_locked()


def test_next_server_does_not_pass_for_the_one_before(environment: Environment) -> None:
    """From its first moment, the address that a killed server left is gone."""
    environment.announce(SERVER)
    lock = environment.lock()
    with pytest.raises(ServerNotRunning, match="has not said yet where it answers"):
        environment.running()
    os.close(lock)


def test_lock_is_held_by_one(environment: Environment) -> None:
    """The second is refused, and the first one keeps it."""
    lock = environment.lock()
    with pytest.raises(EnvironmentFault, match="runs already"):
        environment.lock()
    assert environment.is_locked()
    os.close(lock)
    assert not environment.is_locked()


def test_retracting_twice_does_no_harm(environment: Environment) -> None:
    """A server that failed to start has nothing to retract."""
    environment.retract()
    environment.retract()
    assert not (environment.run / "server.json").exists()


def test_looking_makes_nothing(environment: Environment) -> None:
    """A lock that root made by asking would be none that the server's user can take."""
    with pytest.raises(ServerNotRunning):
        environment.running()
    assert list(environment.run.iterdir()) == []
    environment.run.rmdir()
    assert (environment.is_locked(), environment.run.exists()) == (False, False)


def test_lock_that_cannot_be_read(environment: Environment) -> None:
    """That is not taken for a server that does not run."""
    os.close(environment.lock())
    (environment.run / "server.lock").chmod(0)
    with not_as_root(), pytest.raises(EnvironmentFault, match=r"server\.lock cannot be opened: Permission denied"):
        environment.is_locked()


def test_folder_run_may_be_gone(environment: Environment) -> None:
    """What holds nothing of lasting worth is made anew."""
    environment.run.rmdir()
    assert not environment.is_locked()
    os.close(environment.lock())


def test_check_returns_a_good_environment(environment: Environment) -> None:
    """So that it can be chained."""
    assert environment.check() is environment


def test_password_of_the_broker_may_be_missing(environment: Environment) -> None:
    """Secrets that were written before there was one are as good as ever."""
    environment.secrets.write_text('admin_invoke = "hunter2hunter2"\npubapi = "hunter2hunter2"\n')
    assert environment.credentials().broker_password == ""


def test_password_of_the_broker_is_text(environment: Environment) -> None:
    """A number without quotes is told, and not shown."""
    with environment.secrets.open("a") as file:
        file.write("broker_password = 12345678\n")
    with pytest.raises(EnvironmentFault, match="broker_password is no text") as caught:
        environment.credentials()
    assert "1234" not in str(caught.value)


@pytest.mark.parametrize(
    ("broker", "stored", "expected"),
    [
        pytest.param("redis://u:in%40url@h/1", "stored", ("redis://u@h/1", "in@url"), id="address-wins"),
        pytest.param("redis://u@h/1", "stored", ("redis://u@h/1", "stored"), id="stored"),
        pytest.param("redis://h", "", ("redis://h", ""), id="none"),
        pytest.param("sqlite", "stored", ("sqlite", "stored"), id="embedded"),
    ],
)
def test_password_is_apart_from_the_address(
    environment: Environment, broker: str, stored: str, expected: tuple[str, str]
) -> None:
    """Wherever it was written, a server has it in one place."""
    if stored:
        with environment.secrets.open("a") as file:
            file.write(f'broker_password = "{stored}"\n')
    settings, credentials = environment.broker_access(environment.settings(("here", {"broker": broker})))
    assert (settings.broker, credentials.broker_password) == expected


def test_what_stands_for_a_password_is_none(environment: Environment) -> None:
    """An address that was copied from where it is shown is refused, before anything is asked with it."""
    settings = environment.settings(("here", {"broker": "redis://:***@h"}))
    with pytest.raises(InvalidSetting, match=r"\*\*\* is no password, but what is shown for one"):
        environment.broker_access(settings)


def test_changed_password_of_a_user_leaves_that_of_the_broker(environment: Environment) -> None:
    """Each line of the secrets is its own."""
    with environment.secrets.open("a") as file:
        file.write('broker_password = "stored"\n')
    environment.set_password("pubapi", "another one")
    assert environment.credentials().broker_password == "stored"


def test_broker_password_of_any_characters_is_kept(tmp_path: Path) -> None:
    """What is percent-encoded in an address may be anything; TOML takes not all of it as it is."""
    password = "".join(map(chr, range(0x01, 0x100)))
    environment = Environment(tmp_path / "env")
    environment.create({}, replace(Credentials.make(), broker_password=password))
    assert environment.credentials().broker_password == password
