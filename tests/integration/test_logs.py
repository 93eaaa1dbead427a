"""The logs of a real server: what every line of a call carries, and the access log."""

import contextlib
import json
import os
import pty
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.environments import PASSWORD, ZATO, ServerProcess, make_environment, run_zato
from tests.support.subprocesses import children_unmeasured
from tests.support.waiting import wait_until

SERVICES = """
import asyncio, logging, warnings
import structlog
from zato.server.service import AsyncService, Service

log = logging.getLogger("mylib")

class Inner(Service):
    name = "inner"

    def handle(self):
        log.info("inner")

class Outer(Service):
    name = "outer"

    def handle(self):
        log.info("before")
        structlog.get_logger().info("structlog", order=7)
        warnings.warn(f"careful {self.cid}")
        self.invoke("inner")
        self.invoke("inner", timeout=5)
        log.info("after, with the password %s", self.request.payload)

class Tasks(AsyncService):
    name = "tasks"

    async def handle(self):
        log.info("before")
        await asyncio.create_task(self.step())
        await asyncio.to_thread(log.info, "thread")
        await self.invoke("inner")
        await self.invoke("inner-task")
        log.info("after")

    async def step(self):
        log.info("step")

class InnerTask(AsyncService):
    name = "inner-task"

    async def handle(self):
        await asyncio.sleep(0)

class Slow(AsyncService):
    name = "slow"

    async def handle(self):
        await asyncio.sleep(30)

class Fails(Service):
    name = "fails"
    retry = {"attempts": 2, "backoff": 0.01}

    def handle(self):
        raise ValueError("token: abc")

class Debug(Service):
    name = "debug"

    def handle(self):
        logging.getLogger("mylib").debug("%s", self.request.payload)
        logging.getLogger("other").debug("%s", self.request.payload)
"""
EVENTS = {
    "outer": [("before", 0), ("structlog", 0), ("careful", 0), ("inner", 1), ("inner", 1), ("after, with", 0)],
    "tasks": [("before", 0), ("step", 0), ("thread", 0), ("inner", 1), ("after", 0)],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with two worker processes."""
    environment = make_environment(tmp_path_factory.mktemp("logs") / "env", {"some.py": SERVICES}, workers=2)
    with ServerProcess(environment) as started:
        yield started


def accessed(server: ServerProcess, **fields: object) -> dict[str, Any]:
    """Return the line of the access log that has these fields, waiting for it."""
    file = server.environment.logs / "access.log"

    def find() -> dict[str, Any] | None:
        lines = (json.loads(line) for line in file.read_text().splitlines())
        return next((line for line in lines if fields.items() <= line.items()), None)

    found = wait_until(find, what=f"a line with {fields}")
    assert found is not None
    return found


def lines_of(server: ServerProcess, cid: str) -> list[dict[str, Any]]:
    """Return the log lines with a CID."""
    return [line for line in server.log() if line.get("cid") == cid]


@pytest.mark.parametrize("in_background", [False, True])
@pytest.mark.parametrize("service", ["outer", "tasks"])
def test_every_line_of_a_call(server: ServerProcess, service: str, in_background: bool) -> None:
    """It carries the CID, the service that runs at that moment, and its channel."""
    with server.client() as client:
        call = client.invoke_async if in_background else client.invoke
        response = call(service, PASSWORD)
        cid = response.data if in_background else response.cid
    wait_until(lambda: any(line["event"].startswith("after") for line in lines_of(server, cid)))

    lines, outer = lines_of(server, cid), (service, "invoke-async" if in_background else "invoke")
    expected = [(outer, ("inner", "invoke"))[depth] for _, depth in EVENTS[service]]
    assert [(line["service"], line["channel"]) for line in lines] == expected
    assert all(words in line["event"] for line, (words, _) in zip(lines, EVENTS[service], strict=True))
    assert PASSWORD not in (server.environment.logs / "server.log").read_text()


def test_access_line_of_a_call(server: ServerProcess) -> None:
    """Whoever has the CID finds who asked for what."""
    with server.client() as client:
        cid = client.invoke("inner", "x").cid
    line = accessed(server, cid=cid)
    assert (line["event"], line["status"], line["user"]) == ("POST /zato/admin/invoke 200", 200, "admin.invoke")
    assert (line["service"], line["channel"], line["client"].split(":")[0]) == ("inner", "invoke", "127.0.0.1")
    assert 0 < line["ms"] < 10_000
    assert line["bytes_in"] > 50 < line["bytes_out"]


def test_access_lines_of_a_background_call(server: ServerProcess) -> None:
    """One says that it was accepted, and under which CID; one a run says how that ended."""
    with server.client() as client:
        cid = client.invoke_async("fails").data
    accepted = accessed(server, accepted=cid)
    runs = [accessed(server, cid=cid, attempt=attempt) for attempt in (1, 2)]
    assert (accepted["async"], accepted["service"]) == (True, "fails")
    assert [(run["outcome"], run["channel"], run["event"]) for run in runs] == [
        ("retried", "invoke-async", "fails retried"),
        ("failed", "invoke-async", "fails failed"),
    ]
    assert "token: ***" in next(line for line in lines_of(server, cid) if "exception" in line)["exception"]


def test_access_line_of_a_cancelled_run(server: ServerProcess) -> None:
    """A run that is cancelled has its line too."""
    with server.client() as client:
        cid = client.invoke_async("slow").data
        wait_until(lambda: client.invoke("zato.invocation.get", {"cid": cid}).data["status"] == "running")
        client.invoke("zato.invocation.cancel", {"cid": cid})
    assert accessed(server, cid=cid, outcome="cancelled")["service"] == "slow"


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        pytest.param("/zato/ping", {}, {"status": 200}, id="200"),
        pytest.param("/zato/api/invoke/inner", {}, {"status": 401, "bytes_in": 0}, id="401"),
        pytest.param("/no\u2028%0awhere?token=x", {}, {"status": 404, "path": "/no\\u2028\\nwhere"}, id="404"),
        pytest.param("/zato/ready", {"method": "PUT"}, {"status": 405, "method": "PUT"}, id="405"),
        pytest.param(
            "/zato/api/invoke/inner?password=x",
            {"auth": ("pubapi", PASSWORD)},
            {"status": 200, "user": "pubapi", "channel": "rest", "path": "/zato/api/invoke/inner"},
            id="query-string",
        ),
        pytest.param(
            "/zato/api/invoke/inner",
            {"auth": ("pubapi", PASSWORD), "method": "POST", "data": b"x" * 20_000_001},
            {"status": 413, "service": "inner"},
            id="413",
        ),
    ],
)
def test_access_line_of_every_answer(
    server: ServerProcess, path: str, options: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Each status has its line, without the query string."""
    reply = requests.request(url=f"{server.address}{path}", timeout=10, **{"method": "GET", **options})
    line = accessed(server, cid=reply.headers["x-zato-cid"])
    assert expected.items() <= line.items()
    assert "?" not in json.dumps(line)


def test_access_line_of_a_client_that_left(server: ServerProcess) -> None:
    """Nobody was answered: 499."""
    host, port = server.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /zato/admin/invoke HTTP/1.1\r\nHost: x\r\nAuthorization: {_basic()}\r\nContent-Length: 50\r\n\r\n"
        connection.sendall(head.encode() + b"half")
    assert accessed(server, status=499)["bytes_out"] == 0


def _basic() -> str:
    return requests.Request("GET", "http://x", auth=("admin.invoke", PASSWORD)).prepare().headers["Authorization"]


def _debugs(server: ServerProcess, words: str) -> set[int]:
    """Log at DEBUG until both processes have answered, and return which of them logged."""
    seen: set[int] = set()
    cids: set[str] = set()
    logged = {line["cid"] for line in server.log() if line["event"] == words}
    while len(seen) < 2:
        with server.client() as client:
            seen.add(client.invoke("zato.server.info").data["worker"])
            cids.add(client.invoke("debug", words).cid)
    found = {line["cid"] for line in server.log() if line["event"] == words} - logged
    return {1 if cid in found else 0 for cid in cids}


def test_level_is_changed_in_every_process(server: ServerProcess) -> None:
    """Both processes log more within a second, and less again; so the command says."""
    path = str(server.environment.path)
    changed = run_zato("log-level", path, "debug", "--logger", "mylib", "--json")
    wait_until(lambda: _debugs(server, "now visible") == {1}, 5)
    shown = run_zato("log-level", path, "--json")
    run_zato("log-level", path, "default", "--logger", "mylib")
    wait_until(lambda: _debugs(server, "invisible again") == {0}, 5)

    item = {"logger": "mylib", "level": "DEBUG", "is_default": False}
    assert json.loads(changed.stdout) == json.loads(shown.stdout)
    assert json.loads(shown.stdout) == [{"logger": "root", "level": "INFO", "is_default": True}, item]
    assert not any(line["logger"] == "other" for line in server.log() if line["event"] == "now visible")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        pytest.param(["debig"], 2, "Did you mean 'debug'?", id="misspelt"),
        pytest.param(["--logger", "mylib"], 2, "Say which level 'mylib' is to have", id="no-level"),
        pytest.param(["info", "--logger", "a\nb"], 1, "'logger' is at most 200 printable characters", id="name"),
    ],
)
def test_level_that_cannot_be_set(server: ServerProcess, arguments: list[str], status: int, words: str) -> None:
    """The command says what is wrong, and what is meant."""
    ended = run_zato("log-level", str(server.environment.path), *arguments)
    assert words in ended.stderr
    assert ended.returncode == status


