"""The audit: nothing is done without it."""

import asyncio
from pathlib import Path

import pytest

from tests.support.people import World, with_people
from zato.broker.audit import Notes
from zato.core.audit import AuditEntry
from zato.core.errors import BrokerUnavailable, Conflict


def entry_of(world: World, cid: str = "cid1", user: str = "ann") -> AuditEntry:
    """Return an entry about something that is done."""
    return world.people.trail.entry(user, "10.0.0.1", "zato.queue.pause", about="bulk", cid=cid)


async def statuses(world: World, wanted: Notes | None = None) -> list[str]:
    """Return how everything ended that the audit has."""
    return [entry.status for entry in (await world.people.trail.find(wanted or Notes())).entries]


@pytest.mark.parametrize(
    ("error", "status"), [(None, "ok"), (Conflict("x"), "conflict"), (KeyError("x"), "exception")], ids=str
)
def test_how_it_ended_is_written(tmp_path: Path, error: Exception | None, status: str) -> None:
    """Once, whether it was done or failed."""

    async def act(world: World) -> None:
        async with world.people.trail.doing(entry_of(world)):
            if error is not None:
                raise error

    async def scenario(world: World) -> list[str]:
        await asyncio.gather(act(world), return_exceptions=True)
        return await statuses(world)

    assert with_people(tmp_path, scenario) == [status]


def test_what_has_begun_is_shown_before_it_ends(tmp_path: Path) -> None:
    """If the server died now, it would stay so; filters hold for it as for all others, and it is on the first page."""

    async def scenario(world: World) -> list[list[str]]:
        find = [Notes(), Notes(user="bob"), Notes(action="x"), Notes(object="bulk", cid="cid1"), Notes(cursor=10**6)]
        async with world.people.trail.doing(entry_of(world)):
            found = [await statuses(world, wanted) for wanted in find]
            found.append(await statuses(world, Notes(until=world.clock.wall())))
            found.append(await statuses(world, Notes(since=world.clock.wall(), until=world.clock.wall() + 1)))
        return found

    unknown = ["unknown"]
    assert with_people(tmp_path, scenario) == [unknown, [], [], unknown, [], [], unknown]


def test_what_cannot_be_written_is_not_done(tmp_path: Path) -> None:
    """A store that takes nothing refuses before anything has happened."""

    async def scenario(world: World) -> list[str]:
        done: list[str] = []
        await asyncio.get_running_loop().run_in_executor(None, world.store.close)
        with pytest.raises(BrokerUnavailable):
            async with world.people.trail.doing(entry_of(world)):
                done.append("paused")
        return done

    assert with_people(tmp_path, scenario) == []


def test_store_that_fails_after_it_was_done(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever asked gets their answer; the audit keeps that it has begun, and the log says how it ended."""

    async def scenario(world: World) -> list[str]:
        async with world.people.trail.doing(entry_of(world)):
            await asyncio.get_running_loop().run_in_executor(None, world.store.close)
        return await statuses(world)

    assert with_people(tmp_path, scenario) == ["unknown"]
    assert "zato.queue.pause by 'ann' has begun, and not how it ended, ok" in caplog.text


def test_entry_is_not_endless(tmp_path: Path) -> None:
    """What was done, which may be the name of a service that there is not, and to what, are cut."""

    async def scenario(world: World) -> tuple[int, int]:
        entry = world.people.trail.entry("ann", "", "zato" * 10_000, about="x" * 10_000)
        return len(entry.action), len(entry.object)

    assert with_people(tmp_path, scenario) == (200, 200)


def test_one_thing_that_is_done_in_another(tmp_path: Path) -> None:
    """The end of what a service does for a request is not the end of the request, whose CID both have."""

    async def scenario(world: World) -> list[str]:
        async with world.people.trail.doing(entry_of(world)):
            async with world.people.trail.doing(entry_of(world, user="admin.invoke")):
                pass
            return sorted(await statuses(world))

    assert with_people(tmp_path, scenario) == ["ok", "unknown"]
