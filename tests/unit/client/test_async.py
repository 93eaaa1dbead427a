"""`AsyncServiceInvoker`: what it sends and what it makes of replies, by the rules of `AnyServiceInvoker`."""

import asyncio
import copy
import gc
import json
import logging
import pickle
from base64 import b64decode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from tests.support.httpd import CID, Reply, Request, ScriptedServer
from tests.support.subprocesses import run_python
from zato.client import (
    AnyServiceInvoker,
    AsyncServiceInvoker,
    HTTPReply,
    NetworkError,
    ResponseMismatch,
    Retry,
    WrongEventLoop,
)
from zato.core.errors import InvalidName, InvalidPayload, NotSerializable, ZatoError

PATH = "/zato/admin/invoke"
AUTH = ("admin.invoke", "s3cret")
BASIC = "Basic YWRtaW4uaW52b2tlOnMzY3JldA=="
T = TypeVar("T")

WITHOUT_AIOHTTP = """
import sys
sys.modules["aiohttp"] = None
from zato.client import *
try:
    AsyncServiceInvoker("http://localhost:11223", "/zato/admin/invoke")
except MissingExtra as error:
    print(type(error).__mro__[2].__name__, error)
"""


def ask(server: ScriptedServer, call: Callable[[AsyncServiceInvoker], Awaitable[T]], **options: Any) -> T:
    """Return what a call of a client in an event loop of its own returns."""

    async def talk() -> T:
        async with AsyncServiceInvoker(server.address, PATH, AUTH, **options) as client:
            return await call(client)

    return asyncio.run(talk())


