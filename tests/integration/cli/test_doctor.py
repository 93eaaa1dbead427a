"""`zato doctor`: each thing that can be wrong, and what to do about it."""

import json
import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.contract.calls import accept, make_call
from tests.support.certificates import make_certificates
from tests.support.clocks import TurnableClock
from tests.support.commands import Zato
from tests.support.environments import ZATO, ServerProcess, make_environment
from tests.support.terminals import on_a_terminal
from zato.broker.open import Location, open_backend
from zato.cli import checks
from zato.cli.checks import Check, Patient
from zato.core.errors import EnvironmentFault
from zato.environment import Environment
from zato.running import MANAGED, RunningServer, RunningWorker

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment without a server."""
    return make_environment(tmp_path / "env")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that runs, with certificate and key."""
    folder = tmp_path_factory.mktemp("doctor")
    settings = make_certificates(folder / "tls").settings
    with ServerProcess(make_environment(folder / "env", {"crm.py": "x = 1\n"}, **settings)) as server:
        yield server


def found(zato: Zato, environment: Environment) -> list[dict[str, str]]:
    """Return what is not right."""
    done = zato("doctor", environment.path, "--json")
    report = json.loads(done.out)
    bad = [check for check in report["checks"] if check["state"] != "ok"]
    assert done.code == (0 if report["ok"] else 1)
    assert report["ok"] is all(check["state"] != "problem" for check in bad)
    assert all(check["remedy"] for check in bad)
    return bad


def only(zato: Zato, environment: Environment) -> tuple[str, str, str]:
    """Return name, state and message of the one thing that is not right."""
    (check,) = found(zato, environment)
    return check["name"], check["state"], check["message"]


def test_healthy_server(zato: Zato, server: ServerProcess) -> None:
    """A line a check, all of them well; the server is not disturbed."""
    done = zato("doctor", server.environment.path)
    *lines, last = done.out.splitlines()
    assert (done.code, last) == (0, "No problems, no warnings.")
    assert {line.split()[0] for line in lines} == {"ok"}
    names = {"rights", "config", "passwords", "server", "port", "tls", "services", "store", "clock", "disk"}
    assert {line.split()[1] for line in lines} == names | {"logs", "versions", "limits", "leftovers"}


def test_shape_for_programs(zato: Zato, environment: Environment) -> None:
    """Exactly these keys."""
    report = json.loads(zato("doctor", environment.path, "--json").out)
    assert set(report) == {"ok", "checks"}
    assert {frozenset(check) for check in report["checks"]} == {frozenset({"name", "state", "message", "remedy"})}


@pytest.mark.parametrize("killed", [False, True])
def test_nothing_is_changed(zato: Zato, environment: Environment, killed: bool) -> None:
    """No service is run, and a log that a killed server left beside the store stays there."""
    (environment.services / "crm.py").write_text("import pathlib\npathlib.Path(__file__).with_name('ran').touch()\n")
    with _store(environment):
        files = {file: file.read_bytes() for file in environment.data.iterdir()}
    if killed:
        for file, content in files.items():
            file.write_bytes(content)
    before = _files(environment)
    zato("doctor", environment.path)
    assert _files(environment) == before


def _files(environment: Environment) -> dict[Path, bytes]:
    """Return every file of an environment. How readers of the store know of each other is not looked at."""
    files = [file for file in environment.path.rglob("*") if file.is_file() and not file.name.endswith("-shm")]
    return {file: file.read_bytes() for file in files}


@contextmanager
def _store(environment: Environment, clock: TurnableClock | None = None) -> Iterator[None]:
    """Make a store with one call, by a clock."""
    with closing(open_backend(Location("sqlite", environment.data), clock or TurnableClock())) as backend:
        accept(backend, make_call(1, created=(clock or TurnableClock()).wall()))
        yield


@pytest.mark.parametrize(("name", "state"), [("secrets.toml", "problem"), ("data", "warning"), ("logs", "warning")])
def test_rights(zato: Zato, environment: Environment, name: str, state: str) -> None:
    """What others can read is named with the command that ends it."""
    (environment.path / name).chmod(0o755)
    checks_found = found(zato, environment)
    mode = 600 if name == "secrets.toml" else 700
    assert (checks_found[0]["name"], checks_found[0]["state"]) == ("rights", state)
    assert checks_found[0]["remedy"] == f"chmod {mode} {environment.path / name}"


