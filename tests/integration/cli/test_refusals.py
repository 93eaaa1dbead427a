"""Folders, settings and secrets that no server can be started from, and servers that are not there."""

import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import free_port, make_environment
from zato.environment import Environment
from zato.running import RunningServer

COMMANDS = ["start", "stop", "wait", "service list", "service invoke", "invocation show"]
ARGUMENTS = {"wait": ["--timeout", "0"], "service invoke": ["zato.ping"], "invocation show": ["abc"]}
CONFIGS = [
    pytest.param("prot = 1", "config.toml: there is no setting 'prot'. Did you mean 'port'?", id="unknown"),
    pytest.param('zzz = "red"', "See docs/reference/settings.md for all of them.", id="unlike-any"),
    pytest.param('port = "http"', "config.toml: port = 'http' is not of type int", id="type"),
    pytest.param("port = 70000", "config.toml: port = 70000 is out of range: 1 to 65535", id="range"),
    pytest.param('log_level = "loud"', "is none of DEBUG, INFO, WARNING, ERROR", id="choice"),
    pytest.param("port = ", "config.toml is no TOML: Invalid value", id="broken"),
    pytest.param("\udcff", "config.toml is no TOML: 'utf-8' codec", id="not-utf-8"),
    pytest.param('broker = "postgres"', "broker = 'postgres' is not known", id="broker"),
    pytest.param('host = "no-such-host.invalid"', "cannot listen on 'no-such-host.invalid'", id="host-unknown"),
    pytest.param('host = "192.0.2.1"', "Check 'host' in config.toml", id="host-of-another-machine"),
]
SECRETS = [
    pytest.param('admin_invoke = "long enough"', "has no line for 'pubapi'", id="line-missing"),
    pytest.param('admin_invoke = 12345678\npubapi = "long enough"', "admin_invoke is not text of 8", id="number"),
    pytest.param('admin_invoke = "long enough"\npubapi = "short"', "pubapi is not text of 8", id="short"),
    pytest.param("admin_invoke", "secrets.toml is no TOML", id="broken"),
]
FILES = [
    pytest.param("data", "broker.db cannot be opened", id="data"),
    pytest.param("logs", "server.log cannot be written: File exists", id="logs"),
    pytest.param("run", "server.lock cannot be opened: File exists", id="run"),
]


def line(command: str, path: object) -> list[str]:
    """Return a command with everything it needs."""
    return [*command.split(), str(path), *ARGUMENTS.get(command, [])]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment whose server does not run."""
    return make_environment(tmp_path / "env")


@contextmanager
def locked(environment: Environment) -> Iterator[None]:
    """Hold an environment's lock, as a server does from its first moment."""
    handle = environment.lock()
    try:
        yield
    finally:
        os.close(handle)


@pytest.mark.parametrize("command", COMMANDS)
def test_folder_that_does_not_exist(zato: Zato, tmp_path: Path, command: str) -> None:
    """The next step is to make it."""
    path = tmp_path / "nowhere"
    done = zato(*line(command, path))
    assert (done.code, done.out) == (2, "")
    assert done.err == f"Error: {path} does not exist. Make an environment with 'zato create {path}'.\n"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(Path.touch, "is a file. An environment is a folder", id="file"),
        pytest.param(Path.mkdir, "is no environment: it has no config.toml", id="other-folder"),
    ],
)
def test_path_is_no_environment(
    zato: Zato, tmp_path: Path, command: str, make: Callable[[Path], None], words: str
) -> None:
    """Whatever stands at the path is named for what it is."""
    make(tmp_path / "env")
    done = zato(*line(command, tmp_path / "env"))
    assert (done.code, done.out) == (2, "")
    assert words in done.err


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in ("start", "wait")])
@pytest.mark.parametrize("left_behind", [None, '{"pid": 1, "host": "127.0.0.1", "port": 1, "stops_within": 1}'])
def test_server_that_does_not_run(zato: Zato, environment: Environment, command: str, left_behind: str | None) -> None:
    """The next step is to start it; what a killed server left behind changes nothing, and no process is touched."""
    if left_behind:
        (environment.run / "server.json").write_text(left_behind)
    done = zato(*line(command, environment.path))
    path = environment.path
    assert (done.code, done.out) == (3, "")
    assert done.err == f"Error: No server of {path} runs. Start one with 'zato start {path}'.\n"


@pytest.mark.parametrize("written", [None, "", "[]", "{}", '{"pid": "x", "host": "h", "port": 1, "stops_within": 1}'])
def test_server_that_has_not_said_where_it_answers(zato: Zato, environment: Environment, written: str | None) -> None:
    """A server that is starting, or whose file somebody damaged, is there but cannot be reached yet."""
    with locked(environment):
        if written is not None:
            (environment.run / "server.json").write_text(written)
        done = zato("service", "list", environment.path)
    assert (done.code, f"Wait for it: 'zato wait {environment.path}'" in done.err) == (3, True)


def test_second_server_of_an_environment(zato: Zato, environment: Environment) -> None:
    """Two servers never share an environment."""
    with locked(environment):
        done = zato("start", environment.path)
    path = environment.path
    assert (done.code, done.out) == (2, "")
    assert done.err == f"Error: A server of {path} runs already. Stop it with 'zato stop {path}'.\n"


