"""`zato create --broker`, `zato cluster invite` and `zato create --join`: environments of one cluster.

No server runs here, and no Redis; what they do with all this is in `integration/test_cluster.py`.
"""

import io
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import make_environment
from zato.core.invitation import Invitation
from zato.environment import Environment

# What runs in these servers is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

URL = "redis://me:hunt%2Fer2@10.0.0.5:6379/1"
REFUSED = [
    pytest.param(["--broker", "redis://:hun/ter2@h"], "the user or password is not percent-encoded", id="encoding"),
    pytest.param(["--broker", "mysql://:hunter2@h"], "neither 'sqlite' nor the address of a Redis", id="scheme"),
    pytest.param(["--broker", URL, "--cluster", "a{b"], "cluster = 'a{b' is not 1 to 64 of", id="cluster"),
    pytest.param(["--cluster", "blue"], "add --broker redis://host:6379/0", id="cluster-of-one"),
    pytest.param(["--join", "F", "--broker", URL], "are those of the invitation; leave them out", id="join-and-broker"),
    pytest.param(["--join", "F", "--pubapi-password", "hunter2!"], "leave them out", id="join-and-password"),
    pytest.param(["--join", "/no/such/file"], "/no/such/file cannot be read: No such file", id="no-file"),
]


@pytest.fixture
def first(zato: Zato, tmp_path: Path) -> Environment:
    """An environment of a cluster, with a setting of its own and one that all have to share."""
    assert zato("create", tmp_path / "first", "--broker", URL, "--cluster", "blue", "--port", 17001).code == 0
    environment = Environment(tmp_path / "first")
    with environment.config.open("a") as config:
        config.write("retention = 60.0\nworkers = 3\n")
    return environment


def mode(path: Path) -> int:
    """Return the rights of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_password_of_the_broker_is_a_secret(zato: Zato, tmp_path: Path) -> None:
    """It goes where secrets go, and is not in what is printed."""
    done = zato("create", tmp_path / "env", "--broker", URL, "--cluster", "blue")
    environment = Environment(tmp_path / "env")
    settings = environment.settings()
    assert (settings.broker, settings.cluster) == ("redis://me@10.0.0.5:6379/1", "blue")
    assert (environment.credentials().broker_password, mode(environment.secrets)) == ("hunt/er2", 0o600)
    assert "  cluster         blue, by redis://me@10.0.0.5:6379/1\n" in done.out
    assert "er2" not in done.out + done.err + environment.config.read_text("utf-8")


def test_embedded_broker_needs_nothing(zato: Zato, tmp_path: Path) -> None:
    """It may be named, and there is no password of a broker then."""
    zato("create", tmp_path / "env", "--broker", "sqlite")
    assert "broker" not in Environment(tmp_path / "env").secrets.read_text("utf-8")
    assert Environment(tmp_path / "env").settings().broker == "sqlite"


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_what_makes_no_sense_is_refused(zato: Zato, tmp_path: Path, options: list[str], words: str) -> None:
    """The message shows no password, and nothing is made."""
    done = zato("create", tmp_path / "env", *options)
    assert (done.code, done.out, words in done.err) == (2, "", True)
    assert "ter2" not in done.err
    assert not (tmp_path / "env").exists()


def test_invited_server_has_what_the_cluster_has(zato: Zato, first: Environment, tmp_path: Path) -> None:
    """Broker, cluster, passwords and what has to be the same; not what is each server's own."""
    file = tmp_path / "invitation.toml"
    invited = zato("cluster", "invite", first.path, "--output", file)
    joined = zato("create", tmp_path / "second", "--join", file, "--port", 17002, "--host", "0.0.0.0")
    second = Environment(tmp_path / "second")
    settings = second.settings()

    assert (invited.code, invited.err, joined.code, joined.err) == (0, "", 0, "")
    assert mode(file) == mode(second.secrets) == 0o600
    assert second.credentials() == replace(first.credentials(), first_user_hash="")
    assert (settings.broker, settings.cluster, settings.retention) == ("redis://me@10.0.0.5:6379/1", "blue", 60.0)
    assert (settings.name, settings.port, settings.host, settings.workers) == ("second", 17002, "0.0.0.0", 1)
    assert "er2" not in invited.out + joined.out


def test_server_of_an_older_cluster_gets_no_key_of_its_own(zato: Zato, first: Environment, tmp_path: Path) -> None:
    """Others could not decrypt what it encrypts."""
    lines = first.secrets.read_text().splitlines(keepends=True)
    first.secrets.write_text("".join(line for line in lines if not line.startswith("encryption_key")))
    zato("cluster", "invite", first.path, "--output", tmp_path / "invitation.toml")
    assert zato("create", tmp_path / "second", "--join", tmp_path / "invitation.toml").code == 0
    assert Environment(tmp_path / "second").credentials() == replace(first.credentials(), first_user_hash="")
    assert "encryption_key" not in Environment(tmp_path / "second").secrets.read_text()


