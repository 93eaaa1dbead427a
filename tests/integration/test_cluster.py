"""Servers that share a Redis: who they are, names that are taken, draining from elsewhere, one log-in."""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.environments import ServerProcess, free_port, make_environment, run_zato
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until
from zato.client import AnyServiceInvoker
from zato.environment import Environment

# What runs in these servers is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

SECRET = "hunter2hunter2"
LEASE = 2.0
OWN = """
from zato.server.service import Service


class Own(Service):
    name = "own"

    def handle(self):
        return self.request.payload
"""


@dataclass(frozen=True)
class Pair:
    """Two servers of one cluster; the second one, which alone has a service, was invited by the first."""

    first: ServerProcess
    second: ServerProcess
    url: str

    @property
    def folder(self) -> Path:
        """Where both have their environments."""
        return self.first.environment.path.parent

    def client(self, server: ServerProcess) -> AnyServiceInvoker:
        """Return a client of one server that logs in with what the first one has."""
        login = ("admin.invoke", self.first.environment.credentials().admin_invoke)
        return AnyServiceInvoker(server.address, "/zato/admin/invoke", login)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """They share a Redis that wants a password, which is given on the command line once."""
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as opened:
        redis = opened.enter_context(RedisServer(password=SECRET))
        url = redis.url.replace("redis://", f"redis://:{SECRET}@")
        ports = [("--port", str(free_port())) for _ in range(2)]
        done("create", "one", "--broker", url, "--cluster", "blue", "--name", "one", *ports[0], cwd=folder)
        with (folder / "one" / "config.toml").open("a") as config:
            config.write(f"lease = {LEASE}\n")
        done("cluster", "invite", "one", "--output", "invitation", cwd=folder)
        done("create", "two", "--join", "invitation", *ports[1], cwd=folder)
        (folder / "two" / "services" / "own.py").write_text(OWN, "utf-8")
        first, second = (ServerProcess(Environment(folder / name)) for name in ("one", "two"))
        yield Pair(opened.enter_context(first), opened.enter_context(second), redis.url)


def done(*arguments: str, cwd: Path) -> str:
    """Run a command that succeeds, and return what it prints."""
    ended = run_zato(*arguments, cwd=cwd)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def member(folder: Path, url: str, cluster: str, **settings: object) -> Environment:
    """Make an environment of a cluster; its server is called crm unless something else is said."""
    shared: dict[str, object] = {"broker": url, "cluster": cluster, "name": "crm", "lease": LEASE}
    return make_environment(folder, None, **(shared | settings))


def alive(environment: Environment) -> dict[str, bool]:
    """Return the servers that one of them tells of, and which of them live."""
    items = json.loads(done("server", "list", str(environment.path), "--json", cwd=environment.path))
    return {item["name"]: item["alive"] for item in items}


def test_servers_know_of_each_other(pair: Pair) -> None:
    """Both tell the same, to whoever has the password of one."""
    told = []
    for server in (pair.first, pair.second):
        with pair.client(server) as client:
            assert client.invoke("zato.server.info").data["cluster"] == "blue"
            items = client.invoke("zato.cluster.get-servers").data["items"]
            told.append([(item["name"], item["address"], item["alive"]) for item in items])
    both = [("one", pair.first.address, True), ("two", pair.second.address, True)]
    assert told == [both, both]


def test_password_of_the_redis_is_shown_nowhere(pair: Pair) -> None:
    """Neither by commands nor in what the servers write, except where secrets are."""
    lines = ("info two", "status two", "config show two", "config explain two broker", "server list two", "doctor two")
    said = [run_zato(*line.split(), cwd=pair.folder).stdout for line in lines]
    files = [*pair.folder.glob("*/logs/*"), *pair.folder.glob("*/run/*.json"), *pair.folder.glob("*/config.toml")]
    said += [file.read_text("utf-8") for file in files]
    assert all(said)
    assert not [text for text in said if SECRET in text]


