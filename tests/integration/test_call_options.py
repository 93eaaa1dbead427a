"""Priority, queues, limits of calls at once, many calls in one step, and locks, on real servers."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.support.doors import services
from tests.support.environments import ServerProcess, make_environment
from tests.support.journals import Journal
from tests.support.redis import RedisServer, own_cluster
from tests.support.waiting import wait_until
from zato.client import AnyServiceInvoker, NetworkError

# What runs in these servers is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

SERVICES = ("options_api", "gates_api")
CALLS = 60


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def broker(request: pytest.FixtureRequest, redis_server: RedisServer) -> Iterator[dict[str, object]]:
    """The settings that choose a broker."""
    with own_cluster(redis_server) as cluster:
        yield {"broker": redis_server.url, "cluster": cluster} if request.param == "redis" else {"broker": "sqlite"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, broker: dict[str, object]) -> Iterator[ServerProcess]:
    """A server of two processes."""
    folder = tmp_path_factory.mktemp("options")
    slots = {"workers": 2, "background_threads": 4, "background_tasks": 4}
    with ServerProcess(make_environment(folder / "env", services(*SERVICES), **slots, **broker)) as running:
        yield running


@pytest.fixture
def client(server: ServerProcess) -> Iterator[AnyServiceInvoker]:
    """A client of that server."""
    with server.client() as client:
        yield client


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """A journal whose gate is open at the end, whatever happens."""
    made = Journal(tmp_path)
    yield made
    made.open()


def queue_of(client: AnyServiceInvoker, name: str) -> dict[str, Any]:
    """Return what the server tells of a queue, or nothing."""
    items = client.invoke("zato.queue.get-list").data["items"]
    return next((item for item in items if item["name"] == name), {})


def most_at_once(lines: list[str], into: str, out: str) -> int:
    """Return how many were inside at the same time, by their own words."""
    inside, most = 0, 0
    for line in lines:
        inside += (line.startswith(into)) - (line.startswith(out))
        most = max(most, inside)
    return most


def test_queues_are_counted_beside_a_store_that_is_busy(tmp_path: Path) -> None:
    """Whoever writes is not held up by it, and does not hold it up."""
    environment = make_environment(tmp_path / "env", broker="sqlite")
    with ServerProcess(environment) as server, server.client() as client, server.client(read_timeout=0.5) as hasty:
        with closing(apsw.Connection(str(environment.data / "broker.db"))) as other:
            # At its start the server writes now and then.
            other.set_busy_timeout(20_000)
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(NetworkError):
                hasty.invoke_async("zato.ping", queue="mail")
            response = client.invoke("zato.queue.get-list", timeout=5)
        wait_until(lambda: not client.invoke("zato.queue.get-list").data["items"], what="the end of all calls")

    assert (response.ok, response.data) == (True, {"items": []})


def test_high_priority_starts_next(
    tmp_path: Path, broker: dict[str, object], cluster_name: str, journal: Journal
) -> None:
    """However much waits with a lower one, and whenever it came; within one priority the first comes first."""
    own = {**broker, "cluster": cluster_name, "background_threads": 1}
    environment = make_environment(tmp_path / "env", services(*SERVICES), **own)

    def work(label: str, priority: str) -> dict[str, Any]:
        return {"name": "gates.wait", "payload": {**journal.payload, "label": label}, "priority": priority}

    with ServerProcess(environment) as server, server.client() as client:
        client.invoke_async("gates.wait", {**journal.payload, "label": "first"})
        journal.wait("begun first")
        client.invoke_async_many(work(f"low{number}", "low") for number in range(300))
        for number, priority in enumerate(("normal", "high", "normal", "high")):
            client.invoke_async(**work(f"{priority}{number}", priority))
        journal.open()
        begun = journal.wait("begun", 305, timeout=30)

    order = [line.split()[1] for line in begun]
    assert order[:5] == ["first", "high1", "high3", "normal0", "normal2"]
    assert order[5:] == [f"low{number}" for number in range(300)]


def test_never_more_at_once_than_the_class_says(client: AnyServiceInvoker, journal: Journal) -> None:
    """In all processes together; calls that do not run in the background are not counted, and go on at once."""
    calls = [("options.limited", {**journal.payload, "label": f"background {number}"}) for number in range(CALLS)]
    cids = client.invoke_async_many(calls).data
    journal.wait("begun background", 2)
    client.invoke("options.limited", {**journal.payload, "label": "direct"}, timeout=0.3)
    counted = queue_of(client, "default")
    journal.open()
    statuses = {client.result(cid, wait=30).status for cid in cids}

    assert (counted["running"], counted["waiting"]) == (2, CALLS - 2)
    assert statuses == {"done"}
    assert journal.lines("begun direct")
    lines = [line for line in journal.lines() if "background" in line]
    assert (len(lines), most_at_once(lines, "begun", "ended")) == (2 * CALLS, 2)


def test_three_servers_never_run_more_at_once(
    tmp_path: Path, redis_url: str, cluster_name: str, journal: Journal
) -> None:
    """The limit is that of the whole cluster, whoever accepts and whoever runs."""
    common = {"broker": redis_url, "cluster": cluster_name, "background_threads": 8}
    names = ("one", "two", "three")
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                ServerProcess(make_environment(tmp_path / name, services(*SERVICES), name=name, **common))
            )
            for name in names
        ]
        clients = [stack.enter_context(server.client()) for server in servers]
        labels = [{**journal.payload, "label": f"{number}"} for number in range(200)]
        for number, client in enumerate(clients):
            client.invoke_async_many([("options.limited", label) for label in labels[number::3]])
        journal.wait("begun", 2)
        journal.open()
        journal.wait("ended", 200, timeout=40)

    assert most_at_once(journal.lines(), "begun", "ended") == 2


def test_paused_queue(client: AnyServiceInvoker) -> None:
    """Nothing of it starts, and nothing else is held up; what was held starts when it is resumed."""
    paused = client.invoke("zato.queue.pause", {"name": "bulk"}).data
    again = client.invoke("zato.queue.pause", {"name": "bulk"}).data
    held = client.invoke_async("zato.ping", queue="bulk").data
    passed = client.invoke_async("zato.ping", queue="other").data

    assert client.result(passed, wait=20).status == "done"
    assert client.result(held).status == "waiting"
    assert (paused["changed"], again["changed"], again["paused"]) == (True, False, True)
    state = queue_of(client, "bulk")
    assert (state["paused"], state["waiting"], state["oldest"]) == (True, 1, client.result(held).record["created"])

    resumed = client.invoke("zato.queue.resume", {"name": "bulk"}).data
    assert (resumed["changed"], resumed["paused"]) == (True, False)
    assert client.result(held, wait=20).status == "done"
    assert client.invoke("zato.queue.resume", {"name": "bulk"}).data == {
        "name": "bulk",
        "paused": False,
        "waiting": 0,
        "delayed": 0,
        "running": 0,
        "stranded": 0,
        "oldest": None,
        "changed": False,
    }


def test_lock_between_processes(client: AnyServiceInvoker, journal: Journal) -> None:
    """Of services of both kinds, in all processes, one is inside at a time."""
    kinds = ("options.locked", "options.locked-on-loop")
    cids = client.invoke_async_many((kinds[number % 2], journal.payload) for number in range(40)).data
    statuses = [client.result(cid, wait=30).status for cid in cids]

    lines = journal.lines()
    assert statuses == ["done"] * 40
    assert len(lines) == 80
    assert all(into == out.replace("out", "in") for into, out in zip(lines[::2], lines[1::2], strict=True))
    assert len(set(lines[::2])) == 2


def test_lock_that_is_not_free_in_time(client: AnyServiceInvoker, journal: Journal) -> None:
    """Its caller is told to come again, and what holds it."""
    holder = client.invoke_async("options.hold", journal.payload).data
    journal.wait("holds")
    refused = client.invoke("options.hold", {**journal.payload, "timeout": 0.05})
    later = client.invoke_async("options.hold", {**journal.payload, "timeout": 0}, retry=1).data
    error = client.result(later, wait=20).record["error"]
    journal.open()

    assert (refused.inner.status_code, refused.inner.headers["Retry-After"]) == (503, "1")
    message = "The lock 'options.hold' was not free within {} s. Try again later, or wait longer."
    assert refused.details == message.format("0.05")
    assert error == {"code": "lock_timeout", "type": "LockTimeout", "message": message.format("0")}
    assert client.result(holder, wait=20).status == "done"


def test_cancelled_call_waits_for_its_lock_no_more(
    server: ServerProcess, client: AnyServiceInvoker, journal: Journal
) -> None:
    """Its slot is free again long before the lock's timeout."""
    holder = client.invoke_async("options.hold", journal.payload).data
    journal.wait("holds")
    waiting = client.invoke_async("options.hold", {**journal.payload, "timeout": 3600}).data
    wait_until(lambda: client.result(waiting).status == "running")
    client.cancel(waiting)

    assert server.logged("options.hold has ended; its slot is free")["cid"] == waiting
    journal.open()
    assert client.result(holder, wait=20).status == "done"


