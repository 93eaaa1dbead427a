"""Telling whether somebody is who they say they are.

Whoever is not learns nothing else: the message, the work and so the time are the same for a name that there is not.
"""

import asyncio
from collections.abc import Callable

from zato.core.errors import Forbidden, ZatoError
from zato.core.people import MOST_CHARACTERS, Session, User, is_user, password_bytes, user_key
from zato.hashing import hash_of, matches
from zato.server.people.accounts import Accounts
from zato.server.people.allowance import Allowance
from zato.server.people.back_off import BackOff
from zato.server.people.hashing import Hashing
from zato.server.people.sessions import Sessions
from zato.server.people.trail import Trail

__all__ = ["OPEN", "LogIn"]

OPEN = "zato.session.open"
# Nobody's password; what it is compared with takes as long as the comparison with anybody's.
NOBODYS = "$argon2id$v=19$m=7168,t=5,p=1$J9cZap3h30IcrlY3RSDleg$zvfO7nELPGVQ8rARKwtFsvAsXbXsqKSjKdYCw/BQL+k"


class LogIn:
    """Checks passwords, and opens sessions for those who know theirs."""

    def __init__(
        self, accounts: Accounts, sessions: Sessions, hashing: Hashing, back_off: BackOff, trail: Trail
    ) -> None:
        """Take who there is, what opens sessions, where passwords are hashed, who has to wait, and the audit."""
        self._accounts = accounts
        self._sessions = sessions
        self._hashing = hashing
        self._back_off = back_off
        self._trail = trail
        self._allowance = Allowance()

    async def open(self, name: str, password: str, client: str, cid: str) -> tuple[User, str, Session]:
        """Return who that is, the token of a new session, and the session.

        Raises:
            Forbidden: name or password is wrong.
            TooManyAttempts: they were, too often.
            HashingBusy: too many passwords wait to be checked.
        """
        try:
            user = await self.check(name, password, client)
        except ZatoError as error:
            await self._note_refusal(user_key(name), client, cid, error)
            raise
        token, session = await self._sessions.open(user, client)
        entry = self._trail.entry(user.name, client, OPEN, cid=cid)
        await asyncio.gather(self._accounts.note_login(user, client), self._trail.note(entry))
        return user, token, session

    async def check(self, name: str, password: str, client: str) -> User:
        """Return the person whose name and password these are. Raises as `open` does."""
        key = user_key(name)
        is_known = await self._accounts.last_client(key) == client
        await self._back_off.check(key, client, is_known=is_known)
        with self._hashing.place(client):
            user = await self._accounts.find(key)
            await self._back_off.count(key, client, is_known=is_known)
            if not await self._hashing.run(_comparison(user, password)) or user is None:
                raise Forbidden("Name or password is wrong.")
        await self._back_off.forget(key, client)
        return user

    async def hash(self, password: str, whom: str) -> str:
        """Return the hash of a new password.

        Args:
            whom: for whom, as `Hashing.place` takes it.

        Raises:
            HashingBusy: too many passwords wait.
        """
        with self._hashing.place(whom):
            return await self._hashing.run(lambda: hash_of(password_bytes(password)))

    async def _note_refusal(self, name: str, client: str, cid: str, error: ZatoError) -> None:
        """Write a refusal to the audit, unless there are more of them than anybody reads."""
        missing = self._allowance.take()
        if missing is not None:
            about = f"{missing} more were refused before" if missing else ""
            # What is no name at all is perhaps a password in the wrong place.
            name = name if is_user(name) else ""
            await self._trail.refuse(self._trail.entry(name, client, OPEN, about=about, cid=cid), error)


def _comparison(user: User | None, password: str) -> Callable[[], bool]:
    given = password_bytes(password[: MOST_CHARACTERS + 1])
    hashed = NOBODYS if user is None else user.hash
    return lambda: matches(given, hashed.encode())
