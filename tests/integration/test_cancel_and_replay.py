"""Cancelling a background call, whether it waits or runs, and making one once more."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.doors import services
from tests.support.environments import ServerProcess, make_environment
from tests.support.journals import Journal
from tests.support.waiting import wait_until
from zato.client import AnyServiceInvoker

# What runs in these servers is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

MOMENTS = 3.0
SERVICES = """
from decimal import Decimal
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

class Exact(Service):
    name = "exact"
    def handle(self):
        return Decimal("12345678901234567890.10")

class Pay(Service):
    name = "pay"
    def handle(self):
        return self.invoke_async("exact", {"amount": Decimal("1.10")})

"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests here, with one slot for what blocks in the background."""
    files = {"s.py": SERVICES, **services("stopping_api")}
    environment = make_environment(tmp_path_factory.mktemp("replay") / "env", files, background_threads=1)
    with ServerProcess(environment) as server:
        yield server


@pytest.fixture
def client(server: ServerProcess) -> Iterator[AnyServiceInvoker]:
    """A client with the right credentials."""
    with server.client() as client:
        yield client


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal whose gate is open at the end, whatever happens."""
    made = Journal(tmp_path)
    yield made
    made.open()


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


@pytest.mark.parametrize("name", ["stopping.sleeper", "stopping.watches", "stopping.above"])
def test_cancelled_call_stops_running(client: AnyServiceInvoker, journal: Journal, name: str) -> None:
    """It ends within moments and tidies up, its record says so at once, nobody is called, its slot is free."""
    told: dict[str, Any] = {"callback": "report", "on_failure": "report", "retry": 3}
    cid = client.invoke_async(name, journal.payload, **told).data
    journal.wait("begun")
    started = time.monotonic()

    record = client.cancel(cid).data
    journal.wait("stopped")
    taken = time.monotonic() - started

    assert client.result(client.invoke_async("echo").data, wait=10).ok
    assert (record["status"], record["response"], record["error"]) == ("cancelled", None, None)
    assert (record["server"], record["started"] is not None, client.result(cid).record) == ("server1", True, record)
    assert client.invoke("zato.invocation.get-list", {"service": "report", "parent": cid}).data["items"] == []
    assert taken < MOMENTS


def test_cancelled_call_that_goes_on(client: AnyServiceInvoker, server: ServerProcess, journal: Journal) -> None:
    """A blocking service that does not look keeps its slot to its end, and what it returns is not recorded."""
    cid = client.invoke_async("stopping.deaf", journal.payload).data
    journal.wait("begun")
    client.cancel(cid)
    following = client.invoke_async("echo").data
    server.logged("stopping.deaf was stopped; its slot is taken until it ends")
    waiting = client.result(following).status
    journal.open()

    assert (waiting, client.result(following, wait=10).status) == ("waiting", "done")
    assert journal.lines("ended") == ["ended True"]
    assert (client.result(cid).status, client.result(cid).record["response"]) == ("cancelled", None)


@pytest.mark.parametrize("name", ["echo", "fails"])
def test_call_that_has_ended_cannot_be_cancelled(client: AnyServiceInvoker, name: str) -> None:
    """An outcome never changes."""
    cid = client.invoke_async(name, "why").data
    status = client.result(cid, wait=10).status

    refused = client.cancel(cid)

    assert (refused.inner.status_code, refused.details) == (
        409,
        f"The call with CID {cid!r} cannot be cancelled: it is {status}.",
    )


def test_call_that_waits_for_its_turn(client: AnyServiceInvoker, journal: Journal) -> None:
    """It is cancelled while others run, and leaves them alone."""
    running = client.invoke_async("stopping.watches", journal.payload).data
    journal.wait("begun")
    unwanted = client.invoke_async("stopping.watches", journal.payload).data
    before, cancelled = client.result(unwanted).status, client.cancel(unwanted).data

    assert (before, cancelled["status"], cancelled["started"]) == ("waiting", "cancelled", None)
    assert client.result(running).status == "running"
    assert client.cancel(running).ok
    journal.wait("stopped")
    assert journal.lines() == ["begun", "stopped"]


def test_whoever_waits_for_a_cancelled_call(server: ServerProcess, client: AnyServiceInvoker, journal: Journal) -> None:
    """He is answered at once."""
    cid = client.invoke_async("stopping.sleeper", journal.payload).data
    journal.wait("begun")
    with ThreadPoolExecutor(1) as threads, server.client() as other:
        waiting = threads.submit(other.result, cid, wait=50)
        wait_until(lambda: client.invoke("zato.server.info").ok)
        client.cancel(cid)
        found = waiting.result(10)

    assert (found.status, found.ok) == ("cancelled", False)


def test_replay_repeats_payload_and_options(client: AnyServiceInvoker) -> None:
    """A failed call is made again under a new CID, with its on_failure, and points to the first."""
    retry = {"attempts": 2, "backoff": 0.01, "not_on": ["KeyError"]}
    options: dict[str, Any] = {
        "on_failure": "report",
        "expiration": 50,
        "retry": retry,
        "time_limit": 9,
        "channel": "rest",
    }
    first = client.invoke_async("fails", "why", **options).data
    client.result(first, wait=10)

    again = client.replay(first).data
    found = client.result(again["cid"], wait=10)

    assert (found.status, found.details, again["cid"] != first) == ("failed", "why", True)
    before = client.result(first).record
    kept = ("retry", "time_limit", "channel", "callback", "on_failure", "attempts", "payload", "queue", "priority")
    assert {key: found.record[key] for key in kept} == {key: before[key] for key in kept}
    assert (found.record["replay_of"], found.record["attempts"]) == (before["id"], 2)
    assert (found.record["on_failure"], found.record["id"]) == (["report"], again["id"])
    assert found.record["expires"] is not None


def test_replay_with_another_payload(client: AnyServiceInvoker) -> None:
    """The new call gets the payload of the replay."""
    first = client.invoke_async("echo", {"a": 1}).data
    client.result(first, wait=10)

    again = client.replay(first, {"a": 2}).data["cid"]

    assert client.result(again, wait=10).data == {"got": {"a": 2}, "channel": "invoke-async"}


def test_record_and_replay_keep_every_digit(client: AnyServiceInvoker) -> None:
    """What a service gave to a call, and what that one returned, is shown and given again digit for digit."""
    first = client.invoke("pay").data
    client.result(first, wait=10)
    again = client.replay(first).data["cid"]
    client.result(again, wait=10)

    shown = client.invoke("zato.invocation.get", {"cid": again}).inner_service_response
    assert '"payload":{"amount":1.10},"response":12345678901234567890.10,' in shown


def test_replay_once(client: AnyServiceInvoker) -> None:
    """However often it is asked for with `once`, one call is made; without, another one."""
    first = client.invoke_async("echo", {"a": 1}).data
    client.result(first, wait=10)

    asked = [client.invoke("zato.invocation.replay", {"cid": first, "once": True}).data for _ in range(3)]
    another = client.replay(first).data

    assert [answer["new"] for answer in asked] == [True, False, False]
    assert len({answer["cid"] for answer in asked}) == 1
    assert (set(another), another["cid"] == asked[0]["cid"]) == ({"cid", "id"}, False)


def test_replay_once_after_another_replay(client: AnyServiceInvoker) -> None:
    """What was replayed by hand is not replayed again by who replays everything once."""
    first = client.invoke_async("echo", {"a": 1}).data
    client.result(first, wait=10)
    by_hand = [client.replay(first).data["cid"] for _ in range(2)]
    once = client.invoke("zato.invocation.replay", {"cid": first, "once": True}).data
    assert (once["cid"], once["new"], len(set(by_hand))) == (by_hand[0], False, 2)


def test_replay_once_after_one_with_another_payload(client: AnyServiceInvoker) -> None:
    """Whoever asks with `once` is told that the call was mended before; without, it is made again as asked."""
    first = client.invoke_async("echo", {"a": 1}).data
    client.result(first, wait=10)
    client.replay(first, {"a": 2})
    refused = client.invoke("zato.invocation.replay", {"cid": first, "once": True})
    third = client.replay(first, {"a": 3}).data["cid"]

    assert (refused.inner.status_code, "was replayed before, with another payload" in refused.details) == (409, True)
    assert client.result(third, wait=10).data["got"] == {"a": 3}


def test_once_is_true_or_false(client: AnyServiceInvoker) -> None:
    """Another value is refused, even one that some languages take for true."""
    refused = client.invoke("zato.invocation.replay", {"cid": "any", "once": 1})
    assert (refused.inner.status_code, refused.details) == (400, "'once' is true or false, not 1.")


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