def test_levels_on_paper(server: ServerProcess) -> None:
    """Without a level the command shows what there is, as a table."""
    ended = run_zato("log-level", str(server.environment.path))
    assert ended.stdout.splitlines()[1].split() == ["root", "INFO"]


@children_unmeasured()
def test_levels_survive_a_process_and_not_the_server(tmp_path: Path) -> None:
    """A process that replaces another logs as that one did; after a start, the settings rule again."""
    environment = make_environment(tmp_path / "env", {"some.py": SERVICES})
    with ServerProcess(environment) as server:
        run_zato("log-level", str(environment.path), "ERROR")
        dead = environment.running().workers[0].pid
        assert dead is not None
        os.kill(dead, 9)
        wait_until(lambda: environment.running().workers[0].pid not in (dead, None))
        server.wait_ready()
        with server.client() as client:
            cid = client.invoke("inner").cid
        assert lines_of(server, cid) == []
    assert not [line for line in server.log() if line["event"].endswith(" stops")]
    with ServerProcess(environment) as server, server.client() as client:
        assert client.invoke("zato.log.get-levels").data["items"][0]["level"] == "INFO"


@children_unmeasured()
def test_nothing_is_lost_at_a_stop(tmp_path: Path) -> None:
    """A server that stops writes its last lines; with the setting off, there is no access log."""
    environment = make_environment(tmp_path / "env", {"some.py": SERVICES})
    with ServerProcess(environment) as server, server.client() as client:
        cids = [client.invoke("zato.ping").cid for _ in range(20)]
    file = environment.logs / "access.log"
    assert set(cids) <= {json.loads(line)["cid"] for line in file.read_text().splitlines()}

    file.unlink()
    with ServerProcess(environment, env={"ZATO_ACCESS_LOG": "false"}) as server, server.client() as client:
        client.invoke("zato.ping")
    assert not file.exists()


@children_unmeasured()
def test_terminal(tmp_path: Path) -> None:
    """On a terminal lines are for people: coloured, and with what they belong to at their end."""
    environment = make_environment(tmp_path / "env", {"some.py": SERVICES})
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    shown = bytearray()

    def read() -> str:
        with contextlib.suppress(OSError):
            shown.extend(os.read(ours, 65_536))
        return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode(errors="replace"))

    with subprocess.Popen(
        [ZATO, "start", str(environment.path)], stdout=theirs, stderr=theirs, stdin=theirs
    ) as started:
        try:
            run_zato("wait", str(environment.path))
            cid = json.loads(run_zato("service", "invoke", str(environment.path), "inner", "--json").stdout)["cid"]
            call = f"cid={cid} service=inner channel=invoke"
            wait_until(lambda: re.search(rf"POST /zato/admin/invoke 200 +\[zato.access\] {call}", read()))
        finally:
            started.terminate()
    text = read()
    os.close(ours)
    os.close(theirs)
    assert re.search(rf"T[0-9:.]+Z \[info +\] inner +\[mylib\] {call}", text)
    assert b"\x1b[" in shown
