"""People who use the web admin: names, passwords, roles, and what a broker keeps of them and of their sessions.

Effects are in `zato.server.people`. Times are Unix milliseconds, unless they say seconds.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from zato.core.errors import BadRequest, hint_for

__all__ = [
    "CLIENT_HEADER",
    "FIRST_USER",
    "MOST_CHARACTERS",
    "SESSION_HEADER",
    "Attempts",
    "KeptCall",
    "Role",
    "Session",
    "User",
    "changed",
    "check_password",
    "check_user",
    "is_user",
    "pack",
    "password_bytes",
    "role_of",
    "seconds_to_wait",
    "takes_password",
    "unpack",
    "user_key",
]

# What the web admin sends with each call that it makes for a person: the token of the session, and where they are.
SESSION_HEADER = "x-zato-session"
CLIENT_HEADER = "x-zato-client"
# Whom `zato create` makes.
FIRST_USER = "admin"

LEGAL_USER = re.compile(r"[a-z0-9._@\-]{1,64}")
LEAST_CHARACTERS = 8
MOST_CHARACTERS = 1024
# Built-in services whose input may have a password in it, which no record may have.
WITH_PASSWORDS = ("zato.session.", "zato.user.")

# Failures from one address after which the next attempt has to wait, and from all addresses together.
FREE_OF_ONE, FREE_OF_ALL = 3, 20
# Seconds.
LONGEST_OF_ONE, WAIT_OF_ALL = 60, 30

Kept = TypeVar("Kept", bound=msgspec.Struct)
# Returns a copy of one of the structures below with other values of some attributes.
changed = msgspec.structs.replace


class Role(StrEnum):
    """What a person may do: each may do all that those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Its number, from 0."""
        return list(Role).index(self)

    def covers(self, needed: "Role") -> bool:
        """Tell whether whoever has this role may do what needs that one."""
        return self.rank >= needed.rank


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person who may log in.

    Attributes:
        hash: of the password.
        epoch: random, another one after each change; sessions of an earlier one are over.
    """

    name: str
    role: Role
    hash: str
    created: int
    epoch: str


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept under the hash of a session's token."""

    user: str
    epoch: str
    opened: int
    expires: int
    client: str = ""


class Attempts(msgspec.Struct, frozen=True, kw_only=True):
    """How often somebody tried in vain to log in, and when last."""

    count: int = 0
    last: int = 0


class KeptCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that a person made of a service.

    Attributes:
        cid: of the request.
        accepted: CID of the background call that was accepted, or None.
        status: `ok`, `error` or `accepted`.
        payload: as it was sent.
        options: those that were given.
        response: the text of the response or of the error.
    """

    cid: str
    service: str
    is_async: bool
    time: int
    status: str
    http_status: int
    ms: int
    payload: str
    is_cut: bool
    options: dict[str, Any]
    response: str
    response_is_cut: bool
    accepted: str | None = None


def pack(value: msgspec.Struct) -> bytes:
    """Return one of the above as a broker keeps it."""
    return msgspec.json.encode(value)


def unpack(kind: type[Kept], data: bytes) -> Kept:
    """Return what `pack` made bytes of."""
    return msgspec.json.decode(data, type=kind)


def user_key(name: str) -> str:
    """Return the one spelling of a person's name: capitals make no difference."""
    # Beyond ASCII, a sign for kelvin becomes a k.
    return name.lower() if name.isascii() else name


def check_user(name: str) -> str:
    """Return the one spelling of a legal name of a person.

    Raises:
        BadRequest: it is none.
    """
    key = user_key(name)
    if is_user(key):
        return key
    raise BadRequest(f"{name!r:.80} is no name of a person: use 1 to 64 of the characters a-z 0-9 . _ @ and -.")


def is_user(name: str) -> bool:
    """Tell whether a text could be the name of a person, in its one spelling."""
    return LEGAL_USER.fullmatch(name) is not None


def check_password(password: str) -> str:
    """Return a password if it is legal. The message does not show it.

    Raises:
        BadRequest: it is too short or too long.
    """
    if LEAST_CHARACTERS <= len(_normal(password)) <= MOST_CHARACTERS:
        return password
    raise BadRequest(f"A person's password is {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters.")


def password_bytes(password: str) -> bytes:
    """Return what is hashed of a password: the same, whichever keyboard composed its characters, and how."""
    # Half of a character, which JSON may have, is written as it is: an error of encoding would have the text in it.
    return _normal(password).encode("utf-8", "surrogatepass")


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def role_of(name: str) -> Role:
    """Return the role of that name.

    Raises:
        BadRequest: there is none.
    """
    try:
        return Role(name)
    except ValueError as error:
        hint = hint_for(name, [role.value for role in Role])
        raise BadRequest(f"There is no role {name!r:.80}; roles: {', '.join(Role)}. {hint}".rstrip()) from error


def takes_password(service: str) -> bool:
    """Tell whether a service's input may have a password in it."""
    return service.startswith(WITH_PASSWORDS)


def seconds_to_wait(attempts: Attempts, now: int, *, of_all: bool) -> int:
    """Return the seconds until somebody who failed so often may try again, rounded up; 0 is now.

    Args:
        attempts: those in vain.
        now: what time it is.
        of_all: they came from all addresses together, not from one.
    """
    over = attempts.count - (FREE_OF_ALL if of_all else FREE_OF_ONE)
    if over < 0:
        return 0
    wait = WAIT_OF_ALL if of_all else min(LONGEST_OF_ONE, 2 ** min(over, 10))
    return max(0, -(-(attempts.last + wait * 1000 - now) // 1000)) if attempts.last <= now else wait
