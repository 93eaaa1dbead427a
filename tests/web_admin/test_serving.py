"""The web admin's process: where it answers, what it may read, how it ends, and how a server keeps one."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from tests.support.admins import AdminProcess, Site, can_shut_out
from tests.support.certificates import make_certificates
from tests.support.commands import Zato, zato_in
from tests.support.environments import ServerProcess, free_port, make_environment, run_zato
from tests.support.waiting import wait_until
from zato.environment import Environment

# Seconds that a stop may take, with pages open that never end by themselves.
STOPS_WITHIN = 2.0
# Serves a reply that never ends, and has a thread that waits for something in vain.
ENDLESS = """
import asyncio, signal, time
from tests.support.environments import free_port
from zato.web_admin.serving import Listening, serve
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests below nohup ignores it
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 600)
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": message["type"] + ".complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one\\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass
port = free_port()
serve(app, Listening(host="127.0.0.1", port=port), lambda: print(port, flush=True), ends_with=0)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment whose server does not run."""
    return make_environment(tmp_path_factory.mktemp("serving") / "env")


@pytest.fixture
def endless() -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process that serves a reply without an end, and where."""
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process, f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "SIGHUP", "end of the supervisor"])
def test_stop_waits_for_no_page(how: str, endless: tuple["subprocess.Popen[str]", str]) -> None:
    """It ends in time, in good order, whoever still looks on."""
    process, url = endless
    with requests.get(url, stream=True, timeout=30) as page:
        assert next(page.iter_lines()) == b"one"
        began = time.monotonic()
        if how.startswith("SIG"):
            process.send_signal(signal.Signals[how])
        else:
            assert process.stdin
            process.stdin.close()

        assert process.wait(30) == 0
    assert time.monotonic() - began < STOPS_WITHIN


def test_web_admin_without_a_server_says_so(environment: Environment) -> None:
    """It starts before its server, and its pages say what is missing and what to do."""
    with AdminProcess(environment) as admin:
        reply = requests.get(f"{admin.url}/login", timeout=30)
        page = requests.get(admin.url, cookies={f"zato_admin_{admin.url.rpartition(':')[2]}_session": "x"}, timeout=30)

    assert reply.status_code == 200
    assert page.status_code == 503
    assert f"zato start {environment.path}" in page.text


@pytest.mark.skipif(not can_shut_out(), reason="only root can start a program with fewer rights over its files")
def test_web_admin_needs_no_right_to_read_the_data(site: Site) -> None:
    """The process has none of root's rights, the folder is closed to its owner, and pages show what is in it."""
    status = Path(f"/proc/{site.process.process.pid}/status").read_text()
    data = site.server.environment.data
    cookie = site.cookie("viewer")

    page = requests.get(site.url, cookies={cookie["name"]: cookie["value"]}, timeout=30)

    assert "CapEff:\t0000000000000000" in status
    assert stat.S_IMODE(data.stat().st_mode) == 0
    assert page.status_code == 200


def test_https(environment: Environment, tmp_path: Path) -> None:
    """With a certificate the pages come by HTTPS, and say so; the cookie of the log-in page is for HTTPS alone."""
    made = make_certificates(tmp_path)
    options = ("--port", "0", "--tls-cert", str(made.chain), "--tls-key", str(made.key))

    with AdminProcess(environment, *options) as admin:
        reply = requests.get(f"{admin.url}/login", verify=str(made.authority), timeout=30)

    assert admin.url.startswith("https://")
    assert reply.status_code == 200
    assert "; secure" in reply.headers["Set-Cookie"].lower()


@pytest.mark.parametrize(("options", "is_believed"), [([], False), (["--trust-proxy"], True)], ids=["no", "yes"])
def test_headers_of_proxies_are_believed_if_asked_for(
    options: list[str], is_believed: bool, environment: Environment
) -> None:
    """Anybody can send them: only who has a proxy in front says that they are true."""
    with AdminProcess(environment, "--port", "0", *options) as admin:
        reply = requests.get(f"{admin.url}/login", headers={"X-Forwarded-Proto": "https"}, timeout=30)

    assert ("; secure" in reply.headers["Set-Cookie"].lower()) is is_believed


def test_taken_port_is_refused(environment: Environment) -> None:
    """Two of them do not answer in turns at one address: the second one says what is wrong, and what to do."""
    with AdminProcess(environment) as first:
        port = first.url.rpartition(":")[2]
        second = run_zato("web-admin", "start", str(environment.path), "--port", port)

    assert second.returncode == 2
    assert (
        second.stderr == f"Error: Port {port} on 127.0.0.1 is taken by another program. Choose another with --port.\n"
    )


REFUSED = [
    pytest.param(["--host", "192.0.2.1"], "The web admin cannot listen on '192.0.2.1': ", id="not-our-address"),
    pytest.param(["--tls-cert", "/no/such"], "tls_cert is set and tls_key is not", id="half-a-certificate"),
    pytest.param(["--port", "70000"], "70000 is not in the range 0<=x<=65535", id="no-port"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_options_that_cannot_be(options: list[str], message: str, environment: Environment, zato: Zato) -> None:
    """What cannot be served is refused at the start, in words."""
    done = zato("web-admin", "start", environment.path, *options)

    assert done.code != 0
    assert message in done.err


def test_passwords_that_others_can_read_are_refused(tmp_path: Path, zato: Zato) -> None:
    """The web admin needs the password of admin.invoke, and says at its start why it cannot have it."""
    environment = make_environment(tmp_path / "env")
    environment.secrets.chmod(0o644)

    done = zato("web-admin", "start", environment.path, "--port", "0")

    assert done.err == f"Error: {environment.secrets} can be read by others. Run 'chmod 600 {environment.secrets}'.\n"


def test_missing_extra_is_named(environment: Environment, zato: Zato, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the packages of the extra, one line says how to install them."""
    for name in [name for name in sys.modules if name.startswith("zato.web_admin.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)

    done = zato("web-admin", "start", environment.path, "--port", "0")

    assert done.err == "Error: The web admin needs jinja2, which is not installed: pip install 'openzato[admin]'\n"


@pytest.fixture
def zato(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Zato:
    """Runs a command in this process."""
    return zato_in(monkeypatch, capsys)


def companions_of(server: ServerProcess) -> list[psutil.Process]:
    """Return the process of the web admin that a server keeps, if there is one now."""
    return [one for one in server.processes() if "--companion" in one.cmdline()]


def test_web_admin_comes_and_goes_with_the_server(tmp_path: Path) -> None:
    """By a setting a server starts it, replaces it when it dies, logs what it says, and takes it along at its end."""
    port = free_port()
    environment = make_environment(tmp_path / "env", web_admin=True, web_admin_port=port)
    with ServerProcess(environment) as server, server.client() as client:
        server.logged(f"Web admin at http://127.0.0.1:{port}")
        [first] = wait_until(lambda: companions_of(server))
        first.kill()
        server.logged("The web admin was killed by SIGKILL")
        [second] = wait_until(lambda: [one for one in companions_of(server) if one != first])
        wait_until(lambda: answers(port), what="the one that replaces it")
        assert client.invoke("zato.ping").ok
        os.kill(server.process.pid, signal.SIGKILL)
        wait_until(lambda: not second.is_running() or second.status() == psutil.STATUS_ZOMBIE, what="its end")

    assert f"  web admin http://127.0.0.1:{port}\n" in server.output.read_text("utf-8")


def answers(port: int) -> bool:
    """Tell whether pages are served at a port."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/login", timeout=30).status_code == 200
    except requests.ConnectionError:
        return False
