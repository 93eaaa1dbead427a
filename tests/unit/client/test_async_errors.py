"""What goes wrong on the way to a server, with `AsyncServiceInvoker`: the same errors as with the other client."""

import asyncio
import hashlib
import socket
import ssl
import traceback
from pathlib import Path
from typing import Any

import pytest

from tests.support.httpd import Refuser, Reply, ScriptedServer, Unanswering
from tests.support.waiting import wait_until
from zato.client import (
    AsyncServiceInvoker,
    ConnectionFailed,
    ConnectionLost,
    ConnectTimedOut,
    InvalidAddress,
    NetworkError,
    ProxyFailed,
    ReadTimedOut,
    TLSFailed,
)
from zato.client import limits as the_limits
from zato.core.errors import InvalidSetting

PATH = "/zato/admin/invoke"
AUTH = ("admin.invoke", "s3cret")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not try again to connect for long."""
    monkeypatch.setattr(the_limits, "BACKOFF", 0.001)


def ping(address: str, **options: Any) -> Any:
    """Make one call in an event loop of its own."""

    async def call() -> Any:
        async with AsyncServiceInvoker(address, PATH, AUTH, **options) as client:
            return await client.invoke("zato.ping", headers={"X-Mine": "1"})

    return asyncio.run(call())


def test_refused_after_retries() -> None:
    """Connecting is tried five times, over 1.4 seconds; the message is that of the other client."""
    with Refuser() as address, pytest.raises(ConnectionFailed) as caught:
        ping(address)

    assert str(caught.value) == (
        f"Cannot connect to {address}{PATH}: Connection refused. Check the address, and that the server is running."
    )
    assert the_limits.pauses() == (0, 0.2, 0.4, 0.8)


def test_server_that_starts_a_little_later() -> None:
    """What was refused at first is sent as soon as a connection can be made, and once."""
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"up"')
        await writer.drain()
        writer.close()

    async def call(bound: socket.socket) -> Any:
        bound.bind(("127.0.0.1", 0))
        listening = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.1, listening.set_result, None)
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with AsyncServiceInvoker(address, PATH, AUTH) as client:
            calling = asyncio.create_task(client.invoke("zato.ping"))
            await listening
            async with await asyncio.start_server(answer, sock=bound):
                return await calling

    with socket.socket() as bound:
        assert asyncio.run(call(bound)).inner.json() == "up"
    assert len(heads) == 1


def test_unknown_host(impatient: None) -> None:
    """A name that does not exist is named (RFC 6761 reserves `.invalid`)."""
    with pytest.raises(ConnectionFailed, match=r"Cannot connect to http://nowhere\.invalid/"):
        ping("http://nowhere.invalid")


def test_connect_timeout(impatient: None) -> None:
    """A server that does not take the connection is given up after connect_timeout."""
    with (
        Unanswering() as address,
        pytest.raises(ConnectTimedOut, match=r"was made within 0\.05 s.*larger connect_timeout"),
    ):
        ping(address, connect_timeout=0.05)


def test_connect_timeout_is_tried_again(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that was not made in time is sought again: the server may be there a little later."""
    tries: list[socket.socket] = []
    connect = asyncio.SelectorEventLoop.sock_connect

    async def counted(loop: Any, sock: socket.socket, address: Any) -> None:
        tries.append(sock)
        await connect(loop, sock, address)

    async def call(address: str) -> None:
        async with AsyncServiceInvoker(address, PATH, AUTH, connect_timeout=0.05) as client:
            await client.invoke("zato.ping")

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", counted)
    with Unanswering() as address, pytest.raises(ConnectTimedOut):
        asyncio.run(call(address))
    assert len(tries) == 5


@pytest.mark.parametrize("reply", [Reply(hangs=True), Reply(b"{", promised=10, hangs=True)], ids=["silent", "cut"])
def test_read_timeout(server: ScriptedServer, reply: Reply) -> None:
    """A server that does not answer is given up after read_timeout, and not asked twice."""
    server.script(reply)
    with pytest.raises(ReadTimedOut, match=r"sent nothing for 0\.1 s\. The service may still be running"):
        ping(server.address, read_timeout=0.1)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [Reply(drops=True), Reply(b'{"zato', promised=100), Reply(headers={"Transfer-Encoding": "x\0"})],
    ids=["dropped", "cut-short", "no-http"],
)
def test_connection_lost(server: ScriptedServer, reply: Reply) -> None:
    """A request that was sent is never sent again; half a reply is none."""
    server.script(reply)
    with pytest.raises(ConnectionLost, match=r"closed the connection .*The service may have run"):
        ping(server.address)

    assert len(server.requests) == 1


