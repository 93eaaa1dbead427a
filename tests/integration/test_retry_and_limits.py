"""How often a call is tried, after which errors, how long an attempt may take, and what of it stands in the record."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.doors import call, envelope, services
from tests.support.environments import ServerProcess, make_environment
from tests.support.journals import Journal
from tests.support.waiting import wait_until
from zato.client import AnyServiceInvoker, Retry

# What runs in these servers is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SLOTS = 2
CLASS_POLICY = {
    "attempts": 4,
    "backoff": 0.01,
    "cap": 600.0,
    "jitter": 0.5,
    "on": [],
    "not_on": ["stopping_api.CardRefused"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with few slots; every test leaves all of them free."""
    folder = tmp_path_factory.mktemp("limits")
    slots = {"http_threads": SLOTS, "background_threads": SLOTS}
    with ServerProcess(make_environment(folder / "env", services("stopping_api"), **slots)) as running:
        yield running


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


def ended(client: AnyServiceInvoker, service: str, payload: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return the record of a background call once it has an outcome."""
    result = client.result(client.invoke_async(service, payload, **options).data, wait=20)
    assert result.is_final
    return result.record


@pytest.mark.parametrize(
    ("error", "options", "attempts"),
    [
        pytest.param("ValueError", {}, 3, id="class"),
        pytest.param("BadRequest", {}, 3, id="meant"),
        pytest.param("CardRefused", {}, 1, id="excluded-by-the-class"),
        pytest.param("ValueError", {"retry": 1}, 1, id="once-after-all"),
        pytest.param("ValueError", {"retry": Retry(2, backoff=0.01)}, 2, id="fewer"),
        pytest.param("BadRequest", {"retry": Retry(9, backoff=0.01, not_on="ServiceError")}, 1, id="excluded-by-base"),
        pytest.param("ValueError", {"retry": {"attempts": 9, "on": "requests.Timeout"}}, 1, id="not-named"),
    ],
)
def test_how_often_a_call_is_tried(
    client: AnyServiceInvoker, journal: Journal, error: str, options: dict[str, Any], attempts: int
) -> None:
    """The call's own policy wins over that of the class; an error that it leaves out ends the call at once."""
    payload = {**journal.payload, "error": error, "times": 2}
    record = ended(client, "stopping.flaky", payload, **options)

    assert (record["attempts"], len(journal.lines("tried"))) == (attempts, attempts)
    assert record["status"] == ("done" if attempts == 3 else "failed")
    assert [failure["attempt"] for failure in record["failures"]] == list(range(1, attempts))
    assert all(failure["error"]["type"] == error for failure in record["failures"])


def test_policy_in_the_record(client: AnyServiceInvoker, journal: Journal) -> None:
    """The record says what is in force, whoever said it: names of exceptions included."""
    payload = {**journal.payload, "error": "ValueError", "times": 0}
    by_class = ended(client, "stopping.flaky", payload)
    by_call = ended(client, "stopping.flaky", payload, retry=1, time_limit=7)

    assert (by_class["retry"], by_class["time_limit"]) == (CLASS_POLICY, None)
    assert (by_call["retry"], by_call["time_limit"], by_call["failures"]) == (None, 7, [])


def test_call_between_two_attempts(client: AnyServiceInvoker, journal: Journal) -> None:
    """It is delayed until the time of the next one, and shows how the last one failed."""
    retry = Retry(3, backoff=300, jitter=0)
    payload = {**journal.payload, "error": "ValueError", "times": 9}
    cid = client.invoke_async("stopping.flaky", payload, retry=retry).data
    wait_until(lambda: client.result(cid).status == "delayed")

    record = client.result(cid).record
    (failure,) = record["failures"]
    pause = datetime.fromisoformat(record["not_before"]) - datetime.fromisoformat(failure["ended"])
    assert (pause.total_seconds(), record["attempts"], record["error"]) == (300, 1, None)
    assert failure["error"] == {"code": "exception", "type": "ValueError", "message": "no"}
    assert (failure["attempt"], failure["server"]) == (1, "server1")
    assert client.cancel(cid).data["status"] == "cancelled"


def test_pauses_grow(client: AnyServiceInvoker, journal: Journal) -> None:
    """Each pause is at least twice the one before it, and no attempt starts early."""
    retry = Retry(4, backoff=0.05, jitter=0)
    ended(client, "stopping.flaky", {**journal.payload, "error": "ValueError", "times": 9}, retry=retry)

    times = [float(line.split()[1]) for line in journal.lines("tried")]
    pauses = [after - before for before, after in pairwise(times)]
    assert all(pause >= wanted for pause, wanted in zip(pauses, (0.049, 0.099, 0.199), strict=True)), pauses


@pytest.mark.parametrize("name", ["stopping.limited", "stopping.limited-sleeper"])
def test_time_limit_of_a_class(client: AnyServiceInvoker, journal: Journal, name: str) -> None:
    """Each attempt ends at the limit and is tried again; the service sees it; the record says all of that."""
    record = ended(client, name, journal.payload)

    assert (record["status"], record["attempts"], record["time_limit"]) == ("failed", 2, 0.1)
    assert [record["error"]["code"], *(failure["error"]["code"] for failure in record["failures"])] == ["timeout"] * 2
    assert record["error"]["message"] == f"'{name}' did not end within its time limit of 0.1 s."
    journal.wait("stopped", 2)


@pytest.mark.parametrize("name", ["stopping.limited", "stopping.limited-sleeper"])
def test_time_limit_through_a_door(server: ServerProcess, journal: Journal, name: str) -> None:
    """A request is answered with 504 at the limit of the class, or at its own timeout if that is shorter."""
    by_class = envelope(call(server.address, name, journal.payload, timeout=30))
    by_call = envelope(call(server.address, name, journal.payload, timeout=0.05))

    assert by_class == (504, "ZATO_ERROR", f"'{name}' did not answer within 0.1 s.")
    assert by_call == (504, "ZATO_ERROR", f"'{name}' did not answer within 0.05 s.")
    journal.wait("stopped", 2)


def test_time_limit_of_a_call(client: AnyServiceInvoker, journal: Journal) -> None:
    """It wins over the class, in either direction."""
    longer = client.invoke_async("stopping.limited", journal.payload, retry=1, time_limit=0).data
    shorter = ended(client, "stopping.watches", journal.payload, time_limit=0.02)
    journal.wait("begun", 2)

    assert (shorter["error"]["code"], shorter["time_limit"]) == ("timeout", 0.02)
    assert (client.result(longer).status, client.result(longer).record["time_limit"]) == ("running", None)
    assert client.cancel(longer).ok
    journal.wait("stopped", 2)


def test_options_of_a_call_between_services(client: AnyServiceInvoker, journal: Journal) -> None:
    """A service says them as a client does."""
    options = {"retry": {"attempts": 2, "backoff": 0, "on": ["InvocationTimeout"]}, "time_limit": 0.03}
    asked = {"service": "stopping.watches", "payload": journal.payload, "options": options}
    record = client.result(client.invoke("stopping.caller", asked).data, wait=20).record

    assert (record["status"], record["attempts"], record["retry"]["on"]) == ("failed", 2, ["InvocationTimeout"])
    assert len(journal.wait("stopped", 2)) == 2


def test_slots_of_attempts_that_ran_out_of_time(
    server: ServerProcess, client: AnyServiceInvoker, journal: Journal
) -> None:
    """They are taken until the threads end, the log names the service, and then work goes on."""
    late = [client.invoke_async("stopping.deaf", journal.payload, time_limit=0.05).data for _ in range(SLOTS)]
    statuses = [client.result(cid, wait=20).status for cid in late]
    following = client.invoke_async("stopping.told").data
    server.logged(f"All {SLOTS} background slots are held by calls nobody waits for any more: stopping.deaf")
    waiting = client.result(following).status
    journal.open()

    assert (statuses, waiting) == (["failed"] * SLOTS, "waiting")
    assert client.result(following, wait=20).status == "done"
    assert journal.wait("ended", SLOTS) == ["ended True"] * SLOTS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"retry": {"on": "no name"}}, "on='no name' names no exception", id="exception"),
        pytest.param({"retry": {"on": [5]}}, "on=5 names no exception", id="number"),
        pytest.param({"time_limit": -1}, "'time_limit' is a number of seconds from 0, not -1", id="negative"),
        pytest.param({"time_limit": 3e9}, "time_limit=3000000000.0 is not legal", id="too-long"),
        pytest.param({"time_limit": True}, "'time_limit' is a number of seconds from 0, not True", id="flag"),
    ],
)
def test_options_that_make_no_sense(client: AnyServiceInvoker, options: dict[str, Any], message: str) -> None:
    """They are refused at the call, with 400."""
    refused = client.invoke_async("stopping.told", **options)

    assert refused.inner.status_code == 400
    assert message in refused.details


