"""Hashes of passwords."""

import re

import pytest

from zato.hashing import hash_of, is_hash, matches, random_password


def test_hash_is_of_its_password_alone() -> None:
    """Two of one password differ, and both are of it."""
    one, two = hash_of(b"hunter2"), hash_of(b"hunter2")
    assert one != two
    assert [matches(given, one.encode()) for given in (b"hunter2", b"hunter3", b"")] == [True, False, False]
    assert [is_hash(text) for text in (one, "hunter2", "$argon2id$ż", "")] == [True, False, False, False]


@pytest.mark.parametrize("text", [b"", b"hunter2", b"$argon2id$v=19$m=7168,t=5,p=1$abc"])
def test_what_is_no_hash_is_not_shown(text: bytes) -> None:
    """By mistake it may be the password."""
    with pytest.raises(ValueError, match=r"^This is no hash of a password\.$"):
        matches(b"hunter2", text)


def test_random_passwords_are_read_aloud_and_differ() -> None:
    """They have no character that looks like another one."""
    made = {random_password() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[A-Za-z2-9]{20}", each) and not set(each) & set("ilIoO") for each in made)