def test_redirect_to_a_dead_end(server: ScriptedServer, impatient: None) -> None:
    """Only connecting is tried again: the request that was redirected is not."""
    with Refuser() as address:
        server.script(Reply(status=307, headers={"Location": address}))
        with pytest.raises(ConnectionFailed):
            ping(server.address)

    assert len(server.requests) == 1


def test_redirects_without_an_end(server: ScriptedServer) -> None:
    """What has no class of its own is a NetworkError."""
    server.script(Reply(status=307, headers={"Location": "/again"}))

    with pytest.raises(NetworkError, match="failed: ") as caught:
        ping(server.address)

    assert type(caught.value) is NetworkError


def test_tls_to_a_plain_server(server: ScriptedServer) -> None:
    """The message tells of the two usual mistakes, and nothing is tried again."""
    with pytest.raises(TLSFailed, match=r"use http://.*tls_verify="):
        ping(server.address.replace("http:", "https:"))

    assert server.accepted == 1


@pytest.mark.parametrize(
    "options",
    [{"tls_verify": "FILE"}, {"tls_verify": False}, {"tls_fingerprint": "PIN"}, {"tls_fingerprint": "COLONS"}],
    ids=["authority", "anybody", "fingerprint", "fingerprint-of-openssl"],
)
def test_certificate_that_is_trusted(certificate: Path, options: dict[str, Any]) -> None:
    """A certificate is known by its authority or by its fingerprint."""
    pin = _fingerprint(certificate)
    known = {"FILE": str(certificate), "PIN": pin, "COLONS": bytes.fromhex(pin).hex(":").upper()}
    with ScriptedServer(certificate) as server:
        server.script(Reply.flat("done"))

        assert ping(server.address, **{name: known.get(value, value) for name, value in options.items()}).ok


@pytest.mark.parametrize(
    ("options", "why"),
    [
        pytest.param({}, "certificate verify failed", id="unknown-authority"),
        pytest.param({"tls_fingerprint": "00" * 32}, f"fingerprint is .*, not {'00' * 32}", id="another-fingerprint"),
    ],
)
def test_certificate_that_is_not(certificate: Path, options: dict[str, Any], why: str) -> None:
    """Nothing is sent to a server with another certificate."""
    with ScriptedServer(certificate) as server, pytest.raises(TLSFailed, match=why):
        ping(server.address, **options)

    assert server.requests == []


