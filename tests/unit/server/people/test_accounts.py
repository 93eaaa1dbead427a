"""Making, changing and deleting people."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.people import PASSWORD, World, hashed, with_people
from zato.core.errors import Conflict, NotFound
from zato.core.people import FIRST_USER, Role
from zato.server.people.accounts import Accounts

Change = Callable[[Accounts], Awaitable[object]]
CHANGES = [
    pytest.param(lambda accounts: accounts.set_password("ann", hashed()), id="password"),
    pytest.param(lambda accounts: accounts.set_role("ann", Role.OPERATOR), id="role"),
    pytest.param(lambda accounts: accounts.delete("ann"), id="deleted"),
]


def test_first_one_is_an_admin(tmp_path: Path) -> None:
    """Everybody after that sees only, unless somebody says otherwise."""

    async def scenario(world: World) -> list[str]:
        accounts = world.people.accounts
        made = [await accounts.create(name, hashed()) for name in ("ann", "bob")]
        made.append(await accounts.create("cid", hashed(), Role.OPERATOR))
        return [user.role.value for user in made]

    assert with_people(tmp_path, scenario) == ["admin", "viewer", "operator"]


def test_name_is_taken_once(tmp_path: Path) -> None:
    """Of two who ask at the same time, one is told so."""

    async def scenario(world: World) -> list[str]:
        made = await asyncio.gather(*(world.user() for _ in range(2)), return_exceptions=True)
        return sorted(type(each).__name__ for each in made)

    assert with_people(tmp_path, scenario) == ["Conflict", "User"]


@pytest.mark.parametrize("given", ["", "hash"])
def test_first_person_of_an_environment(tmp_path: Path, given: str) -> None:
    """It is made from the hash in the environment, once, if there is nobody."""

    async def scenario(world: World) -> list[str]:
        accounts = world.people.accounts
        await accounts.begin(given and hashed())
        await accounts.begin(given and "another hash")
        return [f"{each.user.name} {each.user.role} {each.user.hash == hashed()}" for each in await accounts.list()]

    assert with_people(tmp_path, scenario) == ([f"{FIRST_USER} admin True"] if given else [])


def test_nobody_is_made_beside_others(tmp_path: Path) -> None:
    """A server that joins later, or a password that was forgotten, brings nobody back."""

    async def scenario(world: World) -> list[str]:
        await world.user("ann", Role.ADMIN)
        await world.people.accounts.begin(hashed())
        return [each.user.name for each in await world.people.accounts.list()]

    assert with_people(tmp_path, scenario) == ["ann"]


@pytest.mark.parametrize("change", CHANGES)
def test_whoever_is_changed_is_logged_out(tmp_path: Path, change: Change) -> None:
    """Sessions end at once, also one that is opened while the person is changed; those of others go on."""

    async def scenario(world: World) -> list[bool]:
        people = world.people
        ann, bob = await world.user("ann"), await world.user("bob")
        tokens = [(await people.sessions.open(user, ""))[0] for user in (ann, bob)]
        before = [await people.sessions.find(token, "") is not None for token in tokens]
        await change(people.accounts)
        late, _ = await people.sessions.open(ann, "")
        return [*before, *[await people.sessions.find(token, "") is not None for token in (*tokens, late)]]

    assert with_people(tmp_path, scenario) == [True, True, False, True, False]


def test_somebody_stays_an_admin(tmp_path: Path) -> None:
    """Of two who make each other viewers at the same time, one is refused; so is deleting the last one."""

    async def scenario(world: World) -> tuple[list[str], int]:
        accounts = world.people.accounts
        for name in ("ann", "bob"):
            await world.user(name, Role.ADMIN)
        demoting = (accounts.set_role(name, Role.VIEWER) for name in ("ann", "bob"))
        found = await asyncio.gather(*demoting, return_exceptions=True)
        (last,) = [each.user.name for each in await accounts.list() if each.user.role is Role.ADMIN]
        with pytest.raises(Conflict, match=rf"'{last}' is the last admin and cannot be deleted"):
            await accounts.delete(last)
        await accounts.set_role(last, Role.ADMIN)
        return sorted(type(each).__name__ for each in found), len(await accounts.list())

    assert with_people(tmp_path, scenario) == (["Conflict", "User"], 2)


def test_somebody_who_is_not_there(tmp_path: Path) -> None:
    """The message has the name that is meant."""

    async def scenario(world: World) -> None:
        await world.user("catherine")
        for change in (world.people.accounts.delete, world.people.accounts.get):
            with pytest.raises(NotFound, match=r"no person 'cathrine'\. Did you mean 'catherine'\?"):
                await change("cathrine")

    with_people(tmp_path, scenario)


def test_last_login_goes_with_the_person(tmp_path: Path) -> None:
    """It is the time of the last one; whoever gets the name later has none."""

    async def scenario(world: World) -> list[int | None]:
        accounts = world.people.accounts
        await world.user("root", Role.ADMIN)
        ann = await world.user()
        found = [(await accounts.list())[0].last_login]
        world.clock.turn(5)
        await world.people.login.open("ann", PASSWORD, "10.0.0.1", "cid")
        found.append((await accounts.list())[0].last_login)
        await accounts.delete(ann.name)
        await world.user()
        return [*found, (await accounts.list())[0].last_login]

    assert with_people(tmp_path, scenario) == [None, 1_700_000_005_000, None]
