"""People in a real store, on a clock that a test turns."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.support.clocks import TurnableClock
from zato.broker.batcher import Batcher
from zato.broker.open import Location, open_backend, open_reader
from zato.core.invocation import Holder
from zato.core.people import Role, User
from zato.core.settings import Settings
from zato.hashing import hash_of
from zato.server.locks import Locks
from zato.server.people.people import People

__all__ = ["PASSWORD", "World", "hashed", "with_people"]

PASSWORD = "correct horse"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class World:
    """What a test has of it.

    Attributes:
        store: what writes.
    """

    people: People
    store: Batcher
    clock: TurnableClock

    async def user(self, name: str = "ann", role: Role = Role.VIEWER) -> User:
        """Make a person, whose password is `PASSWORD`."""
        return await self.people.accounts.create(name, hashed(), role)


def hashed() -> str:
    """Return the hash of `PASSWORD`, which is made once."""
    if not _hashes:
        _hashes.append(hash_of(PASSWORD.encode()))
    return _hashes[0]


_hashes: list[str] = []


def with_people(folder: Path, scenario: Callable[[World], Awaitable[Result]]) -> Result:
    """Return what a scenario returns that is played with an empty store."""

    async def main() -> Result:
        loop, clock, location = asyncio.get_running_loop(), TurnableClock(), Location("sqlite", folder)
        batcher = Batcher(open_backend(location, clock), loop)
        reader = Batcher(open_reader(location, clock), loop)
        batcher.start()
        reader.start()
        locks = Locks(batcher, Holder("server1"))
        people = People(batcher, reader, locks, Settings(), loop=loop, wall=clock.wall)
        try:
            return await scenario(World(people, batcher, clock))
        finally:
            people.close()
            for each in (reader, batcher):
                await loop.run_in_executor(None, each.close)

    return asyncio.run(main())