@pytest.mark.parametrize(("text", "words"), CONFIGS)
def test_config_that_makes_no_sense(zato: Zato, environment: Environment, text: str, words: str) -> None:
    """The file, the setting and the trouble with it are named, and no server starts."""
    (environment.path / "config.toml").write_bytes(os.fsencode(text))
    done = zato("start", environment.path)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert not environment.is_locked()


@pytest.mark.parametrize(("text", "words"), SECRETS)
def test_secrets_that_make_no_sense(zato: Zato, environment: Environment, text: str, words: str) -> None:
    """The message says which line is wrong, and shows no password."""
    (environment.path / "secrets.toml").write_text(text)
    done = zato("start", environment.path)
    assert (done.code, done.out, "long enough" in done.err) == (2, "", False)
    assert words in done.err


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_secrets_that_others_can_read(zato: Zato, environment: Environment, mode: int) -> None:
    """A server whose passwords are no secret does not start; the remedy can be pasted."""
    secrets = environment.path / "secrets.toml"
    secrets.chmod(mode)
    done = zato("start", environment.path)
    assert (done.code, done.err) == (2, f"Error: {secrets} can be read by others. Run 'chmod 600 {secrets}'.\n")


def test_secrets_that_are_gone(zato: Zato, environment: Environment) -> None:
    """A missing file is named."""
    (environment.path / "secrets.toml").unlink()
    done = zato("start", environment.path)
    assert (done.code, "secrets.toml cannot be read: No such file" in done.err) == (2, True)


@pytest.mark.parametrize(("name", "words"), FILES)
def test_file_where_a_folder_should_be(zato: Zato, environment: Environment, name: str, words: str) -> None:
    """What the server cannot write to is named before anything is served."""
    (environment.path / name).rmdir()
    (environment.path / name).touch()
    done = zato("start", environment.path)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_broker_file_that_is_none(zato: Zato, environment: Environment) -> None:
    """A damaged store is never taken for an empty one."""
    (environment.data / "broker.db").write_bytes(b"no database" * 1000)
    done = zato("start", environment.path)
    assert (done.code, "broker.db is no usable broker file" in done.err) == (2, True)


def test_port_that_another_program_has(zato: Zato, environment: Environment) -> None:
    """Two programs never answer in turns on one port."""
    port = environment.settings().port
    with socket.create_server(("127.0.0.1", port)):
        done = zato("start", environment.path)
    assert (done.code, done.out) == (2, "")
    assert f"Port {port} on 127.0.0.1 is taken by another program. Choose another with --port." in done.err


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        pytest.param("ZATO_PORT", "environment variable ZATO_PORT: port = 'xml' is not of type int", id="type"),
        pytest.param("ZATO_LOG_FORMAT", "ZATO_LOG_FORMAT: log_format = 'xml' is none of", id="choice"),
    ],
)
def test_environment_variable_that_makes_no_sense(
    zato: Zato, environment: Environment, monkeypatch: pytest.MonkeyPatch, variable: str, words: str
) -> None:
    """The variable is named, because no file holds the value."""
    monkeypatch.setenv(variable, "xml")
    done = zato("start", environment.path)
    assert (done.code, words in done.err) == (2, True)


def test_port_on_the_command_line_is_checked(zato: Zato, environment: Environment) -> None:
    """The message says that the value came from there."""
    done = zato("start", environment.path, "--port", "99999")
    assert (done.code, "command line: port = 99999 is out of range" in done.err) == (2, True)


def test_waiting_for_what_does_not_start(zato: Zato, environment: Environment) -> None:
    """Waiting ends when it was told to, and says where to look."""
    done = zato("wait", environment.path, "--timeout", "0.1")
    assert (done.code, done.out) == (3, "")
    assert f"The server of {environment.path} was not ready within 0.1 s" in done.err
    assert str(environment.logs / "server.log") in done.err


def test_waiting_for_an_address_where_nobody_answers(zato: Zato, environment: Environment) -> None:
    """A server that said where it is and does not answer is not ready."""
    with locked(environment):
        place = f'{{"pid": 1, "host": "127.0.0.1", "port": {free_port()}, "stops_within": 1}}'
        (environment.run / "server.json").write_text(place)
        done = zato("wait", environment.path, "--timeout", "0.1")
    assert done.code == 3


def test_server_that_cannot_be_reached(zato: Zato, environment: Environment) -> None:
    """A refused connection ends with the status of a server that is not there."""
    with locked(environment):
        environment.announce(RunningServer.here("server1", "127.0.0.1", free_port(), stops_within=1.0))
        done = zato("service", "invoke", environment.path, "zato.ping")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("Error: Cannot connect to http://127.0.0.1:")


def test_asking_keeps_no_server_from_starting(environment: Environment) -> None:
    """Commands that ask whether a server runs may hold the lock for the instant in which it starts."""
    with (environment.run / "server.lock").open("w") as asked:
        fcntl.flock(asked, fcntl.LOCK_SH)
        assert not environment.is_locked()
    with locked(environment):
        assert environment.is_locked()
