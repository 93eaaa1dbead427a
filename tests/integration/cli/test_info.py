"""`zato info`: what an environment is, whether its server runs or not."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import PASSWORD, ZATO, ServerProcess, make_environment
from tests.support.terminals import on_a_terminal
from zato import __version__

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

SERVICE = "from zato.server.service import Service\nclass Own(Service):\n    def handle(self):\n        return 1\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with one service of its own, and one call that waits for its time."""
    environment = make_environment(tmp_path_factory.mktemp("info") / "env", {"crm.py": SERVICE})
    with ServerProcess(environment) as server, server.client() as client:
        client.invoke_async("zato.ping", delay=3600)
        yield server


def test_running_server(zato: Zato, server: ServerProcess) -> None:
    """The object has exactly these keys, and says what runs."""
    environment = server.environment
    found = json.loads(zato("info", environment.path, "--json").out)
    size = (environment.data / "broker.db").stat().st_size
    assert found["broker"].pop("size") >= size
    assert found["server"].pop("since").endswith("Z")
    python = ".".join(map(str, sys.version_info[:3]))
    users = {"admin.invoke": "/zato/admin/invoke", "pubapi": "/zato/api/invoke/SERVICE"}
    built_in = found["server"]["services"]["built_in"]
    assert found == {
        "path": str(environment.path),
        "name": "server1",
        "version": __version__,
        "python": python,
        "address": server.address,
        "running": True,
        "reason": "",
        "server": {
            "pid": server.process.pid,
            "ready": True,
            "reason": "",
            "version": __version__,
            "python": python,
            "services": {"own": 1, "built_in": built_in},
        },
        "workers": 1,
        "threads": {"http": 32, "background": 32},
        "broker": {"kind": "sqlite", "file": str(environment.data / "broker.db"), "url": None, "cluster": None},
        "calls": {"waiting": 0, "delayed": 1, "running": 0, "stranded": 0},
        "users": [{"name": name, "for": door, "password": None} for name, door in users.items()],
        "secrets": str(environment.secrets),
    }


def test_for_people(zato: Zato, server: ServerProcess) -> None:
    """A line each, and no password unless it is asked for."""
    out = zato("info", server.environment.path).out
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert lines["address"] == server.address
    assert lines["server"].startswith(f"runs as process {server.process.pid}, since 20")
    assert lines["services"].startswith("1 of your own, ")
    assert lines["calls"] == "0 waiting, 1 delayed, 0 running, 0 stranded"
    assert PASSWORD not in out


def test_passwords(zato: Zato, server: ServerProcess) -> None:
    """They are shown when they are asked for, to people and to programs."""
    text = zato("info", server.environment.path, "--show-secrets").out
    users = json.loads(zato("info", server.environment.path, "--show-secrets", "--json").out)["users"]
    assert f"admin.invoke for /zato/admin/invoke, password {PASSWORD}\n" in text
    assert [user["password"] for user in users] == [PASSWORD, PASSWORD]


def test_server_with_other_passwords(zato: Zato, server: ServerProcess) -> None:
    """What only the server can tell is unknown then, and the reason is shown."""
    environment = server.environment
    environment.set_password("admin.invoke")
    done = zato("info", environment.path)
    environment.set_password("admin.invoke", PASSWORD)
    assert done.code == 0
    assert "services   unknown: " in done.out


def test_without_a_server(zato: Zato, tmp_path: Path) -> None:
    """The exit status is 0; what only a server can tell is null."""
    environment = make_environment(tmp_path / "env", workers=3)
    done = zato("info", environment.path, "--json")
    found = json.loads(done.out)
    assert (done.code, found["running"], found["server"], found["calls"]) == (0, False, None, None)
    assert (found["workers"], found["broker"]["size"]) == (3, None)
    assert found["reason"].startswith(f"No server of {environment.path} runs. ")
    assert found["reason"] in zato("info", environment.path).out


def test_on_a_terminal(server: ServerProcess) -> None:
    """Labels stand out, and long values fold."""
    shown = on_a_terminal([ZATO, "info", str(server.environment.path)], columns=60)
    assert "\x1b[1mpath" in shown
