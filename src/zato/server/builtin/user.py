"""`zato.user.*`: the people who may log in to the web admin."""

from typing import Any

from zato.core.envelope import ADMIN_USER
from zato.core.errors import Forbidden
from zato.core.people import Role, User, check_password, check_user, role_of, user_key
from zato.core.printable import on_one_line
from zato.server.builtin.inputs import read_object, text_of
from zato.server.builtin.passwords import name_in, password_in
from zato.server.people.accounts import Account
from zato.server.people.acting import Person, acting
from zato.server.people.people import People
from zato.server.records import iso_time
from zato.server.service import AsyncService

__all__ = ["Create", "Delete", "GetUsers", "SetPassword", "SetRole"]


class _OfPeople(AsyncService):
    """What changes people. For a machine user it writes the audit itself; for a person the door does."""

    def __init__(self, people: People) -> None:
        """Take who there is."""
        self._people = people

    async def handle(self) -> dict[str, Any]:
        """Return what came of it."""
        if acting.get() is not None:
            return await self.change()
        about = self.request.payload.get("name") if isinstance(self.request.payload, dict) else ""
        about = on_one_line(about) if isinstance(about, str) else ""
        entry = self._people.trail.entry(ADMIN_USER, "", self.get_name(), about=about, cid=self.cid)
        async with self._people.trail.doing(entry):
            return await self.change()

    async def change(self) -> dict[str, Any]:
        """Do it."""
        raise NotImplementedError


class Create(_OfPeople):
    """Makes a person who may log in to the web admin.

    Input: `name`, 1 to 64 of the characters a-z 0-9 . _ @ and -, capitals being the same; `password`, 8 to 1024
    characters; `role`, `viewer`, `operator` or `admin`, by default `viewer`, and `admin` for the first person.
    Output: `name` and `role`. A name that is taken is a 409.
    """

    name = "zato.user.create"

    async def change(self) -> dict[str, Any]:
        """Return the person."""
        fields = read_object(self.request.payload, "name", "password", "role")
        name, password = check_user(name_in(fields)), check_password(password_in(fields, "password"))
        role = text_of(fields, "role")
        role = None if role is None else role_of(role)
        hashed = await self._people.login.hash(password, self.name)
        return _shown(await self._people.accounts.create(name, hashed, role))


class GetUsers(AsyncService):
    """Lists the people who may log in to the web admin, by name.

    Input: nothing.
    Output: `items`, a list of objects with `name`, `role`, `created` and `last_login`, which may be null.
    """

    name = "zato.user.get-list"

    def __init__(self, people: People) -> None:
        """Take who there is."""
        self._people = people

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...]}`."""
        read_object(self.request.payload)
        return {"items": [_as_item(account) for account in await self._people.accounts.list()]}


class Delete(_OfPeople):
    """Deletes a person, who is logged out at once.

    Input: `name`.
    Output: `name`. An unknown one is a 404, the last admin a 409.
    """

    name = "zato.user.delete"

    async def change(self) -> dict[str, Any]:
        """Return whom."""
        name = name_in(read_object(self.request.payload, "name"))
        await self._people.accounts.delete(name)
        return {"name": user_key(name)}


class SetPassword(_OfPeople):
    """Gives a person another password, who is logged out at once. People may change their own, whatever their role.

    Input: `name`; `password`, 8 to 1024 characters; `old_password`, of whoever changes their own.
    Output: `name` and `role`. An unknown name is a 404, a wrong old password a 403.
    """

    name = "zato.user.set-password"

    async def change(self) -> dict[str, Any]:
        """Return the person."""
        fields = read_object(self.request.payload, "name", "password", "old_password")
        name, password = user_key(name_in(fields)), check_password(password_in(fields, "password"))
        person = acting.get()
        if person is not None:
            await self._check(person, name, fields)
        await self._people.accounts.get(name)
        hashed = await self._people.login.hash(password, self.name)
        return _shown(await self._people.accounts.set_password(name, hashed))

    async def _check(self, person: Person, name: str, fields: dict[str, Any]) -> None:
        if name == person.name:
            old = password_in(fields, "old_password")
            await self._people.login.check(name, old, person.client)
        elif not person.role.covers(Role.ADMIN):
            raise Forbidden(f"{person.name!r} may change no password but their own: another person's takes an admin.")


class SetRole(_OfPeople):
    """Gives a person another role, who is logged out at once.

    Input: `name`; `role`, `viewer`, `operator` or `admin`.
    Output: `name` and `role`. An unknown name is a 404; that there would be no admin any more is a 409.
    """

    name = "zato.user.set-role"

    async def change(self) -> dict[str, Any]:
        """Return the person."""
        fields = read_object(self.request.payload, "name", "role")
        name, role = name_in(fields), role_of(text_of(fields, "role") or "")
        return _shown(await self._people.accounts.set_role(name, role))


def _shown(user: User) -> dict[str, Any]:
    return {"name": user.name, "role": user.role.value}


def _as_item(account: Account) -> dict[str, Any]:
    user = account.user
    return {**_shown(user), "created": iso_time(user.created), "last_login": iso_time(account.last_login)}
