"""Who has to wait before they may try to log in again."""

import asyncio
from pathlib import Path

import pytest

from tests.support.people import PASSWORD, World, with_people
from zato.broker.documents import Browse
from zato.core.errors import Forbidden, ZatoError
from zato.core.people_errors import TooManyAttempts

HERE, THERE = "10.0.0.1", "10.0.0.2"


async def attempt(world: World, name: str = "ann", password: str = "a wrong one", client: str = HERE) -> str:
    """Try to log in, and return how that ended."""
    try:
        await world.people.login.open(name, password, client, "cid")
    except (Forbidden, TooManyAttempts) as error:
        return f"{error.code} {getattr(error, 'retry_after', '')}".strip()
    return "ok"


def test_waiting_grows_and_ends(tmp_path: Path) -> None:
    """After three failures the fourth waits a second, the fifth two; the right password before that helps nobody."""

    async def scenario(world: World) -> list[str]:
        await world.user()
        found = [await attempt(world) for _ in range(4)]
        found.append(await attempt(world, password=PASSWORD))
        world.clock.turn(1)
        found += [await attempt(world), await attempt(world)]
        world.clock.turn(2)
        return [*found, await attempt(world, password=PASSWORD)]

    wrong, waits = "forbidden", "too_many_attempts"
    assert with_people(tmp_path, scenario) == [*[wrong] * 3, *[f"{waits} 1"] * 2, wrong, f"{waits} 2", "ok"]


def test_success_is_a_new_beginning(tmp_path: Path) -> None:
    """Whoever mistyped a password twice has all attempts again once they are in."""

    async def scenario(world: World) -> list[str]:
        await world.user()
        return [await attempt(world, password=each) for each in ("no", "no", PASSWORD, "no", "no")]

    wrong = "forbidden"
    assert with_people(tmp_path, scenario) == [wrong, wrong, "ok", wrong, wrong]


def test_another_address_and_another_name_do_not_wait(tmp_path: Path) -> None:
    """Whoever fails holds up themselves; a name that there is not waits just the same."""

    async def scenario(world: World) -> list[str]:
        await world.user()
        for _ in range(3):
            await attempt(world, "nobody")
        return [
            await attempt(world, "NOBODY"),
            await attempt(world, "nobody", client=THERE),
            await attempt(world, password=PASSWORD),
        ]

    assert with_people(tmp_path, scenario) == ["too_many_attempts 1", "forbidden", "ok"]


@pytest.mark.parametrize(
    ("client", "ended"), [("10.1.1.1", "too_many_attempts 30"), (HERE, "ok")], ids=["new", "known"]
)
def test_name_that_is_guessed_from_everywhere(tmp_path: Path, client: str, ended: str) -> None:
    """After twenty failures from anywhere it waits, but where the person logged in last."""

    async def scenario(world: World) -> str:
        await world.user()
        await attempt(world, password=PASSWORD)
        back_off = world.people.login._back_off
        for number in range(20):
            await back_off.count("ann", f"10.2.0.{number}", is_known=True)
        return await attempt(world, password=PASSWORD, client=client)

    assert with_people(tmp_path, scenario) == ended


def test_attempts_at_once_are_counted_one_by_one(tmp_path: Path) -> None:
    """Those that come together are not all looked at: three are, and the others refused."""

    async def scenario(world: World) -> list[str]:
        back_off = world.people.login._back_off
        together = (back_off.count("ann", HERE, is_known=False) for _ in range(10))
        found = await asyncio.gather(*together, return_exceptions=True)
        return sorted(each.code if isinstance(each, ZatoError) else "counted" for each in found)

    assert with_people(tmp_path, scenario) == ["counted"] * 3 + ["too_many_attempts"] * 7


def test_nothing_is_left_of_old_attempts(tmp_path: Path) -> None:
    """A quarter of an hour later it is as if there had been none."""

    async def scenario(world: World) -> tuple[int, int, str]:
        for _ in range(3):
            await attempt(world)
        before = len(await world.store.ask(Browse("attempt")))
        world.clock.turn(901)
        return before, len(await world.store.ask(Browse("attempt"))), await attempt(world)

    assert with_people(tmp_path, scenario) == (2, 0, "forbidden")
