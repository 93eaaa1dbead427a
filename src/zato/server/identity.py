"""Chance and time for CIDs and invocation ids."""

import os
import secrets
import time

from zato.core.cid import CID_ENTROPY, ID_ENTROPY, make_cid, make_invocation_id

__all__ = ["new_cid", "new_invocation_id", "new_token", "now_ms"]

TOKEN_BYTES = 8


def new_cid() -> str:
    """Return a new correlation ID."""
    return make_cid(os.urandom(CID_ENTROPY))


def new_invocation_id(milliseconds: int) -> str:
    """Return a new id for an invocation that is accepted at that Unix time."""
    return make_invocation_id(milliseconds, os.urandom(ID_ENTROPY))


def new_token() -> bytes:
    """Return a new fencing token."""
    return secrets.token_bytes(TOKEN_BYTES)


def now_ms() -> int:
    """Return Unix time in milliseconds."""
    return time.time_ns() // 1_000_000
