"""The people of a cluster: who may log in, with which password, as what."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from zato.broker.batcher import Batcher
from zato.broker.documents import Browse, Fetch, Forget, ForgetAll, Keep
from zato.core.errors import Conflict, NotFound, hint_for
from zato.core.lock import LockWish
from zato.core.people import FIRST_USER, Role, User, changed, pack, unpack, user_key
from zato.core.stop import StopSign
from zato.server.identity import now_ms
from zato.server.locks import Locks
from zato.server.people.history import CALL
from zato.server.people.sessions import SESSION, USER

__all__ = ["Account", "Accounts"]

LOGIN = "login"
MOST = 10_000
# While it is held, nobody else in the cluster changes who there is: the last admin is found by counting.
ONE_AT_A_TIME = LockWish("zato.people", expires=30.0, timeout=10.0, service="zato.user")


@dataclass(frozen=True, slots=True)
class Account:
    """A person, and when they logged in last, in Unix milliseconds, or None."""

    user: User
    last_login: int | None


class Accounts:
    """Finds and changes people. Whoever is changed or deleted is logged out at once, wherever they are."""

    def __init__(self, batcher: Batcher, reader: Batcher, locks: Locks, *, wall: Callable[[], int] = now_ms) -> None:
        """Take the store, to write and to read, its locks, and what tells Unix time in milliseconds."""
        self._batcher = batcher
        self._reader = reader
        self._locks = locks
        self._wall = wall

    async def find(self, name: str) -> User | None:
        """Return a person, or None."""
        document = await self._reader.ask(Fetch(USER, user_key(name)))
        return None if document is None else unpack(User, document.value)

    async def get(self, name: str) -> User:
        """Return a person.

        Raises:
            NotFound: there is none of this name.
        """
        found = await self.find(name)
        if found is None:
            hint = hint_for(name, [account.user.name for account in await self.list()])
            raise NotFound(f"There is no person {name!r:.80}. {hint}".rstrip())
        return found

    async def list(self) -> list[Account]:
        """Return everybody, by name."""
        users, logins = await asyncio.gather(
            self._reader.ask(Browse(USER, limit=MOST)), self._reader.ask(Browse(LOGIN, limit=MOST))
        )
        last = {document.key: document.kept for document in logins}
        found = [unpack(User, document.value) for document in users]
        return [Account(user, last.get(user.name)) for user in sorted(found, key=lambda user: user.name)]

    async def create(self, name: str, hashed: str, role: Role | None = None) -> User:
        """Make a person; the first one is an admin unless the role says otherwise, everybody else a viewer.

        Raises:
            Conflict: there is one of this name, or there are too many.
        """
        async with self._alone():
            there = await self._everybody()
            if len(there) >= MOST:
                raise Conflict(f"There are {MOST} people, and no room for another one. Delete some.")
            default = Role.VIEWER if there else Role.ADMIN
            user = User(name=name, role=role or default, hash=hashed, created=self._wall(), epoch=_epoch())
            if not await self._batcher.ask(Keep(USER, name, pack(user), only_new=True)):
                raise Conflict(f"There is a person {name!r} already. Give them another password, or choose a name.")
            return user

    async def begin(self, hashed: str) -> None:
        """Make the first person with the password that `zato create` chose, if there is nobody yet."""
        if hashed and not await self._reader.ask(Browse(USER, limit=1)):
            user = User(name=FIRST_USER, role=Role.ADMIN, hash=hashed, created=self._wall(), epoch=_epoch())
            await self._batcher.ask(Keep(USER, user.name, pack(user), only_new=True))

    async def delete(self, name: str) -> None:
        """Delete a person.

        Raises:
            NotFound: there is none of this name.
            Conflict: it is the last admin.
        """
        async with self._alone():
            user = await self.get(name)
            await self._keep_an_admin(user, "deleted")
            await asyncio.gather(
                self._batcher.ask(Forget(USER, user.name)),
                self._batcher.ask(Forget(LOGIN, user.name)),
                self._batcher.ask(ForgetAll(SESSION, user.name)),
                self._batcher.ask(ForgetAll(CALL, user.name)),
            )

    async def set_password(self, name: str, hashed: str) -> User:
        """Give a person another password.

        Raises:
            NotFound: there is none of this name.
        """
        async with self._alone():
            return await self._change(changed(await self.get(name), hash=hashed))

    async def set_role(self, name: str, role: Role) -> User:
        """Give a person another role.

        Raises:
            NotFound: there is none of this name.
            Conflict: it is the last admin.
        """
        async with self._alone():
            user = await self.get(name)
            if role is not Role.ADMIN:
                await self._keep_an_admin(user, f"made {role}")
            return await self._change(changed(user, role=role))

    async def note_login(self, user: User, client: str) -> None:
        """Remember that somebody logged in now, and where."""
        await self._batcher.ask(Keep(LOGIN, user.name, client.encode("utf-8", "replace")))

    async def last_client(self, name: str) -> str | None:
        """Return the address at which somebody logged in last, or None."""
        document = await self._reader.ask(Fetch(LOGIN, name))
        return None if document is None else document.value.decode()

    async def _change(self, user: User) -> User:
        after = changed(user, epoch=_epoch())
        await asyncio.gather(
            self._batcher.ask(Keep(USER, user.name, pack(after))),
            self._batcher.ask(ForgetAll(SESSION, user.name)),
        )
        return after

    async def _keep_an_admin(self, user: User, what: str) -> None:
        admins = [each for each in await self._everybody() if each.role is Role.ADMIN]
        if [each.name for each in admins] == [user.name]:
            raise Conflict(f"{user.name!r} is the last admin and cannot be {what}. Make somebody else an admin first.")

    async def _everybody(self) -> Sequence[User]:
        return [unpack(User, document.value) for document in await self._batcher.ask(Browse(USER, limit=MOST))]

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with self._locks.hold(ONE_AT_A_TIME, StopSign()):
            yield


def _epoch() -> str:
    return secrets.token_hex(8)
