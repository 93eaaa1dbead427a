"""What goes wrong on the way to a server, in our words and under the names of requests."""

import logging
import traceback
from pathlib import Path

import pytest
import requests
import urllib3
from requests import exceptions as theirs
from urllib3.exceptions import InsecureRequestWarning

from tests.support.httpd import Refuser, Reply, ScriptedServer, Unanswering
from zato.client import (
    AnyServiceInvoker,
    APIClient,
    ConnectionFailed,
    ConnectionLost,
    ConnectTimedOut,
    InvalidAddress,
    NetworkError,
    ProxyFailed,
    ReadTimedOut,
    TLSFailed,
)
from zato.client.errors import translate
from zato.core.errors import ZatoError

AUTH = ("admin.invoke", "s3cret")
PATH = "/zato/admin/invoke"


@pytest.mark.parametrize(
    ("ours", "code", "status", "clauses"),
    [
        (NetworkError, "network_error", 502, [requests.RequestException]),
        (InvalidAddress, "invalid_address", 502, [theirs.InvalidURL, theirs.MissingSchema, theirs.InvalidSchema]),
        (ConnectionFailed, "connection_failed", 503, [requests.ConnectionError]),
        (ConnectTimedOut, "connect_timeout", 504, [requests.ConnectTimeout, requests.Timeout, ConnectionFailed]),
        (TLSFailed, "tls_failed", 503, [theirs.SSLError, requests.ConnectionError]),
        (ProxyFailed, "proxy_failed", 503, [theirs.ProxyError, requests.ConnectionError]),
        (ConnectionLost, "connection_lost", 502, [requests.ConnectionError, theirs.ChunkedEncodingError]),
        (ReadTimedOut, "read_timeout", 504, [requests.ReadTimeout, requests.Timeout]),
    ],
)
def test_family(ours: type[NetworkError], code: str, status: int, clauses: list[type[Exception]]) -> None:
    """Each error belongs to our tree, and is caught by the clauses that caught it in requests."""
    assert (ours.code, ours.status, ours.exit_code) == (code, status, 3)
    assert {ZatoError, NetworkError, OSError, *clauses} <= set(ours.__mro__)


def test_refused_after_retries(caplog: pytest.LogCaptureFixture) -> None:
    """Connecting is tried five times; the message has the address, the reason and the remedy."""
    with (
        Refuser() as address,
        caplog.at_level(logging.WARNING, "urllib3"),
        AnyServiceInvoker(address, PATH, AUTH) as client,
        pytest.raises(ConnectionFailed) as caught,
    ):
        client.invoke("zato.ping")

    assert str(caught.value) == (
        f"Cannot connect to {address}{PATH}: Connection refused. Check the address, and that the server is running."
    )
    assert len(caplog.records) == 4
    assert caught.value.request is not None


def test_unknown_host() -> None:
    """A name that does not exist is named (RFC 6761 reserves `.invalid`)."""
    with (
        requests.Session() as session,
        AnyServiceInvoker("http://nowhere.invalid", PATH, AUTH, session) as client,
        pytest.raises(ConnectionFailed, match=r"Cannot connect to http://nowhere\.invalid/"),
    ):
        client.invoke("zato.ping")


def test_connect_timeout() -> None:
    """A server that does not take the connection is given up after connect_timeout."""
    with (
        Unanswering() as address,
        requests.Session() as session,
        AnyServiceInvoker(address, PATH, AUTH, session, connect_timeout=0.2) as client,
        pytest.raises(ConnectTimedOut, match=r"was made within 0\.2 s.*larger connect_timeout"),
    ):
        client.invoke("zato.ping")


@pytest.mark.parametrize("reply", [Reply(hangs=True), Reply(b"{", promised=10, hangs=True)], ids=["silent", "cut"])
def test_read_timeout(server: ScriptedServer, reply: Reply) -> None:
    """A server that does not answer is given up after read_timeout, and not asked twice."""
    server.script(reply)
    with (
        AnyServiceInvoker(server.address, PATH, AUTH, read_timeout=0.1) as client,
        pytest.raises(ReadTimedOut, match=r"sent nothing for 0\.1 s\. The service may still be running"),
    ):
        client.invoke("zato.ping")

    assert len(server.requests) == 1


@pytest.mark.parametrize("verb", ["POST", "GET", "PUT", "DELETE"])
def test_dropped_connection(server: ScriptedServer, verb: str) -> None:
    """A request that was sent is never sent again, whatever its verb."""
    server.script(Reply(drops=True))
    with (
        APIClient(server.address, *AUTH) as client,
        pytest.raises(ConnectionLost, match=r"closed the connection .*The service may have run"),
    ):
        client.by_verb(verb, "crm.sync")

    assert len(server.requests) == 1


