"""The examples of docs/howto/reverse-proxy.md, in front of a real server."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests

from tests.docs.proxies import EXAMPLES, Proxy, caddy, haproxy, nginx
from tests.docs.transcripts import blocks_of
from tests.support.environments import PASSWORD, ServerProcess, make_environment
from tests.support.httpd import Reply, ScriptedServer
from tests.support.waiting import wait_until
from zato.core.settings import Settings
from zato.environment import Environment
from zato.server.builtin.invocation import MAX_WAIT
from zato.server.http.listener import HEADER_TIMEOUT_MS

RunProxy = Callable[[Path, int], AbstractContextManager[Proxy]]

PAGE = EXAMPLES.parent / "howto" / "reverse-proxy.md"
PROXIES = [pytest.param(nginx, id="nginx"), pytest.param(caddy, id="caddy"), pytest.param(haproxy, id="haproxy")]
SERVICES = {
    "repeatable_post.py": (EXAMPLES / "repeatable_post.py").read_text("utf-8"),
    "behind.py": """
import os
import signal
from pathlib import Path

from zato.server.service import Service


class Seen(Service):
    name = "seen"

    def handle(self):
        return self.request.http.headers.get("x-forwarded-for")


class Dies(Service):
    name = "dies"

    def handle(self):
        with Path("RUNS").open("a") as runs:
            runs.write("run ")
        os.kill(os.getpid(), signal.SIGKILL)
""",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run a server with two workers: a request that one of them died of could be sent to the other."""
    with ServerProcess(environment_in(tmp_path_factory.mktemp("behind"), workers=2)) as running:
        yield running


