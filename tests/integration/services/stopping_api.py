"""Services that run until they are stopped, and that fail in ways a policy knows; they write down what they see."""

import asyncio
import os
import time
from pathlib import Path

from zato.server.service import AsyncService, BadRequest, Retry, Service

PAUSE = 0.005


def note(folder: str, line: str) -> None:
    """Append a line to the folder's journal, in one write."""
    handle = os.open(Path(folder) / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


class Watches(Service):
    """Blocks until it should stop."""

    name = "stopping.watches"

    def handle(self) -> str:
        folder = self.request.payload["folder"]
        note(folder, "begun")
        while not self.cancelled:
            time.sleep(PAUSE)
        note(folder, "stopped")
        return "partial"


class Deaf(Service):
    """Blocks until a file appears, whoever wants it to stop."""

    name = "stopping.deaf"

    def handle(self) -> str:
        folder = self.request.payload["folder"]
        note(folder, "begun")
        while not (Path(folder) / "open").exists():
            time.sleep(PAUSE)
        note(folder, f"ended {self.cancelled}")
        return "late"


class Sleeper(AsyncService):
    """Waits for longer than anybody, and tidies up."""

    name = "stopping.sleeper"

    async def handle(self) -> None:
        folder = self.request.payload["folder"]
        note(folder, "begun")
        try:
            await asyncio.sleep(60)
        finally:
            note(folder, "stopped")


class Above(Service):
    """Waits for the one that watches."""

    name = "stopping.above"

    def handle(self) -> object:
        return self.invoke("stopping.watches", self.request.payload)


class Limited(Watches):
    """One attempt may take a moment; two attempts are made."""

    name = "stopping.limited"
    time_limit = 0.1
    retry = Retry(2, backoff=0.01)


class LimitedSleeper(Sleeper):
    name = "stopping.limited-sleeper"
    time_limit = 0.1
    retry = 2


class CardRefused(Exception):
    """An error of the user's."""


class Flaky(Service):
    """Raises what it is told to, as often as it is told to, and then returns."""

    name = "stopping.flaky"
    retry = Retry(4, backoff=0.01, not_on=CardRefused)

    def handle(self) -> str:
        asked = self.request.payload
        note(asked["folder"], f"tried {time.time()}")
        if len((Path(asked["folder"]) / "journal").read_text().splitlines()) <= asked["times"]:
            raise {"ValueError": ValueError, "BadRequest": BadRequest, "CardRefused": CardRefused}[asked["error"]]("no")
        return "done in the end"


class Told(Service):
    name = "stopping.told"

    def handle(self) -> None:
        """Be called back."""


class Caller(Service):
    """Makes a background call with options of its own."""

    name = "stopping.caller"

    def handle(self) -> str:
        asked = self.request.payload
        return self.invoke_async(asked["service"], asked["payload"], **asked["options"])