def test_folder_that_is_missing(zato: Zato, environment: Environment) -> None:
    """It is named, and the other checks go on."""
    shutil.rmtree(environment.data)
    assert only(zato, environment) == ("rights", "problem", f"{environment.data}: No such file or directory.")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", ["logs", "run/server.lock", "data/broker.db-wal"])
def test_file_of_somebody_else(zato: Zato, environment: Environment, name: str) -> None:
    """Root may have made it by mistake."""
    file = environment.path / name
    if not file.exists():
        file.touch()
    os.chown(file, 65534, 65534)
    (bad,) = found(zato, environment)
    shown = f"{file} belongs to user 65534, the environment to user 0."
    assert bad == {"name": "rights", "state": "problem", "message": shown, "remedy": f"chown 0 {file}"}


def test_settings_that_are_not_legal(zato: Zato, environment: Environment) -> None:
    """What can be looked at without them is looked at."""
    environment.config.write_text("prt = 1\n")
    name, state, message = only(zato, environment)
    assert (name, state, "Did you mean 'port'?" in message) == ("config", "problem", True)


def test_password_that_is_missing(zato: Zato, environment: Environment) -> None:
    """The line is named."""
    environment.secrets.write_text("pubapi = 'long enough'\n")
    assert only(zato, environment) == ("passwords", "problem", f"{environment.secrets} has no line for 'admin_invoke'.")


def test_port_that_is_taken(zato: Zato, environment: Environment, server: ServerProcess) -> None:
    """It says by whom: another environment's server, or some program."""
    port = server.environment.running().port
    environment.config.write_text(f"port = {port}\n")
    assert f"taken by the server of {server.environment.path}" in only(zato, environment)[2]
    with socket.create_server(("127.0.0.1", 0)) as other:
        environment.config.write_text(f"port = {other.getsockname()[1]}\n")
        assert "taken by another program" in only(zato, environment)[2]


def test_changes_since_the_start(zato: Zato, server: ServerProcess) -> None:
    """Settings, passwords and a certificate that the running server does not have yet."""
    environment = server.environment
    before = environment.config.read_text()
    certificates = make_certificates(environment.path.parent / "other")
    lines = "".join(f'{name} = "{value}"\n' for name, value in certificates.settings.items())
    kept = [line for line in before.splitlines() if not line.startswith("tls_")]
    environment.config.write_text("\n".join([*kept, "retention = 5", lines]))
    environment.secrets.touch()
    bad = found(zato, environment)
    environment.config.write_text(before)
    os.utime(environment.secrets, (0, 0))
    assert [(check["name"], check["state"]) for check in bad] == [
        ("config", "warning"),
        ("passwords", "warning"),
        ("tls", "warning"),
    ]
    assert bad[0]["message"] == "The running server has other values of: tls_cert, tls_key, retention."


@pytest.mark.parametrize(
    ("begins", "ends", "expected", "words"),
    [
        pytest.param(-9, 29, "warning", "is valid until", id="soon"),
        pytest.param(-9, -1, "problem", "expired on", id="expired"),
        pytest.param(2, 99, "problem", "is valid from", id="not-yet"),
    ],
)
def test_certificate(
    zato: Zato, environment: Environment, *, begins: int, ends: int, expected: str, words: str
) -> None:
    """It is told thirty days before."""
    now = datetime.now(UTC)
    issued = trustme.CA().issue_cert(
        "localhost", not_before=now + timedelta(days=begins), not_after=now + timedelta(days=ends)
    )
    issued.private_key_and_cert_chain_pem.write_to_path(str(environment.path / "tls.pem"))
    with environment.config.open("a") as file:
        file.write('tls_cert = "tls.pem"\ntls_key = "tls.pem"\n')
    name, state, message = only(zato, environment)
    assert (name, state, words in message) == ("tls", expected, True)


def test_certificate_below_the_rest_of_another(zato: Zato, environment: Environment) -> None:
    """What stands before it does not matter, as it does not to a server."""
    certificates = make_certificates(environment.path / "tls")
    file = Path(str(certificates.settings["tls_cert"]))
    file.write_text(f"-----END CERTIFICATE-----\n{file.read_text()}")
    with environment.config.open("a") as config:
        config.writelines(f'{name} = "{value}"\n' for name, value in certificates.settings.items())
    assert found(zato, environment) == []