@pytest.mark.parametrize(
    ("method", "arguments", "options"),
    [
        ("invoke", ("crm.get", {"id": 1}), {}),
        ("invoke", ("crm.get", "x", {"X-Mine": "1"}), {"channel": "c", "data_format": "d", "timeout": 2, "pid": 3}),
        ("invoke", (), {"id": 7, "to_json": False, "payload": b"raw", "skip_response_elem": False, "all_pids": True}),
        ("invoke_async", ("crm.get",), {}),
        ("invoke_async", ("crm.get",), {"expiration": 5, "transport": "t", "callback": ["a", "b"], "cid": "c1"}),
        (
            "invoke_async",
            ("crm.get",),
            {"on_failure": "f", "delay": 1, "idempotency_key": "k", "retry": Retry(2)},
        ),
        ("invoke_async", ("crm.get",), {"time_limit": 9, "output_repeated": True}),
        ("invoke_async", ("crm.get",), {"priority": "low", "queue": "q"}),
        ("invoke_async_many", ([("crm.get", 1), {"name": "crm.set", "delay": 2}],), {}),
        ("result", ("c1",), {}),
        ("result", ("c1", 0.5), {}),
        ("cancel", ("c1",), {}),
        ("replay", ("c1",), {}),
        ("replay", ("c1", {"id": 2}), {}),
    ],
)
def test_requests_are_those_of_the_other_client(
    server: ScriptedServer, method: str, arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    """Bodies and headers are the same, but for those by which HTTP libraries introduce themselves."""
    ask(server, lambda client: getattr(client, method)(*arguments, **options))
    with AnyServiceInvoker(server.address, PATH, AUTH) as client:
        getattr(client, method)(*arguments, **options)

    ours, theirs = ((each.method, each.path, each.json, _own_headers(each)) for each in server.requests)
    assert ours == theirs


@pytest.mark.parametrize("dialect", [Reply.flat, Reply.nested], ids=["flat", "nested"])
def test_both_dialects(server: ScriptedServer, dialect: Callable[[str], Reply]) -> None:
    """Servers of 2.0, 3.0 and 3.2 are understood."""
    server.script(dialect('{"zato_ping_response": {"pong": "zato"}}'))

    response = ask(server, lambda client: client.invoke("zato.ping"))

    assert (response.ok, response.data, response.cid) == (True, {"pong": "zato"}, CID)
    assert repr(response).startswith("<ServiceInvokeResponse at 0x")


def test_inner_looks_like_a_response_of_requests(server: ScriptedServer) -> None:
    """What programs read of `inner` has the same names; the names of headers have no case."""
    server.script(Reply.of({"a": "ä"}, 404, X_Zato_CID="c1"))

    inner = ask(server, lambda client: client.invoke("crm.get")).inner

    assert isinstance(inner, HTTPReply)
    assert (inner.status_code, inner.reason, inner.ok, inner.json()) == (404, "Not Found", False, {"a": "ä"})
    assert (inner.headers["x-zato-cid"], inner.url) == ("c1", server.address + PATH)
    assert json.loads(inner.text) == json.loads(inner.content)


def test_responses_can_be_pickled_and_copied(server: ScriptedServer) -> None:
    """Responses and mismatches go to other processes; a header that came twice is one, as with requests."""
    server.script(Reply(Reply.flat("[1]").body, headers={"X-A": "1", "x-a": "2"}))
    response = ask(server, lambda client: client.invoke("crm.get"))
    with pytest.raises(ResponseMismatch) as caught:
        ask(server, lambda client: client.invoke("crm.get", type=int))

    for copied in (copy.deepcopy, _pickled):
        assert (copied(response).data, copied(response).inner.headers["X-a"]) == ([1], "1, 2")
        assert copied(caught.value).response.data == [1]


def test_headers_of_other_kinds(server: ScriptedServer) -> None:
    """Bytes are sent as they are, and None leaves a header out, as in the other client."""
    headers: Any = {"X-Bytes": b"1", b"X-Name": "2", "X-None": None}
    ask(server, lambda client: client.invoke("crm.get", headers=headers))
    with AnyServiceInvoker(server.address, PATH, AUTH) as client:
        client.invoke("crm.get", headers=headers)

    assert _own_headers(server.requests[0]) == _own_headers(server.requests[1])
    assert {"X-Bytes", "X-Name", "X-None"} & set(server.requests[0].headers) == {"X-Bytes", "X-Name"}


@pytest.mark.parametrize(
    ("headers", "words"), [({"X-A": 5}, r"value of header 'X-A' is of type int"), ({5: "x"}, "5 is no text")]
)
def test_headers_that_are_no_text(server: ScriptedServer, headers: Any, words: str) -> None:
    """Both clients refuse them with the same error, before anything is sent."""
    with pytest.raises(NetworkError, match=words):
        ask(server, lambda client: client.invoke("crm.get", headers=headers))
    with AnyServiceInvoker(server.address, PATH) as client, pytest.raises(NetworkError, match=words):
        client.invoke("crm.get", headers=headers)

    assert server.requests == []


@pytest.mark.parametrize(
    "reply",
    [Reply.error("Nope", 401), Reply(b"<html>", 502), Reply(), Reply(b"\xff\xfe"), Reply(b"null"), Reply(b'"x"')],
    ids=["error", "html", "empty", "binary", "null", "text"],
)
def test_any_reply_is_read_as_the_other_client_reads_it(server: ScriptedServer, reply: Reply) -> None:
    """A reply of any kind raises nothing, and means the same."""
    server.script(reply)

    ours = ask(server, lambda client: client.invoke("crm.get"))
    with AnyServiceInvoker(server.address, PATH, AUTH) as client:
        theirs = client.invoke("crm.get")

    for name in ("ok", "details", "data", "has_data", "cid", "meta", "sio_result", "output_repeated"):
        assert getattr(ours, name) == getattr(theirs, name), name


def test_typed_data(server: ScriptedServer) -> None:
    """`type=` does what it does in the other client."""
    server.script(Reply.flat("[1.5]"))

    assert ask(server, lambda client: client.invoke("crm.get", type=list[float])).data == [1.5]


def test_waiting_longer_than_a_server_listens(server: ScriptedServer) -> None:
    """A wait of more than 60 seconds is several questions, each for what is left."""
    running, done = Reply.flat('{"status": "running"}'), Reply.flat('{"status": "done", "response": "x"}')
    server.script(running, running, done)

    result = ask(server, lambda client: client.result("c1", wait=130))

    assert (result.data, [_payload(each)["wait"] for each in server.requests]) == ("x", [60, 60, 10])


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, InvalidName),
        ({"name": "crm.get", "payload": object()}, NotSerializable),
        ({"name": "crm.get", "payload": 5, "to_json": False}, InvalidPayload),
    ],
)
def test_mistakes_are_found_before_anything_is_sent(
    server: ScriptedServer, arguments: dict[str, Any], error: type[ZatoError]
) -> None:
    """The caller's errors are those of the other client."""
    with pytest.raises(error):
        ask(server, lambda client: client.invoke(**arguments))

    assert server.requests == []


