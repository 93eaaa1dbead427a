"""The certificate and key that HTTPS is served with: whether they can be used, and how they are known again."""

import base64
import hashlib
import re
import ssl
from dataclasses import dataclass, replace
from pathlib import Path

from zato.core.errors import EnvironmentFault
from zato.core.settings import Settings
from zato.environment import Environment

__all__ = ["TLSFiles", "private_copy", "tls_files"]

PEM = re.compile(r"-----BEGIN (?P<what>[A-Z0-9 ]+)-----.*?-----END (?P=what)-----", re.DOTALL)

KEY = "PRIVATE KEY"
# What granian's TLS library can sign with, by what the key holds: rsaEncryption (RFC 8017, A.1), the curves
# P-256 and P-384 (RFC 5480, 2.1.1.1), Ed25519 (RFC 8410, 3). It panics on any other key.
ALGORITHMS = tuple(
    bytes.fromhex(identifier)
    for identifier in ("06092a864886f70d010101", "06082a8648ce3d030107", "06052b81040022", "06032b6570")
)


@dataclass(frozen=True, slots=True)
class TLSFiles:
    """A certificate chain and its private key, both PEM.

    Attributes:
        fingerprint: SHA-256 of the server's own certificate, in hex.
    """

    certificate: Path
    key: Path
    fingerprint: str


def tls_files(settings: Settings, folder: Path) -> TLSFiles | None:
    """Return the files that `tls_cert` and `tls_key` name, once it is sure that they can be used; None for plain HTTP.

    Args:
        settings: those in force.
        folder: the environment's, which relative paths begin at.

    Raises:
        EnvironmentFault: one of them is missing, cannot be read, or does not fit the other.
    """
    if not (settings.tls_cert or settings.tls_key):
        return None
    for name, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if not getattr(settings, name):
            raise EnvironmentFault(f"{other} is set and {name} is not. HTTPS needs both; plain HTTP neither.")
    certificate, key = folder / settings.tls_cert, folder / settings.tls_key
    _check_key(key)
    fingerprint = hashlib.sha256(_first_certificate(certificate)).hexdigest()
    _check_pair(certificate, key)
    return TLSFiles(certificate, key, fingerprint)


def private_copy(settings: Settings, environment: Environment) -> Settings:
    """Return settings that name a copy of certificate and key, which is kept for as long as the server runs.

    Otherwise a process that replaces another would have what the files hold by then, and clients that know
    the server by its certificate would not know it any more.

    Raises:
        EnvironmentFault: the copy cannot be made. Whether it can be used is for `tls_files` to say.
    """
    if not settings.tls_cert:
        return settings
    keys = [block for what, block in _blocks(environment.path / settings.tls_key, "tls_key") if what.endswith(KEY)]
    chain = [
        block for what, block in _blocks(environment.path / settings.tls_cert, "tls_cert") if what == "CERTIFICATE"
    ]
    copy = str(environment.keep_tls("\n".join([*keys[:1], *chain, ""])))
    return replace(settings, tls_cert=copy, tls_key=copy)


def _first_certificate(path: Path) -> bytes:
    """Return the certificate that a chain begins with, which is the server's own."""
    for what, block in _blocks(path, "tls_cert"):
        if what == "CERTIFICATE":
            try:
                return ssl.PEM_cert_to_DER_cert(block)
            except ValueError:
                break
    raise EnvironmentFault(f"tls_cert: {path} holds no certificate in PEM.")


def _check_key(path: Path) -> None:
    what, block = next(((w, b) for w, b in _blocks(path, "tls_key") if w.endswith(KEY)), ("", ""))
    if not block:
        raise EnvironmentFault(f"tls_key: {path} holds no private key in PEM.")
    if "ENCRYPTED" in what or "Proc-Type: 4,ENCRYPTED" in block:
        raise EnvironmentFault(
            f"tls_key: {path} is encrypted, and the server has nobody to ask for the passphrase. "
            f"Decrypt it with 'openssl pkey -in {path} -out FILE', and keep that file readable by its owner only."
        )
    if what != "RSA PRIVATE KEY" and not any(algorithm in _content(block) for algorithm in ALGORITHMS):
        raise EnvironmentFault(f"tls_key: {path} is no key of a usable kind: RSA, ECDSA P-256 or P-384, or Ed25519.")


def _content(block: str) -> bytes:
    """Return what a block of PEM holds, or nothing if it is damaged."""
    body = "".join(block.splitlines()[1:-1])
    try:
        return base64.b64decode(body)
    except ValueError:
        return b""


def _check_pair(certificate: Path, key: Path) -> None:
    """Load both as a server does."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        reason = (error.reason or str(error)).replace("_", " ").lower()
        raise EnvironmentFault(
            f"tls_cert {certificate} and tls_key {key} cannot be used together: {reason}. "
            "The key is the one that the first certificate of the chain was made for."
        ) from error


def _blocks(path: Path, setting: str) -> list[tuple[str, str]]:
    """Return the blocks of a PEM file, each with what it says it is."""
    try:
        text = path.read_text("latin-1")
    except OSError as error:
        raise EnvironmentFault(f"{setting}: {path} cannot be read: {error.strerror}.") from error
    return [(found["what"], found[0]) for found in PEM.finditer(text)]
