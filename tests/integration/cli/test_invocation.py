"""`zato invocation show`."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.support.commands import Zato
from tests.support.environments import ServerProcess, make_environment

DEMO = """
import time
from pathlib import Path
from zato.server.service import Service

GO = Path(__file__).with_name("go")

class Sum(Service):
    def handle(self):
        return {"sum": sum(self.request.payload), "of": ["ż"]}

class Fail(Service):
    def handle(self):
        raise ValueError("no such order")

class Quiet(Service):
    def handle(self):
        pass

class Patient(Service):
    def handle(self):
        while not GO.exists():
            time.sleep(0.01)

class Caller(Service):
    def handle(self):
        return self.invoke_async("demo.sum", [1], callback=["demo.quiet", "zato.helpers.echo"], on_failure="demo.quiet")

class Again(Service):
    def handle(self):
        for number in range(3):
            self.invoke_async("demo.sum", [number], cid="order-17")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with services that end in every way."""
    environment = make_environment(tmp_path_factory.mktemp("invocation") / "env", {"demo.py": DEMO})
    with ServerProcess(environment) as server:
        yield server


@pytest.fixture
def path(server: ServerProcess) -> str:
    """The folder of the server's environment."""
    return str(server.environment.path)


def shown(text: str) -> dict[str, str]:
    """Return the lines of a record by their labels."""
    return {line[:12].strip(): line[12:] for line in text.splitlines()}


def test_record_of_a_call_that_succeeded(zato: Zato, path: str) -> None:
    """Every line is a label and a value; what there is nothing to say about has no line."""
    cid = zato("service", "invoke", path, "demo.sum", "--async", "--payload", "[1, 2]").out.strip()
    done = zato("invocation", "show", path, cid, "--wait", "20")
    record = shown(done.out)

    assert (done.code, done.err, record["CID"], record["service"]) == (0, "", cid, "demo.sum")
    assert (record["status"], record["payload"], record["response"]) == ("done", "[1, 2]", '{"sum": 3, "of": ["ż"]}')
    assert [label for label in ("error", "expires", "callback", "in reply to", "replay of") if label in record] == []


def test_record_of_a_call_that_failed(zato: Zato, path: str) -> None:
    """Showing it succeeds, and says what went wrong."""
    cid = zato("service", "invoke", path, "demo.fail", "--async").out.strip()
    done = zato("invocation", "show", path, cid, "--wait", "20")
    record = shown(done.out)
    assert (done.code, record["status"], record["error"]) == (0, "failed", "ValueError: no such order")
    assert [label for label in ("payload", "response") if label in record] == []


def test_record_of_a_call_without_output(zato: Zato, path: str) -> None:
    """A call that returned nothing is done, and has no response."""
    cid = zato("service", "invoke", path, "demo.quiet", "--async").out.strip()
    record = shown(zato("invocation", "show", path, cid, "--wait", "20").out)
    assert (record["status"], "response" in record) == ("done", False)


def test_record_names_callbacks(zato: Zato, path: str) -> None:
    """Lists of services read as text."""
    cid = zato("service", "invoke", path, "demo.caller").out.strip()
    record = shown(zato("invocation", "show", path, cid, "--wait", "20").out)
    assert (record["callback"], record["on failure"]) == ("demo.quiet, zato.helpers.echo", "demo.quiet")


def test_several_calls_with_one_cid(zato: Zato, path: str) -> None:
    """The newest is shown, and that there are others."""
    zato("service", "invoke", path, "demo.again")
    done = zato("invocation", "show", path, "order-17", "--wait", "20")
    assert shown(done.out)["payload"] == "[2]"
    assert "(3 calls carry this CID; this is the newest)" in done.out


def test_json_is_the_record(zato: Zato, path: str) -> None:
    """Programs get what the server keeps, on one line."""
    cid = zato("service", "invoke", path, "demo.sum", "--async", "--payload", "[]").out.strip()
    done = zato("invocation", "show", path, cid, "--wait", "20", "--json")
    record = json.loads(done.out)
    assert done.out.count("\n") == 1
    assert (record["cid"], record["status"], record["attempts"], record["error"]) == (cid, "done", 1, None)


def test_wait_ends_in_time(zato: Zato, path: str, server: ServerProcess) -> None:
    """Without an outcome the status is shown as it is."""
    cid = zato("service", "invoke", path, "demo.patient", "--async").out.strip()
    began = time.monotonic()
    unfinished = shown(zato("invocation", "show", path, cid, "--wait", "0.2").out)
    took = time.monotonic() - began
    (server.environment.services / "go").touch()
    finished = shown(zato("invocation", "show", path, cid, "--wait", "20").out)

    assert (unfinished["status"] in {"waiting", "running"}, finished["status"]) == (True, "done")
    assert 0.2 <= took < 10


@pytest.mark.parametrize("cid", ["e7a1b2c3d4e5f60718293a4b", "", "with spaces"])
def test_cid_that_nothing_carries(zato: Zato, path: str, cid: str) -> None:
    """The answer says so, and that records go one day."""
    done = zato("invocation", "show", path, cid)
    assert (done.code, done.out) == (4, "")
    assert f"No invocation has the CID {cid!r}" in done.err
