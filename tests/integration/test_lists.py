"""Lists of calls, page by page, and what is known of one service."""

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.support.environments import ServerProcess, make_environment
from zato.client import AnyServiceInvoker

SERVICES = '''
from zato.server.service import AsyncService, Retry, Service


class Echo(AsyncService):
    """Gives back.

    What it got.
    """

    name = "lists.echo"

    async def handle(self):
        return self.request.payload


class Fails(Service):
    name = "lists.fails"
    retry = Retry(2, backoff=0, on=KeyError)
    time_limit = 5

    def handle(self):
        raise KeyError("no")


class Caller(AsyncService):
    name = "lists.caller"

    async def handle(self):
        return [await self.invoke_async("lists.echo") for _ in range(3)]
'''
POLICY = {"attempts": 2, "backoff": 0, "cap": 600.0, "jitter": 0.5, "on": ["builtins.KeyError"], "not_on": []}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests here."""
    with ServerProcess(make_environment(tmp_path_factory.mktemp("lists") / "env", {"lists.py": SERVICES})) as server:
        yield server


@pytest.fixture
def client(server: ServerProcess) -> Iterator[AnyServiceInvoker]:
    """A client with the right credentials."""
    with server.client() as client:
        yield client


def listed(client: AnyServiceInvoker, **asked: object) -> list[str]:
    """Return the CIDs of all pages, in the order they came."""
    found: list[str] = []
    cursor = None
    while True:
        page = client.invoke("zato.invocation.get-list", {**asked, "cursor": cursor}).data
        found += [item["cid"] for item in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_pages(client: AnyServiceInvoker, limit: int) -> None:
    """All pages together are every call once, the newest first, whatever the size of a page."""
    cid = f"pages-{limit}"
    ids = [client.result(client.invoke_async("lists.echo", cid=cid).data, wait=10).record["id"] for _ in range(7)]

    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while not found or cursor is not None:
        page = client.invoke("zato.invocation.get-list", {"cid": cid, "limit": limit, "cursor": cursor}).data
        assert len(page["items"]) <= limit
        found, cursor = found + page["items"], page["cursor"]

    assert [item["id"] for item in found] == ids[::-1]


def test_item_of_a_list(client: AnyServiceInvoker) -> None:
    """It is the record, without payload and response."""
    cid = client.invoke_async("lists.fails", {"a": 1}).data
    record = client.result(cid, wait=10).record
    (item,) = client.invoke("zato.invocation.get-list", {"cid": cid}).data["items"]

    assert item == {key: value for key, value in record.items() if key not in ("payload", "response")}
    assert (item["retry"], item["time_limit"], len(item["failures"])) == (POLICY, 5, 1)


def test_what_can_be_asked_for(client: AnyServiceInvoker) -> None:
    """Status, service, parent and CID; all of them at once if need be."""
    made = client.invoke("lists.caller")
    done = [client.result(cid, wait=10).record["cid"] for cid in made.data]
    failed = client.result(client.invoke_async("lists.fails").data, wait=10).record["cid"]
    delayed = client.invoke_async("lists.echo", delay=1000).data

    assert listed(client, parent=made.cid, status="done", service="lists.echo") == done[::-1]
    assert listed(client, parent=made.cid, status="failed") == []
    assert failed in listed(client, status="failed")
    assert delayed in listed(client, status="delayed", service="lists.echo", cid=delayed)
    assert delayed not in listed(client, status="done")


def test_when_calls_were_accepted(client: AnyServiceInvoker) -> None:
    """`since` is included, `until` is not; an offset counts, and without one it is UTC."""
    cid = client.invoke_async("lists.echo", cid="when").data
    created = datetime.fromisoformat(client.result(cid, wait=10).record["created"])
    later = created + timedelta(milliseconds=1)
    elsewhere = created.astimezone(timezone(timedelta(hours=5))).isoformat()

    assert listed(client, cid=cid, since=created.isoformat(), until=later.isoformat()) == [cid]
    assert listed(client, cid=cid, since=later.isoformat()) == []
    assert listed(client, cid=cid, until=created.isoformat()) == []
    assert listed(client, cid=cid, since=elsewhere, until=later.replace(tzinfo=None).isoformat()) == [cid]
    assert listed(client, cid=cid, since=(created + timedelta(microseconds=1)).isoformat()) == []


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param({"status": "faild"}, "Did you mean 'failed'?", id="status"),
        pytest.param({"status": 1}, "'status' is text", id="status-number"),
        pytest.param({"service": []}, "'service' is text", id="service"),
        pytest.param(
            {"since": "yesterday"}, "'since' is a time such as '2026-01-31T12:00:00Z', not 'yesterday'", id="since"
        ),
        pytest.param({"until": 1_700_000_000}, "'until' is text", id="until-number"),
        pytest.param({"limit": 0}, "'limit' is a whole number from 1 to 1000, not 0", id="limit-zero"),
        pytest.param({"limit": 1001}, "'limit' is a whole number from 1 to 1000", id="limit-too-large"),
        pytest.param({"limit": 1.5}, "'limit' is a whole number", id="limit-fraction"),
        pytest.param({"limit": True}, "'limit' is a whole number", id="limit-flag"),
        pytest.param({"cursor": "x"}, "'cursor' is the 'cursor' of the page before", id="cursor"),
        pytest.param({"cursor": "9" * 30}, "'cursor' is the 'cursor' of the page before", id="cursor-too-large"),
        pytest.param({"cursor": 5}, "'cursor' is text", id="cursor-number"),
        pytest.param({"stauts": "done"}, "Did you mean 'status'?", id="key"),
        pytest.param(["done"], "The input is one JSON object", id="list"),
    ],
)
def test_list_that_cannot_be_made(client: AnyServiceInvoker, asked: object, message: str) -> None:
    """The answer is 400 and says what is wrong."""
    refused = client.invoke("zato.invocation.get-list", asked)

    assert refused.inner.status_code == 400
    assert message in refused.details


def test_what_is_known_of_a_service(client: AnyServiceInvoker, server: ServerProcess) -> None:
    """Everything that the list says of it, its docstring, where it stands, and what its class says of calls."""
    item = next(each for each in client.invoke("zato.service.get-list").data["items"] if each["name"] == "lists.echo")
    echo = client.invoke("zato.service.get", {"name": "lists.echo"}).data
    fails = client.invoke("zato.service.get", {"name": "lists.fails"}).data

    assert item.items() <= echo.items()
    assert echo["file"] == str(server.environment.services / "lists.py")
    assert (echo["doc"], echo["module"], echo["line"]) == ("Gives back.\n\nWhat it got.", "lists", 5)
    assert (echo["retry"], echo["time_limit"]) == (None, None)
    assert (fails["doc"], fails["line"], fails["retry"], fails["time_limit"]) == (None, 17, POLICY, 5)


def test_what_is_known_of_a_built_in_service(client: AnyServiceInvoker) -> None:
    """It has a docstring, and no file of the user's."""
    ping = client.invoke("zato.service.get", {"name": "zato.ping"}).data

    assert (ping["is_internal"], ping["file"], ping["line"]) == (True, None, None)
    assert ping["doc"].startswith("Answers, so that a caller knows the server does.")


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        pytest.param({"name": "lists.ecko"}, 404, "Did you mean 'lists.echo'?", id="unknown"),
        pytest.param({}, 400, "Give 'name'", id="nothing"),
        pytest.param({"name": 5}, 400, "'name' is text", id="number"),
        pytest.param({"nam": "x"}, 400, "Did you mean 'name'?", id="key"),
    ],
)
def test_service_that_cannot_be_told_of(client: AnyServiceInvoker, asked: object, status: int, message: str) -> None:
    """The answer says what is wrong, and names what is near."""
    refused = client.invoke("zato.service.get", asked)

    assert refused.inner.status_code == status
    assert message in refused.details
