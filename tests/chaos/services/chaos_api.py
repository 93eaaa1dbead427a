"""Services that write down when they start, and may be killed while they run."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from tests.chaos.journal import begin
from tests.chaos.traps import Traps
from zato.server.service import AsyncService, Service

TRAPS = Traps(Path(__file__).parents[1])


class Work(Service):
    """Works for the seconds it is told, on a thread."""

    name = "chaos.work"

    def handle(self) -> dict[str, Any]:
        run = begin(self, TRAPS.folder)
        TRAPS.spring("handle, on a thread")
        time.sleep(self.request.payload["seconds"])
        return run


class WorkOnLoop(AsyncService):
    """Works for the seconds it is told, on the event loop."""

    name = "chaos.work-on-loop"

    async def handle(self) -> dict[str, Any]:
        run = begin(self, TRAPS.folder)
        TRAPS.spring("handle, on the event loop")
        await asyncio.sleep(self.request.payload["seconds"])
        return run


class Flaky(Service):
    """Fails until it has been started twice with its CID."""

    name = "chaos.flaky"

    def handle(self) -> dict[str, Any]:
        run = begin(self, TRAPS.folder)
        lines = (TRAPS.folder / "journal").read_text("utf-8").splitlines()
        if sum(json.loads(line)["cid"] == self.cid for line in lines) < 2:
            raise ConnectionError("not at the first time")
        return run


class Callback(Service):
    """Gets the responses of the others."""

    name = "chaos.callback"

    def handle(self) -> dict[str, Any]:
        run = begin(self, TRAPS.folder)
        TRAPS.spring("handle, in a callback")
        return run


class Doomed(Service):
    """Fails each time."""

    name = "chaos.doomed"

    def handle(self) -> None:
        begin(self, TRAPS.folder)
        time.sleep(self.request.payload["seconds"])
        raise ConnectionError("not this time either")


class OnFailure(Service):
    """Gets the reports of those that failed for good."""

    name = "chaos.on-failure"

    def handle(self) -> dict[str, Any]:
        return begin(self, TRAPS.folder)