def test_name_that_is_taken_is_refused(pair: Pair, tmp_path: Path) -> None:
    """The other environment is named; the server that was there first does not notice."""
    done("create", str(tmp_path / "a"), "--join", "invitation", "--name", "one", cwd=pair.folder)
    refused = run_zato("start", str(tmp_path / "a"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Another server is called 'one' in cluster 'blue': process " in refused.stderr
    assert f", at {pair.first.address}, heard of " in refused.stderr
    assert "Give this one another name (setting name), or stop that one." in refused.stderr
    assert alive(pair.second.environment) == {"one": True, "two": True}
    assert not [line for line in pair.first.log() if line["level"] == "error"]


def test_server_is_drained_from_another(pair: Pair) -> None:
    """Its calls run elsewhere meanwhile."""
    drain = ("server", "drain", "one", "--server", "two")
    drained = done(*drain, cwd=pair.folder)
    with pair.client(pair.second) as client:
        cids = [client.invoke_async("zato.ping").data for _ in range(20)]
        ran_on = {client.result(cid, wait=10).record["server"] for cid in cids}
    undone = done(*drain, "--undo", cwd=pair.folder)
    assert drained == "two takes no new work, and nothing runs there any more.\n"
    assert ran_on == {"one"}
    assert undone == "two takes work again.\n"


def test_service_that_one_server_has_is_accepted_by_all(pair: Pair) -> None:
    """It runs where it is."""
    with pair.client(pair.first) as client:
        ran = client.result(client.invoke_async("own", "x").data, wait=10)
    assert (ran.data, ran.record["server"]) == ("x", "two")


def test_commands_say_that_the_calls_are_elsewhere(pair: Pair, tmp_path: Path) -> None:
    """What is for files is refused; the others show the cluster, and counts while a server runs."""
    with pair.client(pair.first) as client:
        cid = client.invoke_async("zato.ping", delay=3600).data
        info = json.loads(done("info", "one", "--json", cwd=pair.folder))
        status = done("status", "one", cwd=pair.folder)
        client.invoke("zato.invocation.cancel", {"cid": cid})
    refused = [run_zato(command, "one", str(tmp_path / "a.db"), cwd=pair.folder) for command in ("backup", "restore")]
    assert info["broker"] == {"kind": "redis", "file": None, "size": None, "url": pair.url, "cluster": "blue"}
    assert info["calls"] == {"waiting": 0, "delayed": 1, "running": 0, "stranded": 0}
    assert f"  cluster   blue, by {pair.url}\n  calls     0 waiting, 1 delayed," in status
    assert [each.returncode for each in refused] == [2, 2]
    assert all("It is backed up and restored there" in each.stderr for each in refused)
    assert not list(pair.first.environment.data.iterdir())


def test_doctor_asks_the_redis(pair: Pair) -> None:
    """It says which cluster is where; what it thinks of each answer is tested with `zato.cli.redis_checks`."""
    found = json.loads(run_zato("doctor", "one", "--json", cwd=pair.folder).stdout)["checks"]
    assert [check for check in found if check["state"] == "ok" and "; cluster 'blue'." in check["message"]]


def test_server_that_is_gone(tmp_path: Path, redis_url: str, cluster_name: str) -> None:
    """One that stopped is not listed, one that was killed is; calls of what it alone has are stranded meanwhile."""
    stays = member(tmp_path / "stays", redis_url, cluster_name, name="stays")
    leaves = member(tmp_path / "leaves", redis_url, cluster_name, name="leaves")
    (leaves.services / "own.py").write_text(OWN, "utf-8")
    with ServerProcess(stays) as server, server.client() as client:
        with ServerProcess(leaves):
            assert alive(stays) == {"leaves": True, "stays": True}
        assert alive(stays) == {"stays": True}
        cid = client.invoke_async("own", "y").data
        assert client.result(cid).status == "stranded"
        with ServerProcess(leaves) as killed:
            assert client.result(cid, wait=10).data == "y"
            killed.kill()
            wait_until(lambda: alive(stays) == {"leaves": False, "stays": True})


def test_name_of_a_killed_server(tmp_path: Path, redis_url: str, cluster_name: str) -> None:
    """The same environment has it back at once; another one waits until it is sure that the first is dead."""
    first, second = (member(tmp_path / name, redis_url, cluster_name, lease=6.0) for name in ("a", "b"))
    with ServerProcess(first) as killed:
        killed.kill()
    with ServerProcess(first) as again:
        again.kill()
    with ServerProcess(second) as server:
        server.logged("was heard of a moment ago: this start waits")
        assert alive(second) == {"crm": True}
    assert not [line for line in again.log() if "this start waits" in line["event"]]


def test_server_that_was_cut_off(tmp_path: Path, redis_url: str, cluster_name: str) -> None:
    """One that stood still while another took its name logs an error when it goes on."""
    first, second = (member(tmp_path / name, redis_url, cluster_name, max_stall=0) for name in ("a", "b"))
    with ServerProcess(first) as frozen:
        processes = frozen.processes()
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        with ServerProcess(second):
            for process in processes:
                process.send_signal(signal.SIGCONT)
            frozen.logged("Another server has taken the name 'crm' of this one")
