"""Services that do what no service should, and some that go on beside them."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from tests.chaos.journal import begin
from tests.chaos.traps import Traps
from zato.server.service import AsyncService, Service

FOLDER = Traps(Path(__file__).parents[1]).folder
MEGABYTE = 1_000_000
PAUSE = 0.005
# A service that nobody stops at this size ends by itself, for the sake of the machine.
MOST_MEGABYTES = 900


class Gate(Service):
    """Says that it runs, and ends when the file it was given is there."""

    name = "bad.gate"

    def handle(self) -> dict[str, Any]:
        run = begin(self, FOLDER)
        while not Path(self.request.payload).exists():
            time.sleep(PAUSE)
        return run


class GateOnLoop(AsyncService):
    """Says that it runs, and ends when the file that it was given is there with the number of its process."""

    name = "bad.gate-on-loop"

    async def handle(self) -> dict[str, Any]:
        run = begin(self, FOLDER)
        while not Path(f"{self.request.payload}-{os.getpid()}").exists():  # noqa: ASYNC110, ASYNC240 -- quick
            await asyncio.sleep(PAUSE)
        return run


class Exit(Service):
    """Takes its process with it."""

    name = "bad.exit"

    def handle(self) -> None:
        begin(self, FOLDER)
        os._exit(7)


class Eat(Service):
    """Takes more and more memory, until it is stopped."""

    name = "bad.eat"

    def handle(self) -> str:
        begin(self, FOLDER)
        eaten: list[bytes] = []
        while len(eaten) < MOST_MEGABYTES:
            eaten.append(os.urandom(16) * (MEGABYTE // 16))
            time.sleep(PAUSE / 5)
        return "full"


class Huge(Service):
    """Returns as many bytes as it is told to."""

    name = "bad.huge"

    def handle(self) -> str:
        return "x" * int(self.request.payload)


class Called(Service):
    """One of many callbacks; the last of them fails."""

    def handle(self) -> str:
        begin(self, FOLDER)
        if self.name.endswith("10"):
            raise ValueError("I am the tenth")
        return self.name


CALLED = [type(f"Called{number}", (Called,), {"name": f"bad.called-{number}"}) for number in range(1, 11)]
globals().update({each.__name__: each for each in CALLED})
