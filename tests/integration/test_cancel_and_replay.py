"""Cancelling a background call that waits, and making one once more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environments import ServerProcess, make_environment
from tests.support.waiting import wait_until
from zato.client import AnyServiceInvoker

SERVICES = """
import pathlib
from zato.server.service import Service

class Echo(Service):
    name = "echo"
    def handle(self):
        return {"got": self.request.payload, "channel": self.channel}

class Fails(Service):
    name = "fails"
    def handle(self):
        raise ValueError(self.request.payload)

class Report(Service):
    name = "report"
    def handle(self):
        return self.request.payload

class Sleeper(Service):
    name = "sleeper"
    def handle(self):
        import time
        while not pathlib.Path(self.request.payload).exists():
            time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests here."""
    with ServerProcess(make_environment(tmp_path_factory.mktemp("replay") / "env", {"s.py": SERVICES})) as server:
        yield server


@pytest.fixture
def client(server: ServerProcess) -> Iterator[AnyServiceInvoker]:
    """A client with the right credentials."""
    with server.client() as client:
        yield client


def test_cancelled_call_never_runs(client: AnyServiceInvoker) -> None:
    """A delayed call is cancelled; its record says so, and a second time is a conflict."""
    cid = client.invoke_async("echo", delay=1000).data

    first, second = client.cancel(cid), client.cancel(cid)

    assert (first.ok, first.data["status"], first.data["attempts"]) == (True, "cancelled", 0)
    assert (second.inner.status_code, second.details) == (
        409,
        f"The call with CID {cid!r} cannot be cancelled: it is cancelled.",
    )
    assert client.result(cid).status == "cancelled"


def test_running_call_cannot_be_cancelled(client: AnyServiceInvoker, tmp_path: Path) -> None:
    """What runs already is left alone."""
    go_on = tmp_path / "go-on"
    cid = client.invoke_async("sleeper", str(go_on)).data
    wait_until(lambda: client.result(cid).status == "running")

    refused = client.cancel(cid)
    go_on.touch()

    assert (refused.inner.status_code, refused.details) == (
        409,
        f"The call with CID {cid!r} cannot be cancelled: it is running.",
    )
    assert client.result(cid, wait=10).status == "done"


def test_replay_repeats_payload_and_options(client: AnyServiceInvoker) -> None:
    """A failed call is made again under a new CID, with its on_failure, and points to the first."""
    first = client.invoke_async("fails", "why", on_failure="report", expiration=50).data
    client.result(first, wait=10)

    again = client.replay(first).data
    found = client.result(again["cid"], wait=10)

    assert (found.status, found.details, again["cid"] != first) == ("failed", "why", True)
    assert found.record["replay_of"] == client.result(first).record["id"]
    assert (found.record["on_failure"], found.record["id"]) == (["report"], again["id"])
    assert found.record["expires"] is not None


def test_replay_with_another_payload(client: AnyServiceInvoker) -> None:
    """The new call gets the payload of the replay."""
    first = client.invoke_async("echo", {"a": 1}).data
    client.result(first, wait=10)

    again = client.replay(first, {"a": 2}).data["cid"]

    assert client.result(again, wait=10).data == {"got": {"a": 2}, "channel": "invoke-async"}


@pytest.mark.parametrize("service", ["zato.invocation.cancel", "zato.invocation.replay"])
@pytest.mark.parametrize(
    ("payload", "status"),
    [
        pytest.param({"cid": "nobody"}, 404, id="unknown"),
        pytest.param({}, 400, id="nothing-asked"),
        pytest.param({"cid": "a", "id": "b"}, 400, id="both"),
        pytest.param({"cid": 1}, 400, id="no-text"),
        pytest.param({"cyd": "a"}, 400, id="unknown-key"),
        pytest.param([], 400, id="no-object"),
    ],
)
def test_bad_input(client: AnyServiceInvoker, service: str, payload: object, status: int) -> None:
    """What cannot be found or read is refused with its status."""
    assert client.invoke(service, payload).inner.status_code == status


def test_waiting_call_cannot_be_replayed(client: AnyServiceInvoker) -> None:
    """Only what has an outcome can be made again."""
    cid = client.invoke_async("echo", delay=1000).data

    refused = client.replay(cid)

    assert (refused.inner.status_code, refused.details) == (
        409,
        f"The call with CID {cid!r} cannot be replayed yet: it is delayed.",
    )
