"""What a server tells of its services, of what they do now, and of what became of background calls."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import zato_in
from tests.support.environments import ServerProcess, make_environment
from tests.support.waiting import wait_until
from zato.client import AnyServiceInvoker

FILE = '''
import threading
from pathlib import Path
from zato.server.service import AsyncService, Service


class Order(Service):
    """Takes an order."""

    input = "number"

    def handle(self):
        if int(self.request.input.number) < 0:
            raise LookupError("no order <b>%s</b>" % self.request.input.number)


class Orders(Service):
    def handle(self):
        for number in (1, -2, 3):
            self.invoke_async("shop.order", {"number": number})


class Day(AsyncService):
    async def handle(self):
        return await self.invoke_async("shop.orders", channel="morning")


class Waits(Service):
    name = "stand.waits"

    def handle(self):
        while not (self.cancelled or Path(self.request.payload).exists()):
            threading.Event().wait(0.01)
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of two processes, on which a day's orders were placed."""
    folder = tmp_path_factory.mktemp("insight")
    with ServerProcess(make_environment(folder / "env", {"shop.py": FILE}, workers=2)) as running:
        with running.client() as client:
            day = client.invoke("shop.day").data
            client.result(day, wait=30)
            for call in client.invoke("zato.invocation.get-list", {"service": "shop.order"}).data["items"]:
                client.result(call["cid"], wait=30)
        yield running


@pytest.fixture
def client(server: ServerProcess) -> Iterator[AnyServiceInvoker]:
    """A client of the server."""
    with server.client() as connected:
        yield connected


def test_counts_of_all_processes_are_told(client: AnyServiceInvoker) -> None:
    """Whichever process ran them, and whichever is asked."""
    asked = {"query": "shop", "sort": "calls", "reverse": True}

    def told() -> list[tuple[Any, ...]]:
        items = client.invoke("zato.service.get-list", asked).data["items"]
        shown = [(item["name"], item["calls"], item["errors"], item["servers"]) for item in items]
        return [each for each in shown if each[0].startswith("shop.")]

    first = ("shop.order", 3, 1, ["server1"])
    rest = [(name, 1, 0, ["server1"]) for name in ("shop.day", "shop.orders")]
    wait_until(lambda: told()[:3] == [first, *rest])


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        pytest.param({"service": "shop.order"}, 3, id="service"),
        pytest.param({"error": "LOOKUP"}, 1, id="type-of-the-error"),
        pytest.param({"error": "order <B>-2"}, 1, id="message-of-the-error"),
        pytest.param({"error": "nothing"}, 0, id="no-such-error"),
        pytest.param({"channel": "morning"}, 1, id="channel"),
        pytest.param({"server": "server1", "service": "shop.order"}, 3, id="server"),
        pytest.param({"server": "server2", "status": "done"}, 0, id="no-such-server"),
    ],
)
def test_calls_that_match(client: AnyServiceInvoker, filters: dict[str, str], count: int) -> None:
    """They are counted as they are listed."""
    listed = client.invoke("zato.invocation.get-list", filters).data["items"]
    assert (len(listed), client.invoke("zato.invocation.count", filters).data) == (count, {"count": count})


def test_commands_know_the_filters(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the command line they are options."""
    filters = ("--channel", "invoke-async", "--server", "server1", "--error", "b>-2")
    listed = zato_in(monkeypatch, capsys)("invocation", "list", server.environment.path, *filters, "--json")
    assert [call["service"] for call in json.loads(listed.out)["items"]] == ["shop.order"]


def test_tree_of_a_request(client: AnyServiceInvoker) -> None:
    """It begins at the request, whose own call has no record, and is the same from all its calls."""
    asked = [{"service": service} for service in ("shop.orders", "shop.order")]
    calls = [call for each in asked for call in client.invoke("zato.invocation.get-list", each).data["items"]]
    trees = [client.invoke("zato.invocation.get-tree", {"id": call["id"]}).data for call in calls]

    assert trees == [trees[0]] * 4
    shown = [(item["depth"], item["service"], item["status"]) for item in trees[0]["items"]]
    orders = [(2, "shop.order", "done"), (2, "shop.order", "failed"), (2, "shop.order", "done")]
    assert shown == [(1, "shop.orders", "done"), *orders]
    assert (trees[0]["root"], trees[0]["is_cut"]) == (trees[0]["items"][0]["parent"], False)


def test_what_runs_now(client: AnyServiceInvoker, tmp_path: Path) -> None:
    """Background calls and requests, in whichever process, with the one that has run longest first."""
    file = tmp_path / "go-on"
    cids = [client.invoke_async("stand.waits", str(file)).data for _ in range(2)]

    def told() -> dict[str, Any]:
        server: dict[str, Any] = client.invoke("zato.cluster.get-servers").data["items"][0]
        return server

    wait_until(lambda: {each["cid"] for each in told()["current"]} == set(cids))
    now = told()
    file.touch()
    assert [each["since"] for each in now["current"]] == sorted(each["since"] for each in now["current"])
    assert {(each["service"], each["channel"]) for each in now["current"]} == {("stand.waits", "invoke-async")}
    assert {each["worker"] for each in now["current"]} <= {1, 2}
    assert now["threads"]["busy"] >= 2
    assert now["threads"]["http_limit"] == 64


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        pytest.param({"error": ""}, "'error' is a text of 1 to 500 characters", id="empty"),
        pytest.param({"error": "x" * 501}, "'error' is a text of 1 to 500 characters", id="long"),
        pytest.param({"channel": 5}, "'channel' is text, not 5", id="number"),
        pytest.param({"server": ["a"]}, "'server' is text, not ['a']", id="list"),
        pytest.param({"status": "broken"}, "'status' is one of waiting", id="unknown-status"),
        pytest.param({"since": "yesterday"}, "'since' is a time such as", id="no-time"),
        pytest.param({"service": "a\0b"}, "'service' is a text of 1 to 500 characters", id="nul"),
        pytest.param({"sevrer": "a"}, "Did you mean 'server'", id="misspelt"),
    ],
)
def test_filters_that_are_not_legal(client: AnyServiceInvoker, filters: dict[str, Any], message: str) -> None:
    """Lists and counts name the field, and what it may be."""
    for service in ("zato.invocation.get-list", "zato.invocation.count"):
        response = client.invoke(service, filters)
        assert (response.inner.status_code, message in response.details) == (400, True)


@pytest.mark.parametrize(
    "cursor", ["-1", "1e3", "9" * 19, "9" * 5000, "٣"], ids=["negative", "float", "high", "long", "other-digits"]
)
def test_cursor_that_no_page_gave_out(client: AnyServiceInvoker, cursor: str) -> None:
    """It is refused whatever it looks like."""
    response = client.invoke("zato.invocation.get-list", {"cursor": cursor})
    assert (response.inner.status_code, "'cursor' is the 'cursor' of the page before" in response.details) == (
        400,
        True,
    )
