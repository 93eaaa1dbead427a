"""Hashes of passwords, by argon2-cffi, which is imported by the first that is made or checked.

No message shows a password or a hash.
"""

import secrets
from typing import Any

__all__ = ["hash_of", "is_hash", "matches", "random_password"]

# Argon2id: KiB, passes, lanes. Of the choices that OWASP holds to be equally strong it is the one with least memory,
# which each run takes and each thread keeps.
MEMORY, PASSES, LANES = 7_168, 5, 1
BEGINNING = "$argon2id$"
# Of a random password: none of its characters looks like another one, and a double click selects all of them.
CHARACTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LENGTH = 20


def hash_of(password: bytes) -> str:
    """Return a hash to be stored in a password's place; another one each time."""
    return str(_hasher().hash(password))


def matches(password: bytes, hashed: bytes) -> bool:
    """Tell whether a password is the one that a hash was made of.

    Raises:
        ValueError: the hash is none that `hash_of` made.
    """
    from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

    try:
        return bool(_hasher().verify(hashed, password))
    except VerifyMismatchError:
        return False
    except (InvalidHashError, VerificationError):
        # The hash is not shown: by mistake it may be the password.
        raise ValueError("This is no hash of a password.") from None


def is_hash(text: str) -> bool:
    """Tell whether a text looks like what `hash_of` returns."""
    return text.startswith(BEGINNING) and text.isascii() and text.isprintable()


def random_password() -> str:
    """Return a new password for a person, with 115 random bits in it."""
    return "".join(secrets.choice(CHARACTERS) for _ in range(LENGTH))


def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=LANES)
