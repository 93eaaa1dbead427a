"""HTTPS: a server with a certificate, clients that check it, and a command line that knows it by heart."""

import os
import signal
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from urllib3.exceptions import InsecureRequestWarning

from tests.support.certificates import Certificates, make_certificates
from tests.support.doors import ADMIN, ADMIN_INVOKE, head, read_answer, services
from tests.support.environments import ServerProcess, make_environment, run_zato
from tests.support.waiting import wait_until
from zato.client import AnyServiceInvoker, APIClient
from zato.client.errors import ConnectionLost, TLSFailed
from zato.environment import Environment

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

PING = b'{"name": "zato.ping"}'
HALF_A_HELLO = b"\x16\x03\x01\x02\x00\x01\x00"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A certificate for this machine's own address."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(made: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests that leave it as they found it."""
    folder = tmp_path_factory.mktemp("tls")
    with ServerProcess(make_environment(folder / "env", services("gates_api"), **made.settings)) as running:
        yield running


def port_of(environment: Environment) -> tuple[str, int]:
    """Return where an environment's server listens."""
    running = environment.running()
    return running.host, running.port


def unchecked(version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return what connects with one version of TLS and takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def test_client_that_trusts_the_authority(server: ServerProcess, made: Certificates) -> None:
    """With the authority's file both clients reach both doors, and the address says `https`."""
    assert server.address.startswith("https://127.0.0.1:")
    with server.client(tls_verify=str(made.authority)) as client:
        assert client.invoke("zato.ping").data == {"pong": "zato"}
    with APIClient(server.address, "pubapi", ADMIN[1], tls_verify=str(made.authority)) as api:
        assert api.get("zato.ping").ok


def test_client_that_trusts_nobody(server: ServerProcess) -> None:
    """Without the authority's file nothing is sent, and the error says which argument helps."""
    with server.client() as client, pytest.raises(TLSFailed, match=r"tls_verify='/path/to/ca\.pem'") as caught:
        client.invoke("zato.ping")

    assert isinstance(caught.value, requests.exceptions.SSLError)


def test_client_that_trusts_another_authority(server: ServerProcess, tmp_path: Path) -> None:
    """A certificate of an authority that was not named is refused."""
    other = make_certificates(tmp_path)
    with server.client(tls_verify=str(other.authority)) as client, pytest.raises(TLSFailed, match="certificate"):
        client.invoke("zato.ping")


def test_client_that_checks_nothing(server: ServerProcess) -> None:
    """`tls_verify=False` takes any certificate, with the warning that belongs to it."""
    with server.client(tls_verify=False) as client, pytest.warns(InsecureRequestWarning):
        assert client.invoke("zato.ping").ok


def test_plain_http_to_a_port_of_https(server: ServerProcess) -> None:
    """A client that forgot the `s` gets an error at once and does not hang."""
    address = server.address.replace("https://", "http://")
    with AnyServiceInvoker(address, ADMIN_INVOKE, ADMIN, read_timeout=20) as client, pytest.raises(ConnectionLost):
        client.invoke("zato.ping")


@pytest.mark.parametrize(
    ("version", "spoken"),
    [
        pytest.param(ssl.TLSVersion.TLSv1_1, None, id="1.1"),
        pytest.param(ssl.TLSVersion.TLSv1_2, "TLSv1.2", id="1.2"),
        pytest.param(ssl.TLSVersion.TLSv1_3, "TLSv1.3", id="1.3"),
    ],
)
def test_versions(server: ServerProcess, version: ssl.TLSVersion, spoken: str | None) -> None:
    """TLS 1.2 and 1.3 are spoken, and nothing older."""
    with socket.create_connection(port_of(server.environment), 20) as raw:
        try:
            with unchecked(version).wrap_socket(raw) as secure:
                found = secure.version()
        except ssl.SSLError:
            found = None

    assert found == spoken


def test_handshakes_that_do_not_end(server: ServerProcess, made: Certificates) -> None:
    """Connections that say nothing, or half of a greeting, keep nobody out."""
    with ExitStack() as opened:
        for number in range(60):
            connection = opened.enter_context(socket.create_connection(port_of(server.environment)))
            connection.sendall(HALF_A_HELLO if number % 2 else b"")
        with server.client(tls_verify=str(made.authority), read_timeout=20) as client:
            assert client.invoke("zato.ping").ok


def test_command_line_with_a_certificate_for_another_name(tmp_path: Path) -> None:
    """Start, wait, invoke and stop work whoever signed the certificate and whatever name is in it."""
    made = make_certificates(tmp_path, "elsewhere.example")
    environment = make_environment(tmp_path / "env")
    given = ["--tls-cert", str(made.chain), "--tls-key", str(made.key)]
    path = str(environment.path)
    proxy = {"HTTPS_PROXY": "http://127.0.0.1:9", "REQUESTS_CA_BUNDLE": str(made.authority)}
    with ServerProcess(environment, *given) as server:
        answer = run_zato("service", "invoke", path, "zato.ping", env={**os.environ, **proxy})
        waited = run_zato("wait", path)
        stopped = run_zato("stop", path)
        server.process.wait(30)

    assert (answer.stdout, answer.stderr, answer.returncode) == ('{"pong": "zato"}\n', "", 0)
    assert (waited.returncode, stopped.returncode) == (0, 0)


def test_command_line_and_another_certificate(server: ServerProcess, tmp_path: Path) -> None:
    """A password is not sent to whoever answers in the server's place with a certificate of his own."""
    path = server.environment.path
    said = path / "run" / "server.json"
    before = said.read_text()
    said.write_text(before.replace(server.environment.running().tls_fingerprint or "", "00" * 32))
    try:
        answer = run_zato("service", "invoke", str(path), "zato.ping")
        waited = run_zato("wait", str(path), "--timeout", "0.1")
    finally:
        said.write_text(before)

    assert (answer.returncode, answer.stdout) == (3, "")
    assert "Fingerprints did not match" in answer.stderr
    assert waited.returncode == 3


def test_files_that_cannot_be_used(made: Certificates, tmp_path: Path) -> None:
    """`zato start` says in one line what is wrong, before it looks at anything else."""
    environment = make_environment(tmp_path / "env")
    other = make_certificates(tmp_path / "other")
    (environment.path / "secrets.toml").unlink()
    ended = run_zato("start", str(environment.path), "--tls-cert", str(made.chain), "--tls-key", str(other.key))

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        f"Error: tls_cert {made.chain} and tls_key {other.key} cannot be used together: key values mismatch. "
        "The key is the one that the first certificate of the chain was made for.\n"
    )


def test_relative_paths_begin_at_the_environment(tmp_path: Path) -> None:
    """A folder that holds its own certificate can be moved as a whole."""
    environment = make_environment(tmp_path / "env", tls_cert="tls/chain.pem", tls_key="tls/key.pem")
    made = make_certificates(environment.path / "tls")
    with ServerProcess(environment) as server, server.client(tls_verify=str(made.authority)) as client:
        assert client.invoke("zato.ping").ok


def test_certificate_that_is_renewed_while_the_server_runs(tmp_path: Path) -> None:
    """A process that replaces another has the certificate of the start, by which the command line knows the server."""
    environment = make_environment(tmp_path / "env", tls_cert="tls/chain.pem", tls_key="tls/key.pem")
    made = make_certificates(environment.path / "tls")
    with ServerProcess(environment) as server:
        trusted = made.authority.rename(tmp_path / "ca.pem")
        make_certificates(environment.path / "tls")
        worker = environment.running().workers[0]
        os.kill(worker.pid or 0, signal.SIGKILL)
        wait_until(lambda: environment.running().workers[0].pid not in (None, worker.pid), 10)
        server.wait_ready()
        with server.client(tls_verify=str(trusted)) as client:
            assert client.invoke("zato.ping").ok
    assert not [file for file in environment.run.iterdir() if file.suffix == ".pem"]


def test_bodies_and_stops_are_as_without_tls(tmp_path: Path) -> None:
    """A half-sent body gets its 408, and neither it nor an open handshake holds up a stop."""
    made = make_certificates(tmp_path)
    with ServerProcess(make_environment(tmp_path / "env", None, body_timeout=0.5, **made.settings)) as server:
        context = ssl.create_default_context(cafile=made.authority)
        where = port_of(server.environment)
        with (
            socket.create_connection(where) as silent,
            socket.create_connection(where) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as half,
        ):
            silent.sendall(HALF_A_HELLO)
            half.sendall(head(Content_Length=len(PING)) + PING[:-1])
            answer = read_answer(half)
            status = server.stop()

    assert (answer.status_code, status) == (408, 0)