def test_authorities_of_the_environment(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that requests reads is read here too."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with ScriptedServer(certificate) as server:
        server.script(Reply.flat("done"))

        assert ping(server.address).data == "done"


def test_missing_file_with_authorities(server: ScriptedServer) -> None:
    """A path that leads nowhere is reported, by its name."""
    with pytest.raises(NetworkError, match=r"failed: .*/no/such\.pem"):
        ping(server.address.replace("http:", "https:"), tls_verify="/no/such.pem")


@pytest.mark.parametrize(
    "address",
    ["localhost:11223", "//localhost", "ftp://localhost", "http://", "http://[::1", f"http://{'a' * 64}.example"],
    ids=["no-scheme", "half-a-scheme", "another-scheme", "no-host", "broken-ipv6", "long-label"],
)
def test_no_address(address: str) -> None:
    """What is no address is quoted, with the form of one that is."""
    with pytest.raises(InvalidAddress, match=r"is not a usable address\. Write it as 'http://host:port'\.") as caught:
        ping(address)

    assert repr(address + PATH) in str(caught.value)


@pytest.mark.parametrize("fingerprint", ["", "AB:CD", "ab" * 20, "zz" * 32, "ab" * 33])
def test_no_fingerprint(fingerprint: str) -> None:
    """What cannot be the fingerprint of any certificate is refused when the client is made."""
    with pytest.raises(InvalidSetting, match=rf"tls_fingerprint = '{fingerprint}' is no SHA-256.*64 hex digits"):
        AsyncServiceInvoker("https://localhost", PATH, tls_fingerprint=fingerprint)


def test_redirect_to_a_secure_server(server: ScriptedServer, certificate: Path) -> None:
    """`tls_verify` holds for the server that a plain one sends to, too."""
    with ScriptedServer(certificate) as secure:
        secure.script(Reply.flat("done"))
        server.script(Reply(status=307, headers={"Location": secure.address}))

        assert [ping(server.address, tls_verify=verify).data for verify in (False, str(certificate))] == ["done"] * 2
        with pytest.raises(TLSFailed, match="certificate verify failed"):
            ping(server.address, tls_verify="/no/such.pem")


def test_fingerprint_without_tls(server: ScriptedServer) -> None:
    """Where there is no certificate there is nothing to compare, so nothing is sent."""
    with pytest.raises(InvalidAddress):
        ping(server.address, tls_fingerprint="00" * 32)

    assert not server.requests


def test_proxy_of_the_environment(server: ScriptedServer, impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy is used, and named as a suspect when it does not answer."""
    monkeypatch.setenv("http_proxy", server.address)
    assert ping("http://server.invalid").data == "done"
    assert server.requests[0].path == f"http://server.invalid{PATH}"

    with Refuser() as address:
        monkeypatch.setenv("http_proxy", address)
        with pytest.raises(ProxyFailed, match=r"to http://server\.invalid.*Connection refused.*NO_PROXY"):
            ping("http://server.invalid")


def test_header_that_cannot_be_sent(server: ScriptedServer) -> None:
    """A header is not quoted, because it may hold a secret."""

    async def call() -> None:
        async with AsyncServiceInvoker(server.address, PATH) as client:
            await client.invoke("zato.ping", headers={"Authorization": "s3cret\n"})

    with pytest.raises(NetworkError, match=r"failed: a header holds a line break") as caught:
        asyncio.run(call())

    assert "s3cret" not in "".join(traceback.format_exception(caught.value, limit=0))
    assert server.requests == []


@pytest.mark.parametrize("form", ["http://admin.invoke:s3cret@{}", "http://admin.invoke:s3cret@{}:port"])
def test_password_in_the_address_is_not_shown(form: str, impatient: None) -> None:
    """Neither the message nor what it is chained to holds the password, if it came with the address."""
    with pytest.raises(NetworkError, match=r"http://server\.invalid") as caught:
        ping(form.format("server.invalid"))

    assert "s3cret" not in "".join(traceback.format_exception(caught.value, limit=0))


def test_cancelled_while_the_server_works(server: ScriptedServer) -> None:
    """The error is asyncio's own, the request is not sent again, and the client goes on."""
    server.script(Reply(hangs=True), Reply.flat("done"))

    async def call() -> Any:
        async with AsyncServiceInvoker(server.address, PATH, AUTH) as client:
            first = asyncio.create_task(client.invoke("zato.ping"))
            await asyncio.to_thread(wait_until, lambda: server.requests)
            first.cancel()
            assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], asyncio.CancelledError)
            return await client.invoke("zato.ping")

    assert asyncio.run(call()).data == "done"
    assert len(server.requests) == 2


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 6])
def test_closed_while_calls_begin(server: ScriptedServer, steps: int) -> None:
    """Whatever a call was doing, it ends with an error of ours, and the client goes on."""

    async def call() -> Any:
        client = AsyncServiceInvoker(server.address, PATH, AUTH)
        begun = asyncio.create_task(client.invoke("zato.ping"))
        for _ in range(steps):
            await asyncio.sleep(0)
        await client.aclose()
        ended = (await asyncio.gather(begun, return_exceptions=True))[0]
        async with client:
            return ended, await client.invoke("zato.ping")

    ended, later = asyncio.run(call())
    assert (type(ended), later.data) == (ConnectionFailed, "done")
    assert str(ended).startswith(
        f"The request to {server.address}{PATH} failed: the client was closed; nothing was sent"
    )
    assert len(server.requests) == 1


def test_closed_while_calls_wait_for_a_place(server: ScriptedServer) -> None:
    """Those that wait were not sent; the one that was may have run. One that is cancelled is just that."""
    server.script(Reply(hangs=True))

    async def call() -> Any:
        client = AsyncServiceInvoker(server.address, PATH, AUTH, max_connections=1)
        calls = [asyncio.create_task(client.invoke("zato.ping")) for _ in range(4)]
        await asyncio.to_thread(wait_until, lambda: server.requests)
        calls[-1].cancel()
        await client.aclose()
        return await asyncio.gather(*calls, return_exceptions=True)

    kinds = sorted(type(each).__name__ for each in asyncio.run(call()))
    assert kinds == ["CancelledError", "ConnectionFailed", "ConnectionFailed", "ConnectionLost"]
    assert len(server.requests) == 1


def test_many_cancelled_while_they_connect() -> None:
    """Calls that are cancelled before they have a connection leave none of the allowed ones behind."""
    with ScriptedServer() as server:
        server.script(Reply.flat("done"))

        async def call() -> Any:
            async with AsyncServiceInvoker(server.address, PATH, AUTH, max_connections=2) as client:
                for steps in range(8):
                    tasks = [asyncio.create_task(client.invoke("zato.ping")) for _ in range(6)]
                    for _ in range(steps):
                        await asyncio.sleep(0)
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
                return await asyncio.wait_for(client.invoke("zato.ping"), 5)

        assert asyncio.run(call()).data == "done"


def _fingerprint(certificate: Path) -> str:
    """Return the SHA-256 of the certificate in a file that holds its key too."""
    _, begin, rest = certificate.read_text("ascii").partition("-----BEGIN CERTIFICATE-----")
    body, end, _ = rest.partition("-----END CERTIFICATE-----")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(begin + body + end)).hexdigest()