def test_lock_is_not_reentrant(client: AnyServiceInvoker) -> None:
    """A service that takes what it holds waits for itself."""
    assert client.invoke("options.twice").inner.status_code == 503
    assert client.invoke("options.twice").inner.status_code == 503


@pytest.mark.parametrize("door", ["client", "options.many", "options.many-on-loop"])
def test_many_calls_are_stored_together(client: AnyServiceInvoker, door: str) -> None:
    """Their CIDs come back in order, and the options of each count."""
    items: list[Any] = [["zato.ping", 1], {"name": "zato.helpers.echo", "payload": [2], "priority": "low"}]
    cids = (client.invoke_async_many(items) if door == "client" else client.invoke(door, items)).data
    ended = [client.result(cid, wait=20) for cid in cids]

    assert [(each.status, each.record["service"], each.record["priority"]) for each in ended] == [
        ("done", "zato.ping", "normal"),
        ("done", "zato.helpers.echo", "low"),
    ]
    assert ended[1].data == [2]


@pytest.mark.parametrize("door", ["client", "options.many", "options.many-on-loop"])
def test_many_calls_with_one_that_is_not_legal(client: AnyServiceInvoker, door: str) -> None:
    """None is stored, and the message says which one it was."""
    queue = f"many-{door}"
    items = [{"name": "zato.ping", "queue": queue} for _ in range(300)] + [{"name": "zato.pingg", "queue": queue}]
    client.invoke("zato.queue.pause", {"name": queue})
    refused = client.invoke_async_many(items) if door == "client" else client.invoke(door, items)
    stored = queue_of(client, queue)
    client.invoke("zato.queue.resume", {"name": queue})

    assert refused.inner.status_code == 400
    assert refused.details.startswith("Item 301: No service named 'zato.pingg' is deployed. Did you mean 'zato.ping")
    assert stored["waiting"] == 0


