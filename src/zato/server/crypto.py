"""`self.crypto`: passwords, hashes and encryption, on the libraries cryptography and argon2-cffi.

They are loaded by the first service that needs them. No message shows a secret, a key or a token.
"""

import os
import secrets
import threading
from typing import Any

from zato.core.errors import DecryptionFailed, EnvironmentFault
from zato.hashing import hash_of, matches

__all__ = ["ServerCrypto"]

LEAST_BITS = 64
MOST_BITS = 8192
# Hashes that are made at once: more would take as long, and the memory of each.
AT_ONCE = os.cpu_count() or 1
MAKE_KEY = 'python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'


class ServerCrypto:
    """What services do with secrets. See `zato.core.facilities.Crypto`. From any thread."""

    def __init__(self, key: str) -> None:
        """Take the keys of `secrets.toml`, separated by spaces: the first encrypts, all decrypt. None is no key."""
        self._keys = key.split()
        self._fernet: Any = None
        self._hashing = threading.Semaphore(AT_ONCE)

    def generate_password(self, bits: int = 192) -> str:
        """Return a new random password, with so many random bits in it.

        Raises:
            ValueError: there are to be fewer than 64, or more than 8,192.
        """
        given: object = bits
        if isinstance(given, bool) or not isinstance(given, int) or not LEAST_BITS <= given <= MOST_BITS:
            raise ValueError(
                f"bits={given!r:.40} is not possible: give a whole number from {LEAST_BITS} to {MOST_BITS}."
            )
        return secrets.token_urlsafe((bits + 7) // 8)

    def generate_secret(self, bits: int = 256) -> str:
        """Return a new random secret, as `generate_password` does."""
        return self.generate_password(bits)

    def hash_secret(self, text: str) -> str:
        """Return a hash to be stored in a password's place."""
        given = _bytes(text, "hash_secret")
        with self._hashing:
            return hash_of(given)

    def verify_hash(self, text: str, hash: str) -> bool:
        """Tell whether a password is the one that a hash was made of.

        Raises:
            ValueError: the hash is none that `hash_secret` made.
        """
        given, hashed = _bytes(text, "verify_hash"), _bytes(hash, "verify_hash")
        try:
            with self._hashing:
                return matches(given, hashed)
        except ValueError:
            raise ValueError(
                "verify_hash takes a text, then a hash that hash_secret made; this is no such one."
            ) from None

    def encrypt(self, text: str) -> str:
        """Return a text encrypted with the cluster's key.

        Raises:
            EnvironmentFault: there is no key.
        """
        token: bytes = self._cipher().encrypt(_bytes(text, "encrypt"))
        return token.decode("ascii")

    def decrypt(self, token: str) -> str:
        """Return the text that a token of `encrypt` is of.

        Raises:
            DecryptionFailed: it was changed, or another key encrypted it.
            EnvironmentFault: there is no key.
        """
        cipher = self._cipher()
        from cryptography.fernet import InvalidToken

        try:
            text: bytes = cipher.decrypt(_bytes(token, "decrypt"))
        except InvalidToken:
            raise DecryptionFailed(
                "The text cannot be decrypted: it is not what self.crypto.encrypt returned, or another key than "
                "encryption_key in this server's secrets.toml encrypted it."
            ) from None
        return text.decode("utf-8", "surrogatepass")

    def _cipher(self) -> Any:
        if self._fernet is None:
            if not self._keys:
                raise EnvironmentFault(
                    "There is no encryption_key in secrets.toml, with which self.crypto encrypts. Copy the line from "
                    f'another server of the cluster; if none has it, add encryption_key = "…" with what this prints: '
                    f"{MAKE_KEY}; then restart the server."
                )
            from cryptography.fernet import Fernet, MultiFernet

            self._fernet = MultiFernet([Fernet(key) for key in self._keys])
        return self._fernet


def _bytes(given: object, method: str) -> bytes:
    # Half of a character, which JSON may have, is written as it is: an error of encoding would have the text in it.
    if isinstance(given, str):
        return given.encode("utf-8", "surrogatepass")
    raise TypeError(
        f"{method} takes text, not {type(given).__name__}; write bytes as text first, in base64 for instance."
    )