def test_reply_cut_short(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """Half a reply is none."""
    server.script(Reply(b'{"zato', promised=100))

    with pytest.raises(ConnectionLost, match="before its reply was complete"):
        client.invoke("zato.ping")


def test_tls_to_a_plain_server(server: ScriptedServer) -> None:
    """The message tells of the two usual mistakes."""
    address = server.address.replace("http:", "https:")
    with AnyServiceInvoker(address, PATH, AUTH) as client, pytest.raises(TLSFailed, match=r"use http://.*tls_verify="):
        client.invoke("zato.ping")


def test_untrusted_certificate(certificate: Path) -> None:
    """A certificate that nothing vouches for is refused, and nothing is sent."""
    with (
        ScriptedServer(certificate) as server,
        AnyServiceInvoker(server.address, PATH, AUTH) as client,
        pytest.raises(TLSFailed, match="certificate verify failed"),
    ):
        client.invoke("zato.ping")

    assert server.requests == []


def test_trusted_certificate(certificate: Path) -> None:
    """tls_verify may be a file with the authorities to trust."""
    with (
        ScriptedServer(certificate) as server,
        AnyServiceInvoker(server.address, PATH, AUTH, tls_verify=str(certificate)) as client,
    ):
        server.script(Reply.flat("done"))

        assert client.invoke("zato.ping").data == "done"


def test_any_certificate(certificate: Path) -> None:
    """With tls_verify=False every certificate is accepted; urllib3 warns of it."""
    with ScriptedServer(certificate) as server, APIClient(server.address, *AUTH, tls_verify=False) as client:
        server.script(Reply.of("done"))

        with pytest.warns(InsecureRequestWarning):
            assert client.get("zato.ping").data == "done"


@pytest.mark.parametrize(
    "address",
    ["localhost:11223", "//localhost", "ftp://localhost", "http://", "http://[::1", f"http://{'a' * 64}.example"],
    ids=["no-scheme", "half-a-scheme", "another-scheme", "no-host", "broken-ipv6", "long-label"],
)
def test_no_address(address: str) -> None:
    """What is no address is quoted, with the form of one that is."""
    with (
        requests.Session() as session,
        AnyServiceInvoker(address, PATH, AUTH, session) as client,
        pytest.raises(InvalidAddress, match=r"is not a usable address\. Write it as 'http://host:port'\.") as caught,
    ):
        client.invoke("zato.ping")

    assert repr(address + PATH) in str(caught.value)


def test_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment is used, and named as a suspect when it does not answer."""
    with Refuser() as address, requests.Session() as session:
        monkeypatch.setenv("http_proxy", address)
        with (
            AnyServiceInvoker("http://server.invalid", PATH, AUTH, session) as client,
            pytest.raises(ProxyFailed, match=r"to http://server\.invalid.*Connection refused.*NO_PROXY"),
        ):
            client.invoke("zato.ping")


def test_proxy_without_a_host(client: AnyServiceInvoker, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the proxy's address that is wrong then, not the server's."""
    monkeypatch.setenv("http_proxy", "http:///")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    with pytest.raises(ProxyFailed, match=r"proxy on the way to .* failed: .*[Mm]alformed"):
        client.invoke("zato.ping")


def test_header_that_cannot_be_sent(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """What has no class of its own is a NetworkError; a header is not quoted, because it may hold a secret."""
    with pytest.raises(NetworkError, match=r"failed: a header holds a line break") as caught:
        client.invoke("zato.ping", headers={"Authorization": "s3cret\n"})

    assert type(caught.value) is NetworkError
    assert "s3cret" not in "".join(traceback.format_exception(caught.value, chain=True, limit=0))
    assert server.requests == []


@pytest.mark.parametrize("argument", ["tls_cert", "tls_verify"])
def test_missing_certificate_file(server: ScriptedServer, argument: str) -> None:
    """A path that leads nowhere is reported, by its name."""
    address = server.address.replace("http:", "https:")
    with (
        APIClient(address, *AUTH, **{argument: "/no/such.pem"}) as client,  # type: ignore[arg-type]
        pytest.raises(NetworkError, match=r"failed: .*/no/such\.pem"),
    ):
        client.get("crm.find")


@pytest.mark.parametrize("form", ["http://admin.invoke:s3cret@{}", "http://admin.invoke:s3cret@{}:port"])
def test_password_in_the_address_is_not_shown(form: str) -> None:
    """Neither the message nor what it is chained to holds the password, if it came with the address."""
    with (
        requests.Session() as session,
        AnyServiceInvoker(form.format("server.invalid"), PATH, None, session) as client,
        pytest.raises(NetworkError, match=r"http://server\.invalid") as caught,
    ):
        client.invoke("zato.ping")

    assert "s3cret" not in "".join(traceback.format_exception(caught.value, limit=0))


@pytest.mark.parametrize("error", [requests.RequestException(), urllib3.exceptions.HTTPError()])
def test_error_without_words(error: Exception) -> None:
    """An error that says nothing is shown by its type."""
    translated = translate(error, "http://a.example", (1, 2))

    assert str(translated) == f"The request to http://a.example failed: {type(error).__name__}."
