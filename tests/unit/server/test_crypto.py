"""Passwords, hashes and encryption for services."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import argon2
import pytest

from tests.support.facilities import KEY
from tests.support.subprocesses import run_python
from zato.core.errors import DecryptionFailed, EnvironmentFault
from zato.server.crypto import AT_ONCE, ServerCrypto

OTHER = KEY[::-1].replace("=", "") + "="
SECRET = "hunter2 żółw \ud800"
CRYPTO = ServerCrypto(KEY)
LOADED = "import zato.server.wiring, sys; print(*{'arrow', 'argon2', 'cryptography'} & set(sys.modules))"


def test_passwords_are_random() -> None:
    """Of as many bits as are asked for, in characters that travel anywhere."""
    made = {CRYPTO.generate_password() for _ in range(50)} | {CRYPTO.generate_secret() for _ in range(50)}
    assert len(made) == 100
    lengths = [len(CRYPTO.generate_password()), len(CRYPTO.generate_secret()), len(CRYPTO.generate_password(65))]
    assert lengths == [32, 43, 12]


@pytest.mark.parametrize("bits", [63, 8193, "128", 128.0, True, None])
def test_bits_that_make_no_password(bits: Any) -> None:
    """Too few, too many, no number."""
    with pytest.raises(ValueError, match="give a whole number from 64 to 8192"):
        CRYPTO.generate_password(bits)


def test_hash_tells_the_password_from_others() -> None:
    """Two hashes of one password differ, and neither holds it."""
    one, two = CRYPTO.hash_secret("hunter2"), CRYPTO.hash_secret("hunter2")
    assert one != two
    assert one.startswith("$argon2id$v=19$m=7168,t=5,p=1$")
    assert (CRYPTO.verify_hash("hunter2", one), CRYPTO.verify_hash("hunter3", two)) == (True, False)


def test_password_that_is_no_whole_text() -> None:
    """JSON may have half of a character: it is a wrong password, and no error that has the password in it."""
    assert CRYPTO.verify_hash(SECRET, CRYPTO.hash_secret("hunter2")) is False
    assert CRYPTO.verify_hash(SECRET, CRYPTO.hash_secret(SECRET)) is True


def test_hashes_are_made_by_as_many_threads_as_there_are_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes memory, and a hundred at once are no sooner done."""
    running, most = [0], [0]
    hash_secret = argon2.PasswordHasher.hash

    def counted(self: argon2.PasswordHasher, password: bytes) -> str:
        running[0] += 1
        most[0] = max(most[0], running[0])
        try:
            return hash_secret(self, password)
        finally:
            running[0] -= 1

    monkeypatch.setattr(argon2.PasswordHasher, "hash", counted)
    with ThreadPoolExecutor(AT_ONCE + 2) as pool:
        assert len(set(pool.map(CRYPTO.hash_secret, "x" * (AT_ONCE + 2)))) == AT_ONCE + 2
    assert most[0] <= AT_ONCE


@pytest.mark.parametrize("hash", ["", "hunter2", "hunter2 żółw", "$argon2id$v=19$m=8,t=1,p=1$xx$yy"])
def test_hash_that_is_none(hash: str) -> None:
    """Who mixed up the arguments sees it, and the log does not see the password."""
    with pytest.raises(ValueError, match="takes a text, then a hash") as caught:
        CRYPTO.verify_hash("hunter2", hash)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("text", ["", SECRET, "x" * 100_000])
def test_what_is_encrypted_is_decrypted(text: str) -> None:
    """Whatever text it is; two tokens of one text differ."""
    token = CRYPTO.encrypt(text)
    assert token.isascii()
    assert CRYPTO.decrypt(token) == text
    assert CRYPTO.encrypt(text) != token


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(ServerCrypto(OTHER).encrypt(SECRET), id="another-key"),
        pytest.param(CRYPTO.encrypt(SECRET)[:-6] + "AAAAA=", id="changed"),
        pytest.param("hunter2", id="no-token"),
        pytest.param("ż\ud800", id="no-ascii"),
    ],
)
def test_what_cannot_be_decrypted(token: str) -> None:
    """The message says why that may be, and shows neither token nor text."""
    with pytest.raises(DecryptionFailed, match=r"another key than encryption_key") as caught:
        CRYPTO.decrypt(token)
    assert token not in str(caught.value)
    assert caught.value.code == "decryption_failed"


def test_older_key_still_decrypts() -> None:
    """The first of several encrypts."""
    both = ServerCrypto(f"{OTHER} {KEY}")
    assert both.decrypt(CRYPTO.encrypt(SECRET)) == SECRET
    assert ServerCrypto(OTHER).decrypt(both.encrypt(SECRET)) == SECRET


def test_older_environment_has_no_key() -> None:
    """The message says where to get one, and what else there is works."""
    older = ServerCrypto("")
    for use in (older.encrypt, older.decrypt):
        with pytest.raises(
            EnvironmentFault, match=r"no encryption_key in secrets\.toml.*another server of the cluster"
        ):
            use("x")
    assert older.generate_secret()


@pytest.mark.parametrize("method", ["encrypt", "decrypt", "hash_secret"])
def test_bytes_are_refused(method: str) -> None:
    """What comes back is text; nobody is to find bytes changed."""
    with pytest.raises(TypeError, match=f"{method} takes text, not bytes; write bytes as text first"):
        getattr(CRYPTO, method)(b"hunter2")


def test_libraries_are_loaded_when_they_are_needed() -> None:
    """A server whose services do not use them does not have them in memory."""
    assert run_python(LOADED).strip() == ""
