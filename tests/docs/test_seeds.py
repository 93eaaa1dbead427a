"""The programs people have: every block of the seeds, run against a real server."""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import PASSWORD, ServerProcess, make_environment
from tests.support.waiting import wait_until

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SERVICES = ("my_service.py", "explicit_callback.py", "callback_by_convention.py")
PING = '{"zato_ping_response": {"pong": "zato"}}'

# SHA-256, 16 digits of it, of the lines of each block without their indentation.
BLOCKS = {
    "client_invoke.py": "714a87b2b01f0cc6",
    "client_invoke_async.py": "8cb88a71bc324ea0",
    "my_service.py": "fcb14e022187025d",
    "explicit_callback.py": "47637d501119b9a8",
    "callback_by_convention.py": "2e8210cfab8fabd7",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Run a server with the services of the seeds."""
    services = {name: (EXAMPLES / name).read_text("utf-8") for name in SERVICES}
    with ServerProcess(make_environment(tmp_path_factory.mktemp("seeds") / "env", services)) as running:
        yield running


@pytest.mark.parametrize("name", BLOCKS)
def test_block_is_as_it_was_published(name: str) -> None:
    """Nothing but indentation was restored."""
    lines = [line.strip() for line in (EXAMPLES / name).read_text("utf-8").splitlines()]
    digest = hashlib.sha256("\n".join(filter(None, lines)).encode()).hexdigest()

    assert digest.startswith(BLOCKS[name])


def test_client_prints_what_ping_answers(server: ServerProcess, tmp_path: Path) -> None:
    """The program that invokes prints the pong."""
    assert run_client("client_invoke.py", server, tmp_path) == "{'pong': 'zato'}\n"


def test_client_prints_the_cid_of_a_background_call(server: ServerProcess, tmp_path: Path) -> None:
    """The program that invokes asynchronously prints a CID, and the call it names is done."""
    printed = run_client("client_invoke_async.py", server, tmp_path)

    with server.client() as client:
        result = client.result(printed.strip(), wait=10)

    assert re.fullmatch(r"[a-f][0-9a-f]{23}\n", printed)
    assert (result.status, result.record["service"]) == ("done", "zato.ping")


def test_returned_cid_is_the_targets_own(server: ServerProcess) -> None:
    """What `invoke_async` returns to a service is `self.cid` of the service that runs in the background."""
    invoke(server, "my-service.my-service")

    caller = server.logged("I received a CID")
    target = server.logged("Hello from async!")

    assert target["service"] == "zato.helpers.input-logger"
    assert caller["event"] == f"I received a CID {target['cid']!r}"


def test_explicit_callback_receives_the_response_as_a_string(server: ServerProcess) -> None:
    """The service named as `callback` is given what the target returned, as text, in a call of its own."""
    invoke(server, "explicit-callback.my-service")

    line = server.logged("I received '")

    assert line["event"] == f"I received {PING!r}"
    assert (line["service"], line["channel"]) == ("my.callback", "invoke-async-callback")


def test_callback_by_convention_receives_the_response_as_a_string(server: ServerProcess) -> None:
    """A service called as the caller plus `-async-callback` is given what the target returned, as text."""
    invoke(server, "callback-by-convention.my-service")

    line = server.logged("I also received")

    assert line["event"] == f"I also received {PING!r}"
    assert line["service"] == "callback-by-convention.my-service-async-callback"


def test_callback_runs_under_its_own_cid_and_names_the_call_it_answers(server: ServerProcess) -> None:
    """From a callback's record a reader finds the record of the target, and from there the caller."""
    caller_cid = invoke(server, "explicit-callback.my-service")

    callback = wait_until(lambda: newest_callback(server, caller_cid), what="a callback of this call")

    assert callback is not None
    assert callback["cid"] != callback["in_reply_to"]
    assert callback["payload"] == PING


def newest_callback(server: ServerProcess, caller_cid: str) -> dict[str, Any] | None:
    """Return the record of a callback whose target was called by the given call, once there is one."""
    cids = {line["cid"] for line in server.log() if line.get("service") == "my.callback"}
    with server.client() as client:
        callbacks = [client.result(cid).record for cid in cids]
        targets = {record["cid"]: client.result(record["in_reply_to"]).record for record in callbacks}
    return next((record for record in callbacks if targets[record["cid"]]["parent"] == caller_cid), None)


def invoke(server: ServerProcess, name: str) -> str:
    """Invoke a service and return the CID it ran under."""
    with server.client() as client:
        response = client.invoke(name)
    assert response.ok, response.details
    return response.cid


def run_client(name: str, server: ServerProcess, folder: Path) -> str:
    """Run a copy of a client program with this server's address and password, and return what it prints."""
    text = (EXAMPLES / name).read_text("utf-8")
    for published, ours in (
        ("http://localhost:11223", server.address),
        ("ccd77ca1ff414c3e8308e3f35d8292df", PASSWORD),
    ):
        assert text.count(published) == 1
        text = text.replace(published, ours)
    program = folder / name
    program.write_text(text, "utf-8")
    done = subprocess.run([sys.executable, program], capture_output=True, check=False, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout
