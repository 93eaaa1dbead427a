"""Whether a running server is ready, and if not, why: asked at its own door."""

import contextlib
import hashlib
import http.client
import json
import ssl
from dataclasses import dataclass

from zato.running import RunningServer

__all__ = ["Readiness", "probe"]

READY = "/zato/ready"
TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a server says of itself.

    Attributes:
        reason: why it is not ready, or an empty text.
    """

    ready: bool
    reason: str = ""


def probe(server: RunningServer) -> Readiness:
    """Ask a server whether it is ready. One that does not answer is not."""
    with contextlib.closing(_connection_to(server)) as connection:
        try:
            connection.connect()
            if server.tls_fingerprint not in (None, _fingerprint_of(connection.sock)):
                return Readiness(False, "another certificate than the server's is shown at its address")
            connection.request("GET", READY)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return Readiness(False, f"it does not answer: {error}")
    return Readiness(True) if answer.status == http.HTTPStatus.OK else Readiness(False, _details(body))


def _connection_to(server: RunningServer) -> http.client.HTTPConnection:
    if server.tls_fingerprint is None:
        return http.client.HTTPConnection(server.reachable_host, server.port, timeout=TIMEOUT)
    # Not the authority but the fingerprint says whose certificate it is.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(server.reachable_host, server.port, timeout=TIMEOUT, context=context)


def _fingerprint_of(connection: object) -> str | None:
    """Return the SHA-256 of the certificate that the other side has shown, if it has shown one."""
    certificate = connection.getpeercert(binary_form=True) if isinstance(connection, ssl.SSLSocket) else None
    return hashlib.sha256(certificate).hexdigest() if certificate else None


def _details(body: bytes) -> str:
    try:
        return str(json.loads(body)["zato_env"]["details"])
    except (ValueError, KeyError, TypeError):
        return "it did not say why"
