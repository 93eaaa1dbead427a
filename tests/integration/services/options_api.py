"""Services that say on their classes, or of their calls, how they are to run."""

import os
import time
from pathlib import Path
from typing import Any

from zato.server.service import AsyncService, Service

PAUSE = 0.005


def note(folder: str, line: str) -> None:
    """Append a line to the folder's journal, in one write."""
    handle = os.open(Path(folder) / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


class Limited(Service):
    """Two at a time; each waits for the gate."""

    name = "options.limited"
    max_concurrency = 2

    def handle(self) -> None:
        asked = self.request.payload
        note(asked["folder"], f"begun {asked['label']}")
        while not (Path(asked["folder"]) / "open").exists():
            time.sleep(PAUSE)
        note(asked["folder"], f"ended {asked['label']}")


class Express(Service):
    name = "options.express"
    priority = "high"
    queue = "express"

    def handle(self) -> None:
        pass


class Locked(Service):
    """Is alone while it writes two lines."""

    name = "options.locked"

    def handle(self) -> None:
        with self.lock("options", timeout=30):
            note(self.request.payload["folder"], f"in {os.getpid()}")
            note(self.request.payload["folder"], f"out {os.getpid()}")


class LockedOnLoop(AsyncService):
    name = "options.locked-on-loop"

    async def handle(self) -> None:
        async with self.lock("options", timeout=30):
            note(self.request.payload["folder"], f"in {os.getpid()}")
            note(self.request.payload["folder"], f"out {os.getpid()}")


class Hold(Service):
    """Holds the lock with its own name until the gate opens."""

    name = "options.hold"

    def handle(self) -> None:
        with self.lock(timeout=self.request.payload.get("timeout", 0)):
            note(self.request.payload["folder"], "holds")
            while not (Path(self.request.payload["folder"]) / "open").exists():
                time.sleep(PAUSE)


class Twice(AsyncService):
    """Takes a lock that it has."""

    name = "options.twice"

    async def handle(self) -> None:
        async with self.lock(), self.lock(timeout=0):
            pass


class Many(Service):
    name = "options.many"

    def handle(self) -> Any:
        return self.invoke_async_many(
            [tuple(item) if isinstance(item, list) else item for item in self.request.payload]
        )


class ManyOnLoop(AsyncService):
    name = "options.many-on-loop"

    async def handle(self) -> Any:
        return await self.invoke_async_many(self.request.payload)
