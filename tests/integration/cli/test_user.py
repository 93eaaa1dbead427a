"""`zato user …`, with a server that runs."""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import ServerProcess, make_environment, run_zato
from zato.client import AnyServiceInvoker

# What runs in this server is measured by tests/integration/test_people.py.
pytestmark = pytest.mark.usefixtures("unmeasured")
SHOWN = re.compile(r"^  log in as (\S+) with ([A-Za-z2-9]{20})$", re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of an environment that knows nobody, as those do that are older than people, until Ann is made."""
    with ServerProcess(make_environment(tmp_path_factory.mktemp("user") / "env")) as server:
        made = run_zato("user", "create", str(server.environment.path), "Ann")
        (server.environment.path / "made.txt").write_text(made.stdout, "utf-8")
        yield server


@pytest.fixture
def path(server: ServerProcess) -> str:
    """The folder of its environment."""
    return str(server.environment.path)


@pytest.fixture
def client(server: ServerProcess) -> Iterator[AnyServiceInvoker]:
    """A client of that server."""
    with server.client() as client:
        yield client


def logs_in(client: AnyServiceInvoker, name: str, password: str) -> bool:
    """Tell whether somebody gets in."""
    return client.invoke("zato.session.open", {"name": name, "password": password, "client": name}).ok


def test_people_are_made_listed_and_deleted(zato: Zato, path: str, client: AnyServiceInvoker) -> None:
    """The first is an admin; each password is printed once, and is the right one."""
    made = [Path(path, "made.txt").read_text("utf-8"), zato("user", "create", path, "bob", "--role", "operator").out]
    assert [said.splitlines()[0] for said in made] == ["Made: ann, admin", "Made: bob, operator"]
    passwords = dict(SHOWN.findall("".join(made)))
    assert [logs_in(client, name, passwords[name]) for name in ("ann", "bob")] == [True, True]

    rows = [line.split() for line in zato("user", "list", path).out.splitlines()]
    assert {("ann", "admin", 6), ("bob", "operator", 6)} <= {(row[0], row[1], len(row)) for row in rows[1:]}

    assert zato("user", "delete", path, "bob").out == "Deleted: bob\n"
    assert '"name": "ann"' in zato("user", "list", path, "--json").out
    last = zato("user", "delete", path, "ann")
    assert (last.code, "'ann' is the last admin and cannot be deleted" in last.err) == (6, True)


def test_another_password_and_another_role(zato: Zato, path: str, client: AnyServiceInvoker) -> None:
    """Whoever forgot theirs gets a new one; an argument that is no role is told which there are."""
    zato("user", "create", path, "carol", "--role", "viewer")
    changed = zato("user", "password", path, "carol")
    assert changed.out.splitlines()[0] == "Changed: the password of carol"
    assert logs_in(client, *SHOWN.findall(changed.out)[0])

    assert zato("user", "role", path, "carol", "operator").out == "Changed: carol, operator\n"
    wrong = zato("user", "role", path, "carol", "root")
    assert (wrong.code, "viewer" in wrong.err) == (2, True)
    missing = zato("user", "role", path, "carla", "operator")
    assert (missing.code, "no person 'carla'. Did you mean 'carol'?" in missing.err) == (4, True)


@pytest.mark.parametrize(("given", "code"), [("from stdin\nmore\n", 0), ("short\n", 1), ("", 1)])
def test_password_from_stdin(path: str, client: AnyServiceInvoker, given: str, code: int) -> None:
    """The first line is it, and it is not printed."""
    name = f"dan{len(given)}"
    done = run_zato("user", "create", path, name, "--role", "viewer", "--password-stdin", input=given)
    assert (done.returncode, "from stdin" in done.stdout + done.stderr) == (code, False)
    assert logs_in(client, name, given.partition("\n")[0]) is (code == 0)


def test_first_person_of_an_environment_that_was_made_just_now(zato: Zato, tmp_path: Path) -> None:
    """They log in with what `zato create` printed."""
    made = make_environment(tmp_path / "other")
    port = str(made.settings().port)
    made.path.rename(tmp_path / "unused")
    done = zato("create", made.path, "--port", port, "--admin-invoke-password", "test-password")
    (password,) = re.findall(r"log in as admin with (\S+)", done.out)
    with ServerProcess(made) as server, server.client() as client:
        assert [logs_in(client, "admin", each) for each in (password, "another one")] == [True, False]


def test_password_that_is_no_text(zato: Zato, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what is wrong with it, and does not show it, however the system reads such bytes."""
    for errors in ("strict", "surrogateescape"):
        stdin = io.TextIOWrapper(io.BytesIO(b"hidden-\xff\xfe\n"), encoding="utf-8", errors=errors)
        monkeypatch.setattr(sys, "stdin", stdin)
        done = zato("user", "create", path, "ann", "--password-stdin")
        assert (done.code, "no text in UTF-8" in done.err, "hidden" in done.err) == (2, True, False)
