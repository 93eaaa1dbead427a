"""A process among those that share its store: its name, what it is told, and who has the name already.

The store is a real file that two environments share here, as they share a Redis elsewhere.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as changed

from zato.broker.base import Applied, Operation
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.cluster import Attend, Drain, Members
from zato.broker.open import Location, open_backend
from zato.core.errors import BrokerUnavailable, EnvironmentFault
from zato.core.invocation import Holder
from zato.core.member import Member
from zato.server.attendance import Attendance, identity_of

LIFE = 0.6
ONE = Member(
    holder=Holder("crm", "run1", 1),
    identity="one",
    host="host-a",
    pid=123,
    version="1",
    address="http://10.0.0.5:11223",
    started=0,
    services=1,
    running=0,
    slots=4,
)
OTHER = changed(ONE, holder=Holder("crm", "run2", 1), identity="other", host="host-b", pid=456)


class Away:
    """A real backend that can be away."""

    def __init__(self, folder: Path) -> None:
        self._backend = open_backend(Location("sqlite", folder), SystemClock())
        self.is_away = False
        self.asked = 0

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        self.asked += 1
        if self.is_away:
            raise BrokerUnavailable("It is away.")
        return self._backend.apply(batch)

    def close(self) -> None:
        self._backend.close()


class Place:
    """What several processes have in common."""

    def __init__(self, batcher: Batcher, store: Away) -> None:
        self.batcher = batcher
        self.store = store
        self.heard: list[bool] = []

    def attendance(self, member: Member) -> Attendance:
        made = Attendance(self.batcher, lambda: member, alive_for=LIFE, cluster="blue")
        made.on_drain = self.heard.append
        return made

    async def names(self) -> list[str]:
        return [seen.member.identity for seen in await self.batcher.ask(Members())]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 -- the log and a thread are looked at, too
                await asyncio.sleep(0.01)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Place]:
    """Lend a way to the store in a folder."""
    store = Away(folder)
    batcher = Batcher(store, asyncio.get_running_loop())
    batcher.start()
    try:
        yield Place(batcher, store)
    finally:
        batcher.close()


def run(folder: Path, scenario: Callable[[Place], Awaitable[Any]]) -> Any:
    """Run a scenario."""

    async def whole() -> Any:
        async with opened(folder) as place:
            return await scenario(place)

    return asyncio.run(whole())


async def taken_meanwhile(folder: Path, place: Place) -> Callable[[], Awaitable[None]]:
    """Cut a place off from the store until another environment has its name, and return what ends that one."""
    elsewhere = opened(folder)
    other = await elsewhere.__aenter__()
    rival = other.attendance(OTHER)
    place.store.is_away = True
    await rival.begin()
    place.store.is_away = False

    async def end() -> None:
        await rival.end()
        await elsewhere.__aexit__(None, None, None)

    return end


def test_process_is_listed_from_its_start_to_its_end(tmp_path: Path) -> None:
    """Whoever stops in good order is gone at once."""

    async def scenario(place: Place) -> list[list[str]]:
        attendance = place.attendance(ONE)
        await attendance.begin()
        during = await place.names()
        await attendance.end()
        return [during, await place.names()]

    assert run(tmp_path, scenario) == [["one"], []]


def test_name_of_a_living_server_is_refused(tmp_path: Path) -> None:
    """The message says who has it, where, and what to do; the one that was there first goes on."""

    async def scenario(place: Place) -> list[str]:
        first = place.attendance(ONE)
        await first.begin()
        with pytest.raises(EnvironmentFault) as caught:
            await place.attendance(OTHER).begin()
        here = await place.names()
        await first.end()
        return [str(caught.value), *here]

    message, *here = run(tmp_path, scenario)
    assert message.startswith(
        "Another server is called 'crm' in cluster 'blue': process 123 on host-a, at http://10.0.0.5:11223, heard of 0."
    )
    assert message.endswith(" s ago. Give this one another name (setting name), or stop that one.")
    assert here == ["one"]


def test_name_of_a_killed_server_is_free_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One that does not speak again within its life is waited for, and the log says so once."""

    async def scenario(place: Place) -> tuple[float, list[str]]:
        await place.batcher.ask(Attend(ONE, LIFE))
        began = asyncio.get_running_loop().time()
        attendance = place.attendance(OTHER)
        await attendance.begin()
        took = asyncio.get_running_loop().time() - began
        here = await place.names()
        await attendance.end()
        return took, here

    took, here = run(tmp_path, scenario)
    assert LIFE / 2 < took < LIFE + 5
    assert here == ["other"]
    assert [record.getMessage().partition(": ")[0] for record in caplog.records] == [
        "Server crm of host-a was heard of a moment ago"
    ]


def test_server_that_stops_meanwhile_is_not_waited_for(tmp_path: Path) -> None:
    """A name is free as soon as its server has left."""

    async def scenario(place: Place) -> list[str]:
        first = place.attendance(ONE)
        await first.begin()
        second = asyncio.create_task(place.attendance(OTHER).begin())
        await asyncio.sleep(0)
        await first.end()
        await second
        return await place.names()

    assert run(tmp_path, scenario) == ["other"]