def test_what_the_class_says(client: AnyServiceInvoker) -> None:
    """It counts unless the call says otherwise, and can be seen."""
    by_class = client.result(client.invoke_async("options.express").data, wait=20).record
    by_call = client.invoke_async("options.express", priority="low", queue="bulk").data
    seen = client.invoke("zato.service.get", {"name": "options.express"}).data
    limited = client.invoke("zato.service.get", {"name": "options.limited"}).data

    assert (by_class["priority"], by_class["queue"]) == ("high", "express")
    record = client.result(by_call, wait=20).record
    assert (record["priority"], record["queue"]) == ("low", "bulk")
    assert (seen["priority"], seen["queue"], seen["max_concurrency"]) == ("high", "express", None)
    assert (limited["priority"], limited["queue"], limited["max_concurrency"]) == (None, None, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"priority": "hgih"}, "one of 'high', 'normal', 'low'. Did you mean 'high'?", id="misspelt"),
        pytest.param({"priority": 1}, "priority=1 is not legal: it is one of 'high', 'normal', 'low'.", id="number"),
        pytest.param({"queue": "a b"}, "queue='a b' is no legal name: give 1 to 100 letters", id="queue"),
    ],
)
def test_options_that_are_not_legal(client: AnyServiceInvoker, options: dict[str, Any], message: str) -> None:
    """They are refused with 400."""
    refused = client.invoke_async("zato.ping", **options)
    assert refused.inner.status_code == 400
    assert message in refused.details


@pytest.mark.parametrize(
    ("service", "payload", "message"),
    [
        ("zato.queue.pause", {}, "Give 'name', the name of a queue."),
        ("zato.queue.resume", {"name": "a b"}, "queue='a b' is no legal name"),
        ("zato.queue.get-list", {"name": "a"}, "There is no input 'name'. It takes none."),
        ("zato.service.invoke-async-many", {}, "Give 'items', a list of objects"),
        ("zato.service.invoke-async-many", {"items": "ab"}, "The calls are given as a list of items, not as str."),
        ("zato.service.invoke-async-many", {"items": [1] * 10_001}, "There are more than 10,000 items."),
    ],
)
def test_input_that_makes_no_sense(client: AnyServiceInvoker, service: str, payload: object, message: str) -> None:
    """The built-in services say what they take."""
    refused = client.invoke(service, payload)
    assert refused.inner.status_code == 400
    assert refused.details.startswith(message)