def test_invitation_goes_through_a_pipe(
    zato: Zato, first: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stdout holds it and nothing else, and stdin takes it; a name that is given wins over the folder's."""
    written = zato("cluster", "invite", first.path)
    monkeypatch.setattr(sys, "stdin", io.StringIO(written.out))
    joined = zato("create", tmp_path / "second", "--join", "-", "--name", "other")
    assert (written.code, written.err, joined.code) == (0, "", 0)
    assert Environment(tmp_path / "second").settings().name == "other"


def test_nothing_is_overwritten(zato: Zato, first: Environment, tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    (tmp_path / "mine").write_text("mine")
    done = zato("cluster", "invite", first.path, "--output", tmp_path / "mine")
    assert (done.code, done.out) == (2, "")
    assert done.err == f"Error: {tmp_path / 'mine'} exists already. Name a file that does not.\n"
    assert (tmp_path / "mine").read_text() == "mine"


def test_folder_that_is_missing_is_named(zato: Zato, first: Environment, tmp_path: Path) -> None:
    """Where it cannot be written, one is told why."""
    done = zato("cluster", "invite", first.path, "--output", tmp_path / "no" / "file")
    assert (done.code, "no/file cannot be written: No such file or directory" in done.err) == (2, True)


def test_nobody_is_invited_to_a_file(zato: Zato, tmp_path: Path) -> None:
    """An embedded broker has one server; it is said how to have another broker."""
    environment = make_environment(tmp_path / "env")
    done = zato("cluster", "invite", environment.path)
    assert (done.code, done.out) == (2, "")
    assert "is a file of its own, which servers cannot share" in done.err
    assert "zato create PATH --broker redis://host:6379/0" in done.err


def test_address_that_means_something_else_elsewhere(zato: Zato, tmp_path: Path) -> None:
    """A Redis on `localhost` is another one on another machine; the invitation is written all the same."""
    zato("create", tmp_path / "env", "--broker", "redis://localhost")
    done = zato("cluster", "invite", tmp_path / "env")
    assert (done.code, done.err) == (0, "Note: on another machine, localhost:6379 is that machine itself.\n")
    assert Invitation.from_toml(done.out, "").settings["broker"] == "redis://localhost"


def test_variable_counts_as_much_as_the_file(zato: Zato, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the broker's address, with its password, comes from a variable, the invitation has both, apart."""
    environment = make_environment(tmp_path / "env")
    monkeypatch.setenv("ZATO_BROKER", URL)
    invitation = Invitation.from_toml(zato("cluster", "invite", environment.path).out, "")
    assert invitation.settings["broker"] == "redis://me@10.0.0.5:6379/1"
    assert invitation.passwords["broker_password"] == "hunt/er2"


def test_invitation_that_others_can_read(zato: Zato, first: Environment, tmp_path: Path) -> None:
    """It is taken, with a warning: who could read it has read it by now."""
    file = tmp_path / "invitation.toml"
    zato("cluster", "invite", first.path, "--output", file)
    file.chmod(0o644)
    done = zato("create", tmp_path / "second", "--join", file)
    assert (done.code, f"Warning: {file} has mode 644: others can read the passwords in it." in done.err) == (0, True)


def test_what_is_no_invitation_is_not_to_be_deleted(zato: Zato, first: Environment, tmp_path: Path) -> None:
    """Who names another file by mistake, such as `config.toml`, is not told to delete it."""
    first.config.chmod(0o644)
    done = zato("create", tmp_path / "second", "--join", first.config)
    assert ("is no invitation" in done.err, "Delete it" in done.err) == (True, False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(("invitation = 1", ""), "there is no line 'invitation = 1'", id="none"),
        pytest.param(("retention = 60.0", "retention = -1"), "retention = -1 is out of range", id="setting"),
        pytest.param(('pubapi = "', 'pubapi = "ż'), "[passwords]: pubapi is not text of 8 to 256", id="password"),
        pytest.param(("redis://me@", "redis://m:hun:ter2@"), "is not percent-encoded", id="broker"),
        pytest.param(("invitation", "\udcff"), "it is not UTF-8", id="not-utf-8"),
    ],
)
def test_invitation_that_cannot_be_used(
    zato: Zato, first: Environment, tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    """The file or the setting is named, no password is shown, and nothing is made."""
    file = tmp_path / "invitation.toml"
    text = zato("cluster", "invite", first.path).out
    file.write_bytes(text.replace(*change, 1).encode("utf-8", "surrogateescape"))
    file.chmod(0o600)
    done = zato("create", tmp_path / "second", "--join", file)
    assert (done.code, words in done.err, "ter2" in done.err) == (2, True, False)
    assert not (tmp_path / "second").exists()


def test_folder_whose_name_is_no_servers(zato: Zato, first: Environment, tmp_path: Path) -> None:
    """It is said to give one."""
    file = tmp_path / "invitation.toml"
    zato("cluster", "invite", first.path, "--output", file)
    done = zato("create", tmp_path / "my server", "--join", file)
    assert done.code == 2
    assert "'my server' cannot be the name of a server by default. The folder's is taken" in done.err
    assert zato("create", tmp_path / "my server", "--join", file, "--name", "second").code == 0