def test_of_two_that_start_at_once_one_wins(tmp_path: Path) -> None:
    """Neither both nor none."""

    async def scenario(place: Place) -> list[str]:
        both = [place.attendance(member) for member in (ONE, OTHER)]
        ended = await asyncio.gather(*(each.begin() for each in both), return_exceptions=True)
        for each in both:
            await each.end()
        return sorted(type(end).__name__ for end in ended)

    assert run(tmp_path, scenario) == ["EnvironmentFault", "NoneType"]


def test_processes_of_one_server_are_no_rivals(tmp_path: Path) -> None:
    """Nor is the run of the same environment before."""

    async def scenario(place: Place) -> list[str]:
        members = [
            ONE,
            changed(ONE, holder=replace(ONE.holder, worker=2)),
            changed(ONE, holder=Holder("crm", "new", 1)),
        ]
        for member in members:
            await place.attendance(member).begin()
        return await place.names()

    assert set(run(tmp_path, scenario)) == {"one"}


def test_name_that_was_taken_during_a_long_start(tmp_path: Path) -> None:
    """Before its doors open, a server makes sure that it still has its name."""

    async def scenario(place: Place) -> str:
        slow = place.attendance(ONE)
        await slow.begin()
        quick = await taken_meanwhile(tmp_path, place)
        with pytest.raises(EnvironmentFault) as caught:
            await slow.confirm()
        await slow.end()
        await quick()
        return str(caught.value)

    assert "process 456 on host-b" in run(tmp_path, scenario)


def test_name_that_was_taken_while_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A server that comes back says once that somebody has its name, and goes on with what it has."""

    async def scenario(place: Place) -> None:
        back = place.attendance(ONE)
        await back.begin()
        rival = await taken_meanwhile(tmp_path, place)
        await place.until(lambda: any(record.levelname == "ERROR" for record in caplog.records))
        asked = place.store.asked
        await place.until(lambda: place.store.asked > asked + 3)
        await back.end()
        await rival()

    run(tmp_path, scenario)
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert "Another server has taken the name 'crm' of this one" in errors[0]
    assert "process 456 on host-b" in errors[0]


def test_draining_is_learnt_and_unlearnt(tmp_path: Path) -> None:
    """What is said of a server reaches its processes with their next words, once each time."""

    async def scenario(place: Place) -> list[bool]:
        attendance = place.attendance(ONE)
        await attendance.begin()
        for draining in (True, False):
            await place.batcher.ask(Drain("crm", draining))
            await place.until(lambda wanted=draining: attendance.draining is wanted)  # type: ignore[misc]
        await attendance.end()
        return place.heard

    assert run(tmp_path, scenario) == [True, False]


def test_store_that_is_away_is_asked_again_in_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Others say already that it is away; when it is back, the process is there."""

    async def scenario(place: Place) -> list[str]:
        attendance = place.attendance(ONE)
        await attendance.begin()
        place.store.is_away = True
        asked = place.store.asked
        await place.until(lambda: place.store.asked > asked + 2)
        place.store.is_away = False
        await place.batcher.ask(Drain("crm", draining=True))
        await place.until(lambda: attendance.draining)
        here = await place.names()
        await attendance.end()
        return here

    assert run(tmp_path, scenario) == ["one"]
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


def test_store_that_is_away_holds_up_no_end(tmp_path: Path) -> None:
    """A stop goes on without it."""

    async def scenario(place: Place) -> None:
        attendance = place.attendance(ONE)
        await attendance.begin()
        place.store.is_away = True
        await attendance.end()

    run(tmp_path, scenario)


def test_environment_is_known_by_its_folder_and_machine(tmp_path: Path) -> None:
    """A restart changes nothing; a copy, another machine, and a folder made anew under the same name are others."""
    data = tmp_path / "env" / "data"
    data.mkdir(parents=True)
    first, again = identity_of(data, "a", "1"), identity_of(tmp_path / "env" / ".." / "env" / "data", "a", "1")
    (tmp_path / "link").symlink_to(data)
    linked = identity_of(tmp_path / "link", "a", "1")
    shutil.copytree(tmp_path / "env", tmp_path / "copy")
    (tmp_path / "env").rename(tmp_path / "moved")
    data.mkdir(parents=True)
    copied = identity_of(tmp_path / "copy" / "data", "a", "1")
    others = {identity_of(data, "a", "1"), copied, identity_of(data, "b", "1")}
    assert first == again == linked
    assert len(others - {first}) == 3


def test_copy_of_a_whole_machine_is_another_environment(tmp_path: Path) -> None:
    """It agrees in the host's name, in path and number of the folder; not in when it was booted."""
    assert identity_of(tmp_path, "a", "1") != identity_of(tmp_path, "a", "2")


def test_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    """It is said how to make it."""
    with pytest.raises(EnvironmentFault, match="data cannot be used: No such file or directory"):
        identity_of(tmp_path / "data", "a", "1")