@pytest.fixture(scope="module", params=PROXIES)
def proxy(
    request: pytest.FixtureRequest, server: ServerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """Run a proxy in front of it."""
    run: RunProxy = request.param
    with run(tmp_path_factory.mktemp("proxy"), server.environment.running().port) as running:
        yield running


def test_service_answers_through_the_proxy(proxy: Proxy) -> None:
    """A request for a service reaches it, and its reply comes back with the CID."""
    reply = proxy.ask("POST", "/zato/api/invoke/zato.ping")

    assert (reply.status_code, reply.json()) == (200, {"zato_ping_response": {"pong": "zato"}})
    assert re.fullmatch(r"[a-f][0-9a-f]{23}", reply.headers["X-Zato-CID"])


def test_wrong_password_is_refused_by_the_server(proxy: Proxy) -> None:
    """The proxy passes credentials on, and the server judges them."""
    reply = proxy.ask("POST", "/zato/api/invoke/seen", auth=("pubapi", "wrong-password"))

    assert (reply.status_code, reply.json()["zato_env"]["result"]) == (401, "ZATO_ERROR")


def test_background_call_runs_once_for_one_key(proxy: Proxy, server: ServerProcess) -> None:
    """The header Idempotency-Key passes the proxy: a POST that is repeated makes no second call."""
    send = {"json": {"item": "tea"}, "headers": {"Idempotency-Key": f"key-{proxy.address}"}}

    cids = {proxy.ask("POST", "/zato/api/invoke/order", **send).json()["cid"] for _ in range(2)}
    with server.client() as client:
        results = [client.result(cid, wait=10) for cid in cids]

    assert [result.status for result in results] == ["done"]


@pytest.mark.parametrize("path", ["/zato/admin/invoke", "/zato/live", "/zato/ready", "/"])
def test_everything_else_is_closed(proxy: Proxy, server: ServerProcess, path: str) -> None:
    """What is not for the world is not found at the proxy, whatever the password."""
    reply = proxy.ask("POST", path, json={"name": "zato.ping"}, auth=("admin.invoke", PASSWORD))

    assert reply.status_code == 404
    assert "X-Zato-CID" not in reply.headers


def test_largest_body_passes_the_proxy(proxy: Proxy) -> None:
    """What the server takes the proxy takes."""
    status = proxy.ask("POST", "/zato/api/invoke/seen", data=b" " * Settings().max_body).status_code

    assert status == 200, proxy.authority.with_name("error.log").read_text("utf-8")


def test_larger_body_is_refused_by_the_proxy(proxy: Proxy) -> None:
    """The server would hang up on it; whoever listens while sending learns of a 413, whoever does not is hung up on."""
    try:
        status = proxy.ask("POST", "/zato/api/invoke/seen", data=b" " * (Settings().max_body + 1)).status_code
    except requests.ConnectionError:
        status = 413

    assert status == 413


def test_service_sees_the_address_of_the_client(proxy: Proxy) -> None:
    """What a client says of its own address is replaced by what the proxy sees."""
    reply = proxy.ask("POST", "/zato/api/invoke/seen", headers={"X-Forwarded-For": "203.0.113.7"})

    assert reply.text in {"127.0.0.1", "::1"}


def test_put_that_kills_its_process_is_not_repeated(proxy: Proxy, server: ServerProcess) -> None:
    """A request that may have been run is not sent to another process, even on a connection that is in use."""
    runs = server.environment.path / "runs.txt"
    runs.unlink(missing_ok=True)
    for _ in range(4):
        proxy.ask("GET", "/zato/ping")

    before = workers(server)

    reply = proxy.ask("PUT", "/zato/api/invoke/dies")
    # Until then, a connection may come to one that is gone, and the next test would be told so.
    wait_until(lambda: len(workers(server) - before) == 1 and len(workers(server)) == 2, 30, what="a replacement")

    assert (reply.status_code, runs.read_text("utf-8")) == (502, "run ")


@pytest.mark.parametrize("run", PROXIES)
def test_proxy_answers_again_once_the_server_does(run: RunProxy, tmp_path: Path) -> None:
    """While no server runs the proxy says so; when one runs again, nothing has to be done at the proxy."""
    environment = environment_in(tmp_path)
    (tmp_path / "proxy").mkdir()
    with ServerProcess(environment) as first, run(tmp_path / "proxy", environment.running().port) as proxy:
        first.kill()
        down = proxy.ask("GET", "/zato/ping").status_code
        with ServerProcess(environment):
            wait_until(lambda: proxy.ask("GET", "/zato/ping").ok, what="an answer of the new server")

    assert down in {502, 503}


def test_admin_is_open_to_a_network_that_is_named(server: ServerProcess, tmp_path: Path) -> None:
    """The lines that the page tells to add open the admin address, to those they name and to nobody else."""
    [lines] = blocks_of(PAGE, "nginx")
    statuses = []
    for number, network in enumerate(("127.0.0.0/8", "10.0.0.0/8")):
        (folder := tmp_path / str(number)).mkdir()
        assert lines.count("10.0.0.0/8") == 1
        with nginx(folder, server.environment.running().port, insert=lines.replace("10.0.0.0/8", network)) as proxy:
            admin = {"json": {"name": "zato.ping"}, "auth": ("admin.invoke", PASSWORD)}
            statuses.append(proxy.ask("POST", "/zato/admin/invoke", **admin).status_code)

    assert statuses == [200, 403]


def test_times_and_sizes_fit_those_of_the_server() -> None:
    """Idle connections are dropped before the server drops them, and the longest wait for an outcome is waited for."""
    idle, reply = {}, {}
    for name, idle_line, reply_line in (
        ("nginx.conf", r"keepalive_timeout (\d+)s;", r"proxy_read_timeout (\d+)s;"),
        ("Caddyfile", r"keepalive (\d+)s", r"response_header_timeout (\d+)s"),
        ("haproxy.cfg", r"timeout http-keep-alive (\d+)s", r"timeout server (\d+)s"),
    ):
        text = (EXAMPLES / name).read_text("utf-8")
        idle[name], reply[name] = (int(re.findall(line, text)[0]) for line in (idle_line, reply_line))

    assert all(seconds <= HEADER_TIMEOUT_MS / 1000 - 5 for seconds in idle.values())
    assert all(seconds >= MAX_WAIT + Settings().grace for seconds in reply.values())


def test_balancer_leaves_a_server_before_it_closes_its_doors() -> None:
    """The checks that HAProxy makes until it sends nothing any more take less than half of the time there is."""
    text = (EXAMPLES / "haproxy.cfg").read_text("utf-8")
    pause, pause_when_failing, failures, answer = (
        int(re.findall(rf" {name} (\d+)", text)[0]) for name in ("inter", "fastinter", "fall", "timeout check")
    )

    assert pause + (failures - 1) * pause_when_failing <= Settings().drain * 1000 / 2
    assert answer >= 1


def test_balancer_leaves_a_server_that_says_no(tmp_path: Path) -> None:
    """A server that is not ready gets no requests, though its doors are open."""
    with ScriptedServer() as ready, ScriptedServer() as stopping:
        ready.script(Reply.of({"answered": "ready"}))
        stopping.script(lambda asked: Reply.of({}, 503 if asked.path == "/zato/ready" else 200))
        ports = [server.server_address[1] for server in (ready, stopping, stopping)]
        with haproxy(tmp_path, *ports) as proxy:
            wait_until(
                lambda: all(proxy.ask("GET", "/zato/ping").json() for _ in range(6)), what="one that is left alone"
            )


def test_balancer_refuses_a_larger_body_itself(tmp_path: Path) -> None:
    """What no server would take is not sent to any."""
    with ScriptedServer() as server:
        server.script(Reply.of({}))
        with haproxy(tmp_path, server.server_address[1]) as proxy:
            headers = {"Content-Length": str(Settings().max_body + 1)}
            status = proxy.ask("POST", "/zato/api/invoke/seen", headers=headers).status_code

    assert status == 413
    assert "/zato/api/invoke/seen" not in {request.path for request in server.requests}


def workers(server: ServerProcess) -> set[int]:
    """Return the processes that answer at the moment."""
    return {worker.pid for worker in server.environment.running().workers if worker.pid is not None}


def environment_in(folder: Path, **settings: object) -> Environment:
    """Make an environment with the services of these tests."""
    path = folder / "env"
    services = {name: text.replace("RUNS", str(path / "runs.txt")) for name, text in SERVICES.items()}
    return make_environment(path, services, **settings)
