"""Correlation IDs and invocation ids: how they are made and which ones are legal.

Chance and time come in as arguments; `zato.server.identity` supplies them.
"""

from zato.core.errors import InvalidCID

__all__ = ["CID_ENTROPY", "ID_ENTROPY", "ID_LENGTH", "check_cid", "make_cid", "make_invocation_id"]

CID_ENTROPY = 12
ID_ENTROPY = 7
ID_LENGTH = 26
MAX_CID_LENGTH = 128

# The first digit must be a letter, so that no JSON parser takes a CID for a number.
FIRST_DIGIT = dict(zip("0123456789abcdef", "abcdefabcdabcdef", strict=True))


def make_cid(entropy: bytes) -> str:
    """Return a CID, 24 lower-case hex digits of which the first is a letter, of 12 random bytes."""
    text = entropy.hex()
    return FIRST_DIGIT[text[0]] + text[1:]


def make_invocation_id(milliseconds: int, entropy: bytes) -> str:
    """Return 26 hex digits that sort by time: 48 bits of Unix milliseconds, then 7 random bytes."""
    return f"{milliseconds:012x}{entropy.hex()}"


def check_cid(cid: object) -> str:
    """Return a caller's own CID if it is legal.

    Raises:
        InvalidCID: it is no text of 1 to 128 printable characters.
    """
    if isinstance(cid, str) and 0 < len(cid) <= MAX_CID_LENGTH and cid.isprintable():
        return cid
    wrong = repr(cid[:160]) if isinstance(cid, str) else f"of type {type(cid).__name__}"
    raise InvalidCID(f"A CID is 1 to {MAX_CID_LENGTH} printable characters, not {wrong}.")
