"""The adapter answers whatever its application does, and whenever the client leaves."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from tests.support.environments import free_port
from tests.support.subprocesses import run_python
from zato.server.http.message import Reply, Request
from zato.server.http.rsgi import RSGIAdapter

PROGRAM = """
import asyncio, uvloop
from zato.server.http.listener import Listener
from zato.server.http.message import Reply
from zato.server.http.rsgi import RSGIAdapter

class Application:
    async def handle(self, request):
        return Reply(200, str(request.header_values("x-key")).encode())

async def main():
    door = Listener(RSGIAdapter(Application(), max_body=1, body_timeout=1), "127.0.0.1", {port}, max_connections=20)
    await door.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", {port})
    writer.write(("GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n" + {lines!r} + "\\r\\n").encode())
    print((await reader.read()).rpartition(b"\\n")[2].decode())
    writer.close()
    await door.closed()

uvloop.run(main())
"""


class Beyond(BaseException):
    """What no handler expects."""


@dataclass
class Scope:
    """A request's head."""

    headers: dict[str, str] = field(default_factory=dict)
    proto: str = "http"
    method: str = "POST"
    path: str = "/"
    query_string: str = ""
    client: str = "127.0.0.1:4711"


@dataclass
class Connection:
    """A connection that keeps what is sent over it, or that the client has closed."""

    body: bytes = b""
    closed: bool = False
    sent: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self) -> bytes:
        if self.closed:
            raise ProtocolClosed
        return self.body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send an answer."""
        if self.closed:
            raise ProtocolClosed
        self.sent.append((status, dict(headers), body))


class Application:
    """Reads the body, then replies with it or raises."""

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error

    async def handle(self, request: Request) -> Reply:
        """Reply."""
        body = await request.read()
        if self._error is not None:
            raise self._error
        return Reply(200, body)


def exchange(connection: Connection, error: BaseException | None = None, *, announced: bool = False) -> RSGIAdapter:
    """Have one request answered."""
    application: Any = Application(error)
    adapter = RSGIAdapter(application, max_body=100, body_timeout=30)
    scope: Any = Scope({"content-length": str(len(connection.body))} if announced else {})
    asyncio.run(adapter.__rsgi__(scope, connection))
    return adapter


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in-chunks"])
def test_answer(announced: bool) -> None:
    """A reply goes out with a CID, and the request is in progress no more."""
    connection = Connection(b"body")
    adapter = exchange(connection, announced=announced)

    ((status, sent, body),) = connection.sent
    assert (status, body, len(sent["x-zato-cid"])) == (200, b"body", 24)
    assert (adapter.in_progress, adapter.half_sent) == (0, 0)


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), Beyond("x")], ids=lambda error: type(error).__name__)
def test_error_that_its_application_lets_through(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """A request never ends without an answer, whatever is raised, and the log says so."""
    connection = Connection()
    exchange(connection, error)

    ((status, sent, body),) = connection.sent
    env = json.loads(body)["zato_env"]
    assert (status, env["result"], env["cid"]) == (500, "ZATO_ERROR", sent["x-zato-cid"])
    assert "A request failed outside of its handler" in caplog.messages


def test_cancelled_request() -> None:
    """A request that is cancelled, because the server stops, is told to come again."""
    connection = Connection()
    exchange(connection, asyncio.CancelledError())

    ((status, sent, _),) = connection.sent
    assert (status, sent["Retry-After"]) == (503, "1")


@pytest.mark.parametrize(
    ("pairs", "values"),
    [
        pytest.param([], [], id="absent"),
        pytest.param([("X-Key", "a")], ["a"], id="once"),
        pytest.param([("X-Key", "a"), ("x-key", "b")], ["a", "b"], id="twice"),
        pytest.param([("X-Key", "")], [""], id="empty"),
        pytest.param([("X-Key", "schl\u00fcssel")], [None], id="not-ascii"),
    ],
)
def test_values_of_a_header(pairs: list[tuple[str, str]], values: list[str | None]) -> None:
    """A header that was sent is seen, even one whose value granian leaves out."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    assert run_python(PROGRAM.format(port=free_port(), lines=lines)) == f"{values}\n"


@pytest.mark.parametrize("announced", [True, False], ids=["while-it-sends", "before-the-answer"])
def test_client_that_left(announced: bool, caplog: pytest.LogCaptureFixture) -> None:
    """A client that is gone gets no answer, and that is no error."""
    connection = Connection(closed=True)
    exchange(connection, announced=announced)

    assert connection.sent == []
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