def test_certificate_that_cannot_be_used(zato: Zato, environment: Environment) -> None:
    """As a start would say."""
    with environment.config.open("a") as file:
        file.write('tls_cert = "tls.pem"\n')
    assert only(zato, environment)[:2] == ("tls", "problem")


def test_services_that_are_no_python(zato: Zato, environment: Environment) -> None:
    """File and line are named; a warning of Python's about another file is nobody's business here."""
    (environment.services / "a.py").write_text("x = 1\ndef broken(\n")
    (environment.services / "b.py").write_bytes(b"\x00")
    (environment.services / "c.py").write_text("x = 1 is 1\n")
    bad = found(zato, environment)
    assert [(check["name"], check["state"]) for check in bad] == [("services", "problem")] * 2
    assert bad[0]["message"] == f"{environment.services / 'a.py'}: line 2: '(' was never closed."
    assert bad[1]["message"] == f"{environment.services / 'b.py'}: it holds zero bytes, as no file in Python does."


@pytest.mark.parametrize(("number", "words"), [(1, "1 file is"), (2, "2 files are")])
def test_services_that_are_python(zato: Zato, environment: Environment, number: int, words: str) -> None:
    """They are counted."""
    for file in range(number):
        (environment.services / f"s{file}.py").touch()
    assert f"services   {words} Python in {environment.services}.\n" in zato("doctor", environment.path).out


