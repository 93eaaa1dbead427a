"""Sessions, credentials, timeouts, closing, logging."""

import hashlib
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.auth import HTTPBasicAuth

from tests.support.httpd import Reply, ScriptedServer
from zato.client import AnyServiceInvoker
from zato.client.errors import InvalidAddress, TLSFailed
from zato.client.transport import Transport, pinned_session

PATH = "/zato/admin/invoke"
AUTH = ("admin.invoke", "s3cret")
BASIC = "Basic YWRtaW4uaW52b2tlOnMzY3JldA=="


class RecordingSession(requests.Session):
    """A caller's session that remembers what it was asked for."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request."""
        self.seen = kwargs
        return super().request(*args, **kwargs)


def test_callers_session_is_not_changed(server: ScriptedServer) -> None:
    """Adapters, credentials, headers, certificates: all stay as the caller set them, and it stays open."""
    with requests.Session() as session:
        session.headers["X-Mine"] = "1"
        before = {name: getattr(session, name) for name in session.__attrs__} | {"adapters": dict(session.adapters)}
        with AnyServiceInvoker(server.address, PATH, AUTH, session) as client:
            client.invoke("zato.ping")
        after = {name: getattr(session, name) for name in session.__attrs__} | {"adapters": dict(session.adapters)}

        assert after == before
        assert client.session is session
        session.get(server.address)

    assert server.requests[0].connection == server.requests[1].connection
    assert (server.requests[0].headers["X-Mine"], server.requests[0].headers["Authorization"]) == ("1", BASIC)


def test_callers_session_keeps_its_credentials(server: ScriptedServer) -> None:
    """A session that has credentials of its own sends those."""
    with requests.Session() as session:
        session.auth = ("me", "mine")
        AnyServiceInvoker(server.address, PATH, AUTH, session).invoke("zato.ping")

        assert session.auth == ("me", "mine")
    assert server.requests[0].headers["Authorization"] == "Basic bWU6bWluZQ=="


@pytest.mark.parametrize(("tls_verify", "passed"), [(True, None), (False, False), ("ca.pem", "ca.pem")])
def test_callers_session_decides_on_certificates(server: ScriptedServer, tls_verify: Any, passed: Any) -> None:
    """Only a tls_verify that differs from the default overrides the session."""
    with RecordingSession() as session:
        AnyServiceInvoker(server.address, PATH, AUTH, session, tls_verify=tls_verify).invoke("zato.ping")

    assert session.seen["verify"] == passed


@pytest.mark.parametrize(
    ("arguments", "call", "expected"),
    [
        pytest.param({}, {}, (5.0, 600.0), id="defaults"),
        pytest.param({"connect_timeout": 1, "read_timeout": 2}, {}, (1, 2), id="given"),
        pytest.param({"connect_timeout": None, "read_timeout": None}, {"timeout": 9}, (None, None), id="for-ever"),
        pytest.param({"read_timeout": 2}, {"timeout": 9}, (5.0, 24.0), id="longer-than-the-call"),
        pytest.param({"read_timeout": 50}, {"timeout": 9}, (5.0, 50), id="long-enough"),
    ],
)
def test_timeouts(server: ScriptedServer, arguments: Any, call: Any, expected: tuple[float, float]) -> None:
    """A call that may take long is listened to for longer than that."""
    with RecordingSession() as session:
        AnyServiceInvoker(server.address, PATH, AUTH, session, **arguments).invoke("crm.sync", **call)

    assert session.seen["timeout"] == expected


def test_read_timeout_exceeds_the_wait(server: ScriptedServer) -> None:
    """Waiting for an outcome does not end in a timeout of the client's own making."""
    server.script(Reply.flat('{"status":"running"}'))
    with RecordingSession() as session:
        AnyServiceInvoker(server.address, PATH, AUTH, session, read_timeout=1).result("c1", wait=60)

    assert session.seen["timeout"] == (5.0, 75.0)


@pytest.mark.parametrize("auth", [AUTH, HTTPBasicAuth(*AUTH)], ids=["tuple", "object"])
@pytest.mark.parametrize("path", [PATH, "/moved"])
def test_netrc_does_not_replace_credentials(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth: Any, path: str
) -> None:
    """What the caller gave is sent, also after a redirect, whatever a netrc file says of the host."""
    _netrc(tmp_path, monkeypatch)
    if path == "/moved":
        server.script(Reply(status=307, headers={"Location": PATH}), Reply.flat("done"))
    with AnyServiceInvoker(server.address, path, auth) as client:
        assert client.invoke("zato.ping").data == "done"

    assert {request.headers["Authorization"] for request in server.requests} == {BASIC}


