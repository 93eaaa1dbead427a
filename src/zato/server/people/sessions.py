"""Sessions of people: a random token, of which the store keeps a hash alone."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable

from zato.broker.batcher import Batcher
from zato.broker.documents import Fetch, Forget, Keep
from zato.core.people import Session, User, pack, unpack
from zato.server.identity import now_ms
from zato.server.people.acting import Person

__all__ = ["SESSION", "USER", "Sessions"]

# Kinds of documents.
SESSION = "session"
USER = "user"
TOKEN_BYTES = 32
# Of one person; the oldest goes.
MOST = 50
MAX_TOKEN = 100


class Sessions:
    """Opens, finds and closes sessions."""

    def __init__(self, batcher: Batcher, reader: Batcher, *, lifetime: float, wall: Callable[[], int] = now_ms) -> None:
        """Take the store, to write and to read, the seconds that a session lasts, and what tells Unix time in ms."""
        self._batcher = batcher
        self._reader = reader
        self._lifetime = lifetime
        self._wall = wall

    async def open(self, user: User, client: str) -> tuple[str, Session]:
        """Return the token of a new session, and what is kept of it."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._wall()
        expires = now + int(self._lifetime * 1000)
        session = Session(user=user.name, epoch=user.epoch, opened=now, expires=expires, client=client)
        await self._batcher.ask(
            Keep(SESSION, _key(token), pack(session), owner=user.name, seconds=self._lifetime, at_most=MOST)
        )
        return token, session

    async def find(self, token: str, client: str) -> Person | None:
        """Return whose session a token is of, or None if it is of none that lasts.

        Args:
            token: as it came.
            client: the address that it came from now.
        """
        if not token or len(token) > MAX_TOKEN:
            return None
        key = _key(token)
        document = await self._reader.ask(Fetch(SESSION, key))
        if document is None:
            return None
        session = unpack(Session, document.value)
        found = await self._reader.ask(Fetch(USER, session.user))
        if found is None or self._wall() >= session.expires:
            return None
        user = unpack(User, found.value)
        # Whoever was changed since then, perhaps while this session was being opened, logs in again.
        if user.epoch != session.epoch:
            return None
        return Person(
            name=user.name,
            role=user.role,
            client=client,
            key=key,
            opened=session.opened,
            expires=session.expires,
            since=session.client,
        )

    async def close(self, person: Person) -> None:
        """End a session."""
        await asyncio.shield(self._batcher.ask(Forget(SESSION, person.key)))


def _key(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