def test_class_whose_options_make_no_sense(tmp_path: Path) -> None:
    """Its file is deployed but for that class, and the log says where and why."""
    text = (
        "from zato.server.service import Service\n"
        "class Good(Service):\n    def handle(self): pass\n"
        "class Bad(Service):\n    time_limit = '5 s'\n    def handle(self): pass\n"
    )
    environment = make_environment(tmp_path / "env", {"crm.py": text})
    with ServerProcess(environment) as server, server.client() as client:
        line = server.logged("Not deployed:")["event"]
        deployed = [client.invoke(name).inner.status_code for name in ("crm.good", "crm.bad")]

    file = environment.services / "crm.py"
    assert line == f"Not deployed: {file}:4: Bad: time_limit='5 s' is not legal: give seconds above 0, or None."
    assert deployed == [200, 404]


def test_examples_of_the_documentation(tmp_path: Path) -> None:
    """They are deployed as they stand there: one with its policy, and one that runs to its end unless it is stopped."""
    files = {file: (EXAMPLES / file).read_text("utf-8") for file in ("rates.py", "export.py")}
    with ServerProcess(make_environment(tmp_path / "env", files)) as server, server.client() as client:
        rates = client.invoke("zato.service.get", {"name": "orders.rates"}).data
        export = client.result(client.invoke_async("orders.export", {"orders": [1, 2]}).data, wait=20)
        exported = [line["event"] for line in server.log() if line["event"].startswith("Exported")]

    assert (rates["retry"]["attempts"], rates["time_limit"]) == (5, 30)
    assert rates["retry"]["on"] == ["requests.exceptions.ConnectionError", "requests.exceptions.Timeout"]
    assert (export.status, exported) == ("done", ["Exported 1", "Exported 2"])