def test_netrc_without_credentials(server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client without credentials does what requests does: it looks into the netrc file."""
    _netrc(tmp_path, monkeypatch)
    with AnyServiceInvoker(server.address, PATH) as client:
        client.invoke("zato.ping")

    assert server.requests[0].headers["Authorization"] == "Basic bmV0OnJj"


def test_redirect_to_another_host_takes_no_credentials(server: ScriptedServer) -> None:
    """A password goes to the server it is for, and to no other."""
    with ScriptedServer() as other, AnyServiceInvoker(server.address, PATH, AUTH) as client:
        other.script(Reply.flat("elsewhere"))
        server.script(Reply(status=307, headers={"Location": other.address.replace("127.0.0.1", "localhost")}))

        assert client.invoke("zato.ping").data == "elsewhere"
        assert "Authorization" not in other.requests[0].headers


def test_connection_is_kept(client: AnyServiceInvoker, server: ScriptedServer) -> None:
    """One client makes one connection, however many calls it makes one after the other."""
    for _ in range(3):
        client.invoke("zato.ping")

    assert len({request.connection for request in server.requests}) == 1


def test_usable_after_close(server: ScriptedServer) -> None:
    """Closing frees connections; a later call makes a new one."""
    client = AnyServiceInvoker(server.address, PATH, AUTH)
    client.invoke("zato.ping")
    client.close()

    assert client.invoke("zato.ping").ok
    client.close()


@pytest.mark.parametrize("own_logger", [True, False])
def test_debug_lines(server: ScriptedServer, caplog: pytest.LogCaptureFixture, own_logger: bool) -> None:
    """Lines say what was asked and how it was answered, without credentials and payload."""
    logger = logging.getLogger("mine") if own_logger else None
    address = server.address.replace("//", "//user:s3cret@")
    with caplog.at_level(logging.DEBUG), AnyServiceInvoker(address, PATH, AUTH, logger=logger) as client:
        client.invoke("crm.sync", "the payload")

    name = "mine" if own_logger else "zato.client.transport"
    lines = [record.getMessage() for record in caplog.records if record.name == name]
    assert lines[0].startswith(f"POST {server.address}{PATH}, ")
    assert lines[1].startswith(f"POST {server.address}{PATH} -> HTTP 200, ")
    assert "s3cret" not in "".join(lines)


def test_client_certificate(server: ScriptedServer, certificate: Path) -> None:
    """tls_cert goes to requests as it is."""
    with RecordingSession() as session:
        Transport(session=session, tls_cert=str(certificate)).send("GET", server.address)

    assert session.seen["cert"] == str(certificate)


@pytest.mark.parametrize("spelling", [str.lower, str.upper], ids=["lower-case", "upper-case"])
def test_pinned_certificate(certificate: Path, monkeypatch: pytest.MonkeyPatch, spelling: Callable[[str], str]) -> None:
    """The one certificate is taken whoever signed it, without a warning, whatever the environment says."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    pin = spelling(_fingerprint(certificate))
    with ScriptedServer(certificate) as server, pinned_session(pin) as session:
        server.script(Reply.flat("done"))
        assert AnyServiceInvoker(server.address, PATH, AUTH, session).invoke("zato.ping").data == "done"


def test_another_certificate_than_the_pinned_one(certificate: Path) -> None:
    """Nothing is sent to a server with another certificate, were it signed by an authority of note."""
    with ScriptedServer(certificate) as server, pinned_session("00" * 32) as session:
        client = AnyServiceInvoker(server.address, PATH, AUTH, session, tls_verify=str(certificate))
        with pytest.raises(TLSFailed, match="Fingerprints did not match"):
            client.invoke("zato.ping")

    assert not server.requests


def test_pinned_session_without_tls(server: ScriptedServer) -> None:
    """Where there is no certificate there is nothing to compare, so nothing is sent."""
    with pinned_session("00" * 32) as session, pytest.raises(InvalidAddress):
        AnyServiceInvoker(server.address, PATH, AUTH, session).invoke("zato.ping")

    assert not server.requests


@pytest.mark.parametrize(
    ("auth", "sent"),
    [
        pytest.param(("jürgen", "pässwörd €"), "asO8cmdlbjpww6Rzc3fDtnJkIOKCrA==", id="text"),
        pytest.param((b"user", b"\xff"), "dXNlcjr/", id="bytes"),
    ],
)
def test_credentials_are_utf8(server: ScriptedServer, auth: Any, sent: str) -> None:
    """A password may hold any character (RFC 7617)."""
    with AnyServiceInvoker(server.address, PATH, auth) as client:
        client.invoke("zato.ping")

    assert server.requests[0].headers["Authorization"] == f"Basic {sent}"


def _fingerprint(certificate: Path) -> str:
    """Return the SHA-256 of the certificate in a file that holds its key too."""
    _, begin, rest = certificate.read_text("ascii").partition("-----BEGIN CERTIFICATE-----")
    body, end, _ = rest.partition("-----END CERTIFICATE-----")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(begin + body + end)).hexdigest()


def _netrc(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "netrc"
    file.write_text("machine 127.0.0.1 login net password rc\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
