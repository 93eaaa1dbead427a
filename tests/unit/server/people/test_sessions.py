"""Sessions: who has one, and until when."""

import re
from pathlib import Path

import pytest

from tests.support.people import World, with_people
from zato.broker.documents import Browse
from zato.core.people import Role


def test_session_is_found_by_its_token(tmp_path: Path) -> None:
    """It says who that is, as what, and where they are now and were at first."""

    async def scenario(world: World) -> None:
        user = await world.user(role=Role.OPERATOR)
        token, session = await world.people.sessions.open(user, "10.0.0.1")
        person = await world.people.sessions.find(token, "10.0.0.2")
        assert person is not None
        assert (person.name, person.role, person.since, person.client) == ("ann", "operator", "10.0.0.1", "10.0.0.2")
        assert (person.opened, person.expires - person.opened) == (session.opened, 43_200_000)

    with_people(tmp_path, scenario)


def test_store_does_not_know_tokens(tmp_path: Path) -> None:
    """Whoever reads it can log in as nobody; two tokens have nothing in common."""

    async def scenario(world: World) -> None:
        user = await world.user()
        tokens = [(await world.people.sessions.open(user, ""))[0] for _ in range(2)]
        kept = str(await world.store.ask(Browse("session")))
        assert len(set(tokens)) == 2
        assert all(re.fullmatch(r"[\w-]{43}", token) and token not in kept for token in tokens)

    with_people(tmp_path, scenario)


@pytest.mark.parametrize("token", ["", "x" * 43, "\ud800", "a" * 10_000, "token\0", "ż"])
def test_forged_token(tmp_path: Path, token: str) -> None:
    """Whatever it is, it is nobody's."""

    async def scenario(world: World) -> object:
        await world.people.sessions.open(await world.user(), "")
        return await world.people.sessions.find(token, "")

    assert with_people(tmp_path, scenario) is None


@pytest.mark.parametrize(("seconds", "lasts"), [(43_199, True), (43_200, False), (100_000, False)])
def test_session_expires(tmp_path: Path, seconds: int, lasts: bool) -> None:
    """Twelve hours after the log-in, whatever was done meanwhile."""

    async def scenario(world: World) -> bool:
        token, _ = await world.people.sessions.open(await world.user(), "")
        world.clock.turn(seconds)
        return await world.people.sessions.find(token, "") is not None

    assert with_people(tmp_path, scenario) is lasts


def test_closing_ends_one_session(tmp_path: Path) -> None:
    """The others of the person go on."""

    async def scenario(world: World) -> list[bool]:
        sessions, user = world.people.sessions, await world.user()
        tokens = [(await sessions.open(user, ""))[0] for _ in range(2)]
        person = await sessions.find(tokens[0], "")
        assert person is not None
        await sessions.close(person)
        return [await sessions.find(token, "") is not None for token in tokens]

    assert with_people(tmp_path, scenario) == [False, True]
