"""Services that say they have begun and wait until a file appears, so that a test decides when they end."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from zato.server.service import AsyncService, Service

PAUSE = 0.005


def note(folder: Path, line: str) -> None:
    """Append a line to the folder's journal, in one write that no kill can tear."""
    handle = os.open(folder / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


class Wait(Service):
    """Takes the folder of its journal and of the file `open` that lets it end."""

    name = "gates.wait"

    def handle(self) -> str:
        folder = Path(self.request.payload["folder"])
        note(folder, f"begun {self.request.payload.get('label', '')}")
        while not (folder / "open").exists():
            time.sleep(PAUSE)
        note(folder, f"ended {self.request.payload.get('label', '')}")
        return "through"


class WaitOnLoop(AsyncService):
    name = "gates.wait-on-loop"

    async def handle(self) -> str:
        folder = Path(self.request.payload["folder"])
        note(folder, f"begun {self.request.payload.get('label', '')}")
        while not (folder / "open").exists():  # noqa: ASYNC110 -- it waits for another process
            await asyncio.sleep(PAUSE)
        return "through"


class OpenAFile(Service):
    name = "gates.open-a-file"

    def handle(self) -> int:
        return len(Path(__file__).read_bytes())


class WaitFor(Service):
    """Waits for another service, for as long as it is told."""

    name = "gates.wait-for"

    def handle(self) -> Any:
        return self.invoke("gates.wait", self.request.payload, timeout=self.request.payload["timeout"])


class Die(Service):
    """Takes its process with it."""

    name = "gates.die"

    def handle(self) -> None:
        note(Path(self.request.payload["folder"]), "begun")
        os._exit(7)


class Down(Service):
    """Goes down a chain of alternating kinds of services, to a `gates.wait` at the bottom."""

    name = "gates.down"

    def handle(self) -> Any:
        asked = self.request.payload
        if asked["depth"] == 0:
            return self.invoke("gates.wait", asked)
        return self.invoke("gates.down-on-loop", {**asked, "depth": asked["depth"] - 1})


class DownOnLoop(AsyncService):
    name = "gates.down-on-loop"

    async def handle(self) -> Any:
        asked = self.request.payload
        if asked["depth"] == 0:
            return await self.invoke("gates.wait", asked)
        return await self.invoke("gates.down", {**asked, "depth": asked["depth"] - 1})


class Work(Service):
    """Works for some seconds, and says when it began and that it ended."""

    name = "gates.work"

    def handle(self) -> str:
        asked = self.request.payload
        note(Path(asked["folder"]), f"begun {asked['label']} {time.time()}")
        time.sleep(asked["seconds"])
        note(Path(asked["folder"]), f"ended {asked['label']}")
        return f"did {asked['label']}"


class Target(Service):
    """The first link of a chain: target, callback, the callback's callback. Each waits at its own gate."""

    name = "gates.target"

    def handle(self) -> str:
        link(Path(self.environ["folder"]), "target", self.cid)
        return "from the target"


class First(Service):
    name = "gates.first"

    def handle(self) -> None:
        link(Path(self.environ["folder"]), "first", self.cid)
        self.invoke_async("zato.ping", environ=self.environ, callback="gates.second", idempotency_key=self.cid)


class Second(Service):
    name = "gates.second"

    def handle(self) -> None:
        link(Path(self.environ["folder"]), "second", self.cid)


class Start(Service):
    """Starts the chain, with the folder of its journal and of its gates."""

    name = "gates.start"

    def handle(self) -> str:
        return self.invoke_async("gates.target", environ=self.request.payload, callback="gates.first")


def link(folder: Path, step: str, cid: str) -> None:
    """Note that a step has begun, and return when its gate is open."""
    note(folder, f"{step} {cid}")
    while (folder / f"{step}-shut").exists():
        time.sleep(PAUSE)