def test_store_that_is_damaged(zato: Zato, environment: Environment) -> None:
    """It is looked through, and what to do is said."""
    with _store(environment):
        pass
    file = environment.data / "broker.db"
    content = bytearray(file.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    file.write_bytes(content)
    assert only_of(zato, environment, "store")[1] == "problem"


def test_store_that_is_none(zato: Zato, environment: Environment) -> None:
    """Another file in its place is told from one."""
    (environment.data / "broker.db").write_bytes(b"no database" * 1000)
    assert only(zato, environment)[:2] == ("store", "problem")


def test_clock_that_was_put_back(zato: Zato, environment: Environment) -> None:
    """The store has a call from the future."""
    ahead = datetime.now(UTC) + timedelta(hours=1)
    with _store(environment, TurnableClock(wall=round(ahead.timestamp() * 1000))):
        pass
    name, state, message = only_of(zato, environment, "clock")
    assert (name, state, "it was put back, or is wrong" in message) == ("clock", "problem", True)


def only_of(zato: Zato, environment: Environment, wanted: str) -> tuple[str, str, str]:
    """Return what is not right of one kind."""
    (check,) = [check for check in found(zato, environment) if check["name"] == wanted]
    return check["name"], check["state"], check["message"]


def test_calls_that_are_stranded(zato: Zato, environment: Environment) -> None:
    """Nothing deployed can run them."""
    with _store(environment, TurnableClock(wall=round(datetime.now(UTC).timestamp() * 1000))):
        pass
    assert only(zato, environment) == ("calls", "warning", "1 call waits for a service that is not deployed.")


def test_disk_that_is_nearly_full(zato: Zato, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below a gigabyte it is a warning, below a tenth of that a problem."""
    monkeypatch.setattr(checks, "FEW", 10**18)
    assert {check["state"] for check in found(zato, environment)} == {"warning"}
    monkeypatch.setattr(checks, "TOO_FEW", 10**18)
    assert {(check["name"], check["state"]) for check in found(zato, environment)} == {("disk", "problem")}


def test_disk_that_takes_few_more_files(zato: Zato, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be room, and no place for another name."""
    if not os.statvfs(environment.data).f_files:
        pytest.skip("this file system does not count its files")
    monkeypatch.setattr(checks, "FEW_FILES", 10**18)
    bad = found(zato, environment)
    assert [(check["name"], check["state"]) for check in bad] == [("disk", "problem")] * 2
    assert bad[0]["message"].endswith(f" more files fit on the disk of {environment.data}.")


def test_logs_that_are_too_large(zato: Zato, environment: Environment) -> None:
    """Something else is in the folder."""
    with (environment.logs / "core").open("wb") as file:
        file.truncate(400_000_000)
    assert only(zato, environment)[:2] == ("logs", "warning")


def test_too_few_files(environment: Environment) -> None:
    """Connections are files too."""
    limit = ["sh", "-c", 'ulimit -n 300; exec "$0" "$@"', ZATO, "doctor", str(environment.path), "--json"]
    done = subprocess.run(limit, capture_output=True, check=False, text=True, timeout=60)
    bad = [check for check in json.loads(done.stdout)["checks"] if check["state"] != "ok"]
    assert [(check["name"], check["remedy"][:14]) for check in bad] == [("limits", "ulimit -n 1256")]


def test_drafts_that_were_left_behind(zato: Zato, environment: Environment) -> None:
    """Each is named."""
    drafts = [environment.path / "secrets.toml.new", environment.data / "zato-0123456789abcdef.draft"]
    for draft in drafts:
        draft.touch()
    assert [check["remedy"] for check in found(zato, environment)] == [f"rm {draft}" for draft in drafts]


def test_server_that_is_not_well(zato: Zato, environment: Environment) -> None:
    """It does not answer, and its workers die."""
    lock = environment.lock()
    workers = (RunningWorker(1, 17, 0), RunningWorker(2, 18, 3))
    environment.announce(replace(RunningServer.here("crm", "127.0.0.1", 1, stops_within=0), workers=workers))
    bad = [check for check in found(zato, environment) if check["name"] == "server"]
    os.close(lock)
    assert [check["state"] for check in bad] == ["problem", "warning"]
    assert bad[1]["message"] == "Worker 2 was replaced, times: 3."


def test_lock_of_a_dead_server(zato: Zato, environment: Environment) -> None:
    """A process that it left behind holds the lock."""
    lock = environment.lock()
    environment.announce(replace(RunningServer.here("crm", "127.0.0.1", 1, stops_within=0), started=1))
    bad = found(zato, environment)
    os.close(lock)
    assert [(check["name"], check["state"]) for check in bad] == [("server", "problem")]
    assert "still holds" in bad[0]["message"]


@pytest.mark.parametrize("error", [OSError(5, "It broke"), ValueError("It broke"), EnvironmentFault("It broke")])
def test_check_that_fails(
    zato: Zato, environment: Environment, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """What it found before, and what the others find, is told all the same."""

    def _failing(_: Patient) -> Iterator[Check]:
        yield Check("failing", "ok", "So far.")
        raise error

    monkeypatch.setattr("zato.cli.doctor.CHECKS", (_failing, *checks.CHECKS))
    (environment.path / "secrets.toml.new").touch()
    before, *_ = json.loads(zato("doctor", environment.path, "--json").out)["checks"]
    bad = found(zato, environment)
    assert before["message"] == "So far."
    assert [(check["name"], check["state"]) for check in bad] == [("failing", "problem"), ("leftovers", "warning")]
    assert bad[0]["message"].endswith("It broke.")


def test_server_that_a_service_manager_keeps(zato: Zato, environment: Environment) -> None:
    """The command that would take it away from there is not recommended."""
    lock = environment.lock()
    here = RunningServer.here("crm", "127.0.0.1", 1, stops_within=0)
    environment.announce(replace(here, managed=True, settings={"port": 1}, since="2020-01-01T00:00:00Z"))
    bad = found(zato, environment)
    os.close(lock)
    assert [check["remedy"] for check in bad if check["name"] in ("config", "passwords")] == [MANAGED] * 2


def test_remedies_can_be_pasted(zato: Zato, tmp_path: Path) -> None:
    """A folder with a space is quoted in them."""
    environment = make_environment(tmp_path / "my env")
    (environment.path / "secrets.toml.new").touch()
    environment.secrets.chmod(0o644)
    environment.logs.rmdir()
    environment.services.rmdir()
    remedies = [shlex.split(check["remedy"]) for check in found(zato, environment)]
    commands = [remedy for remedy in remedies if remedy[0] in ("chmod", "mkdir", "rm")]
    names = ("secrets.toml", "logs", "services", "secrets.toml.new")
    assert [command[-1] for command in commands] == [str(environment.path / name) for name in names]


def test_on_a_terminal(environment: Environment) -> None:
    """A state has its colour."""
    environment.config.write_text("prt = 1\n")
    shown = on_a_terminal([ZATO, "doctor", str(environment.path)], status=1)
    assert ("\x1b[32mok" in shown, "\x1b[31mproblem" in shown) == (True, True)
