"""Certificates and keys that can be served with, and those that are refused at the start, in words."""

import hashlib
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from tests.support.certificates import Certificates, make_certificates
from tests.support.environments import make_environment
from zato.core.errors import EnvironmentFault
from zato.core.settings import Settings
from zato.tls import private_copy, tls_files

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

REFUSED = [
    pytest.param("chain.pem", "", "tls_cert is set and tls_key is not. HTTPS needs both", id="no-key"),
    pytest.param("", "key.pem", "tls_key is set and tls_cert is not. HTTPS needs both", id="no-certificate"),
    pytest.param("no.pem", "key.pem", "tls_cert: {}/no.pem cannot be read: No such file", id="missing-certificate"),
    pytest.param("chain.pem", "no.pem", "tls_key: {}/no.pem cannot be read: No such file", id="missing-key"),
    pytest.param("chain.pem", ".", "tls_key: {} cannot be read: Is a directory", id="a-folder"),
    pytest.param("key.pem", "key.pem", "tls_cert: {}/key.pem holds no certificate in PEM", id="a-key-twice"),
    pytest.param("chain.pem", "chain.pem", "tls_key: {}/chain.pem holds no private key", id="a-certificate-twice"),
    pytest.param("torn.pem", "key.pem", "{}/torn.pem holds no certificate in PEM", id="torn-certificate"),
    pytest.param("hollow.pem", "key.pem", "cannot be used together", id="hollow-certificate"),
    pytest.param("chain.pem", "other/key.pem", "cannot be used together: key values mismatch", id="not-a-pair"),
    pytest.param("chain.pem", "locked.pem", "is encrypted, and the server has nobody to ask", id="encrypted"),
    pytest.param("chain.pem", "old-locked.pem", "'openssl pkey -in {}/old-locked.pem -out", id="encrypted-of-old"),
    pytest.param("chain.pem", "odd.pem", "of a usable kind: RSA, ECDSA P-256 or P-384, or Ed25519", id="odd-curve"),
    pytest.param("chain.pem", "ed448.pem", "is no key of a usable kind", id="odd-algorithm"),
    pytest.param("chain.pem", "empty.pem", "holds no private key in PEM", id="empty"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A folder with a pair that fits, and with much that does not."""
    folder = tmp_path_factory.mktemp("made")
    made = make_certificates(folder)
    make_certificates(folder / "other")
    (folder / "torn.pem").write_bytes(made.chain.read_bytes().replace(b"MII", b"!", 1)[:-60])
    (folder / "hollow.pem").write_text(ssl.DER_cert_to_PEM_cert(b"nothing that anybody signed"))
    (folder / "empty.pem").touch()
    new, old, plain = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "locked.pem").write_bytes(key.private_bytes(Encoding.PEM, new, BestAvailableEncryption(b"secret")))
    (folder / "old-locked.pem").write_bytes(key.private_bytes(Encoding.PEM, old, BestAvailableEncryption(b"secret")))
    odd = ec.generate_private_key(ec.SECP256K1())
    (folder / "odd.pem").write_bytes(odd.private_bytes(Encoding.PEM, old, plain))
    (folder / "ed448.pem").write_bytes(ed448.Ed448PrivateKey.generate().private_bytes(Encoding.PEM, new, plain))
    return made


def settings(certificate: object = "", key: object = "") -> Settings:
    """Return settings that name these files."""
    return Settings(tls_cert=str(certificate), tls_key=str(key))


def test_plain_http() -> None:
    """Without settings there is no certificate."""
    assert tls_files(settings(), Path()) is None


def test_files_that_fit(made: Certificates, tmp_path: Path) -> None:
    """Absolute paths are taken as they are, relative ones from the folder; the fingerprint is that of the first."""
    absolute = tls_files(settings(made.chain, made.key), tmp_path)
    relative = tls_files(settings("chain.pem", "key.pem"), made.chain.parent)

    first = made.chain.read_text().partition("-----END CERTIFICATE-----")
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first[0] + first[1])).hexdigest()
    assert absolute == relative
    assert absolute is not None
    assert (absolute.certificate, absolute.key, absolute.fingerprint) == (made.chain, made.key, fingerprint)


def test_both_in_one_file(made: Certificates, tmp_path: Path) -> None:
    """Key and chain may stand in one file, in any order."""
    both = tmp_path / "both.pem"
    both.write_bytes(made.key.read_bytes() + made.chain.read_bytes())

    found, apart = (tls_files(settings(*files), Path()) for files in ((both, both), (made.chain, made.key)))
    assert found is not None
    assert apart is not None
    assert found.fingerprint == apart.fingerprint


@pytest.mark.parametrize(
    ("make", "style"),
    [
        pytest.param(lambda: rsa.generate_private_key(65537, 2048), PrivateFormat.PKCS8, id="rsa"),
        pytest.param(lambda: rsa.generate_private_key(65537, 2048), PrivateFormat.TraditionalOpenSSL, id="rsa-of-old"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP256R1()), PrivateFormat.PKCS8, id="p-256"),
        pytest.param(lambda: ec.generate_private_key(ec.SECP384R1()), PrivateFormat.TraditionalOpenSSL, id="p-384"),
        pytest.param(ed25519.Ed25519PrivateKey.generate, PrivateFormat.PKCS8, id="ed25519"),
    ],
)
def test_usable_kinds_of_keys(
    made: Certificates, tmp_path: Path, make: Callable[[], Key], style: PrivateFormat
) -> None:
    """No kind that can be served with is taken for one that cannot: all that is missing is its certificate."""
    (tmp_path / "key.pem").write_bytes(make().private_bytes(Encoding.PEM, style, NoEncryption()))

    with pytest.raises(EnvironmentFault, match="cannot be used together"):
        tls_files(settings(made.chain, "key.pem"), tmp_path)


@pytest.mark.parametrize(("certificate", "key", "words"), REFUSED)
def test_files_that_are_refused(made: Certificates, certificate: str, key: str, words: str) -> None:
    """The message is one line that names the setting or the file, and says what is wrong with it."""
    folder = made.chain.parent
    with pytest.raises(EnvironmentFault) as caught:
        tls_files(settings(certificate, key), folder)

    assert words.format(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_private_copy(made: Certificates, tmp_path: Path) -> None:
    """It is the same pair, for the owner's eyes only, and goes with the server."""
    environment = make_environment(tmp_path / "env")
    both = tmp_path / "both.pem"
    both.write_bytes(b"comment\n" + made.key.read_bytes() + made.chain.read_bytes())
    original = tls_files(settings(made.chain, made.key), environment.path)
    assert original is not None
    for given in (settings(made.chain, made.key), settings(both, both)):
        copy = tls_files(private_copy(given, environment), environment.path)
        assert copy is not None
        assert (copy.certificate, copy.fingerprint) == (copy.key, original.fingerprint)
        assert copy.key.read_text().count("BEGIN") == made.chain.read_text().count("BEGIN") + 1
        assert copy.key.stat().st_mode & 0o777 == 0o600
        environment.retract()
        assert not copy.key.exists()