def test_unknown_argument(server: ScriptedServer) -> None:
    """An argument of other versions is ignored, with a warning that points to the caller."""

    async def call(client: AsyncServiceInvoker) -> None:
        await client.invoke("crm.get", delay=1)  # type: ignore[call-overload]

    with pytest.warns(UserWarning, match=r"invoke\(\) does not know 'delay'.*option of invoke_async") as caught:
        ask(server, call)

    assert caught[0].filename == __file__


@pytest.mark.parametrize("address", ["http://127.0.0.1", "http://admin.invoke:s3cret@127.0.0.1"], ids=["netrc", "url"])
def test_credentials_from_elsewhere(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Without credentials those in the address are used, else those of a netrc file."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login admin.invoke password s3cret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    async def call() -> None:
        async with AsyncServiceInvoker(f"{address}:{server.server_address[1]}", PATH) as client:
            await client.invoke("zato.ping")

    asyncio.run(call())

    assert server.requests[0].headers["Authorization"] == BASIC


@pytest.mark.parametrize(("auth", "sent"), [(("jürgen", "€"), "asO8cmdlbjrigqw="), ((b"user", b"\xff"), "dXNlcjr/")])
def test_credentials_are_utf8(server: ScriptedServer, auth: Any, sent: str) -> None:
    """A password may hold any character (RFC 7617), and wins over a header."""

    async def call() -> None:
        async with AsyncServiceInvoker(server.address, PATH, auth) as client:
            await client.invoke("zato.ping", headers={"authorization": "mine"})

    asyncio.run(call())

    assert server.requests[0].headers.get_all("Authorization") == [f"Basic {sent}"]  # type: ignore[attr-defined]


def test_redirect(server: ScriptedServer) -> None:
    """A redirect is followed with the same body, and takes no credentials to another host."""
    with ScriptedServer() as other:
        other.script(Reply.flat("elsewhere"))
        server.script(Reply(status=307, headers={"Location": other.address.replace("127.0.0.1", "localhost")}))

        assert ask(server, lambda client: client.invoke("zato.ping")).data == "elsewhere"
        assert "Authorization" not in other.requests[0].headers
        assert other.requests[0].body == server.requests[0].body


def test_connection_is_kept(server: ScriptedServer) -> None:
    """Calls one after the other use one connection."""

    async def call(client: AsyncServiceInvoker) -> None:
        for _ in range(3):
            await client.invoke("zato.ping")

    ask(server, call)

    assert len({request.connection for request in server.requests}) == 1


def test_limit_of_connections(server: ScriptedServer) -> None:
    """Calls beyond the limit wait for a connection, and none is lost."""

    async def call(client: AsyncServiceInvoker) -> list[Any]:
        return [each.data for each in await asyncio.gather(*(client.invoke("zato.ping") for _ in range(20)))]

    assert ask(server, call, max_connections=2) == ["done"] * 20
    assert len({request.connection for request in server.requests}) == 2


def test_connection_closed_while_nobody_looked(server: ScriptedServer) -> None:
    """A connection that the server closed while the loop stood still is not used for the next call."""
    with asyncio.Runner() as runner:
        client = AsyncServiceInvoker(server.address, PATH, AUTH)
        runner.run(client.invoke("zato.ping"))
        server.hang_up()

        assert runner.run(client.invoke("zato.ping")).data == "done"
        runner.run(client.aclose())


def test_usable_after_aclose(server: ScriptedServer) -> None:
    """Closing frees connections; a later call makes new ones, in whatever event loop."""
    client = AsyncServiceInvoker(server.address, PATH, AUTH)

    async def once() -> object:
        async with client:
            return (await client.invoke("zato.ping")).data

    assert [asyncio.run(once()) for _ in range(2)] == ["done", "done"]
    asyncio.run(client.aclose())


def test_two_event_loops(server: ScriptedServer) -> None:
    """In another loop than that of its connections a client says so, and how to go on."""
    client = AsyncServiceInvoker(server.address, PATH, AUTH)
    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(client.invoke("zato.ping"))
        for call in (client.invoke("zato.ping"), client.aclose()):
            with pytest.raises(WrongEventLoop, match=r"another event loop.*await client\.aclose\(\)"):
                second.run(call)
        first.run(client.aclose())

        assert second.run(client.invoke("zato.ping")).ok
        second.run(client.aclose())


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_event_loop_that_ended_before_the_client(server: ScriptedServer) -> None:
    """Connections go with their loop, and the next loop gets new ones."""
    client = AsyncServiceInvoker(server.address, PATH, AUTH)
    asyncio.run(client.invoke("zato.ping"))
    with asyncio.Runner() as runner:
        assert runner.run(client.invoke("zato.ping")).ok
        runner.run(client.aclose())
    gc.collect()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_event_loops_without_end(server: ScriptedServer) -> None:
    """A program that never closes its client keeps the connection of the last loop, and no other."""
    client = AsyncServiceInvoker(server.address, PATH, AUTH)
    gc.disable()
    try:
        for _ in range(4):
            asyncio.run(client.invoke("zato.ping"))
        peers = [tuple(each.raddr) for each in psutil.Process().net_connections("tcp4")]
    finally:
        gc.enable()
        asyncio.run(client.aclose())
        gc.collect()

    assert peers.count(server.server_address[:2]) <= 1


def test_debug_lines(server: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    """Lines say what was asked and how it was answered, without credentials and payload."""
    with caplog.at_level(logging.DEBUG, "zato.client"):
        ask(server, lambda client: client.invoke("crm.sync", "the payload"))

    lines = [record.getMessage() for record in caplog.records if record.name == "zato.client.async_transport"]
    assert lines[0].startswith(f"POST {server.address}{PATH}, ")
    assert lines[1].startswith(f"POST {server.address}{PATH} -> HTTP 200, ")
    assert "s3cret" not in "".join(lines)


def test_without_the_extra() -> None:
    """The module is whole without aiohttp; only making the client fails, with the command that installs it."""
    printed = run_python(WITHOUT_AIOHTTP)

    assert printed == "ImportError AsyncServiceInvoker needs aiohttp. Install it: pip install 'openzato[async]'\n"


def test_broken_extra() -> None:
    """If aiohttp itself lacks something, that is what the error names."""
    printed = run_python(WITHOUT_AIOHTTP.replace('"aiohttp"', '"yarl"').replace("MissingExtra", "ImportError"))

    assert "yarl" in printed
    assert "openzato[async]" not in printed


def test_import_does_not_load_aiohttp() -> None:
    """A program that does not use the asynchronous client does not pay for it."""
    printed = run_python("import sys; from zato.client import AsyncServiceInvoker; print(*sys.modules)")

    assert not {"aiohttp", "yarl", "asyncio"} & set(printed.split())


def _pickled(value: T) -> T:
    loaded: T = pickle.loads(pickle.dumps(value))
    return loaded


def _own_headers(request: Request) -> dict[str, str]:
    introduce = {"User-Agent", "Accept", "Accept-Encoding", "Connection", "Host"}
    return {name: value for name, value in request.headers.items() if name not in introduce}


def _payload(request: Request) -> Any:
    return json.loads(b64decode(request.json["payload"]))
