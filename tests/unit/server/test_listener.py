"""Where requests come in: addresses that can be listened on, and those that cannot."""

import asyncio
from typing import cast

import pytest
import uvloop

from tests.support.environments import free_port
from tests.support.subprocesses import run_python
from zato.core.errors import EnvironmentFault
from zato.server.http.listener import Listener
from zato.server.http.rsgi import RSGIAdapter

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

REFUSED = [
    pytest.param("no-such-host.invalid", "The server cannot listen on 'no-such-host.invalid': ", id="unknown-name"),
    pytest.param("a..b", "Check 'host' in config.toml", id="impossible-name"),
    pytest.param("x" * 80, "Check 'host' in config.toml", id="name-too-long"),
]


@pytest.fixture(scope="module", autouse=True)
def libuv() -> None:
    """Let the event loop open the pipe that it keeps for as long as the process lives, before leaks are looked for."""
    uvloop.run(asyncio.sleep(0))


PROGRAM = """
import asyncio, socket, uvloop
from zato.server.http.listener import Listener

class Hello:
    async def __rsgi__(self, scope, proto):
        proto.response_str(200, [], "hello")

async def ask():
    reader, writer = await asyncio.open_connection("127.0.0.1", {port})
    writer.write(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
    answer = await reader.read()
    writer.close()
    return answer

async def main():
    door = Listener(Hello(), {host!r}, {port}, max_connections=20)
    await door.open()
    print((await ask()).rpartition(b"\\n")[2].decode())
    await door.closed()
    with socket.socket() as after:
        print("closed" if after.connect_ex(("127.0.0.1", {port})) else "open")

uvloop.run(main())
"""


def listener(host: str, port: int) -> Listener:
    """Return a listener that no request will reach."""
    return Listener(cast(RSGIAdapter, None), host, port, max_connections=20)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_open_listener_answers(host: str) -> None:
    """When `open` returns, requests are answered; when `closed` returns, nothing listens."""
    assert run_python(PROGRAM.format(host=host, port=free_port())) == "hello\nclosed\n"


@pytest.mark.parametrize("sent", ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\n"], ids=["nothing", "a-word", "a-line"])
def test_connection_without_a_request(sent: str) -> None:
    """A client that sends no request, or half of one, is hung up on after a while."""
    program = f"""
import asyncio, uvloop
from zato.server.http import listener

async def main():
    door = listener.Listener(None, "127.0.0.1", {{port}}, max_connections=20)
    await door.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", {{port}})
    writer.write({sent!r}.encode())
    print(await asyncio.wait_for(reader.read(), 20))
    writer.close()
    await door.closed()

listener.HEADER_TIMEOUT_MS = 200
uvloop.run(main())
"""
    assert run_python(program.format(port=free_port())) == "b''\n"


def test_address_where_nothing_can_answer() -> None:
    """A host that takes the server and no connection is reported, not waited for without end."""
    program = f"""
import asyncio, uvloop
from zato.core.errors import EnvironmentFault
from zato.server.http import listener

async def main():
    door = listener.Listener(None, "224.0.0.1", {free_port()}, max_connections=20)
    try:
        await door.open()
    except EnvironmentFault as error:
        print(error)
    await door.closed()

listener.OPEN_TIMEOUT = 0.3
uvloop.run(main())
"""
    assert run_python(program).endswith("Check 'host' in config.toml.\n")


@pytest.mark.parametrize(("host", "words"), REFUSED)
def test_host_that_cannot_be_listened_on(host: str, words: str) -> None:
    """The message names the host and where it is set."""
    with pytest.raises(EnvironmentFault) as caught:
        uvloop.run(listener(host, free_port()).open())
    assert words in str(caught.value)


def test_listener_that_never_opened_can_be_closed() -> None:
    """A start that failed earlier is cleaned up the same way."""

    async def run() -> None:
        door = listener("127.0.0.1", free_port())
        door.close()
        await door.closed()

    uvloop.run(run())
