"""Services that tell which process ran them, wait for outcomes, make many calls at once, and kill their process."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from zato.server.service import AsyncService, Service


def note(folder: str, line: str) -> None:
    """Append a line to the folder's journal, in one write that no kill can tear."""
    handle = os.open(Path(folder, "journal"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


class Who(AsyncService):
    """Tells the number of its process."""

    name = "workers.who"

    async def handle(self) -> int:
        return os.getpid()


class Ran(Service):
    """Notes which process ran it, and when."""

    name = "workers.ran"

    def handle(self) -> None:
        asked = self.request.payload
        time.sleep(asked.get("seconds", 0))
        note(asked["folder"], f"ran {asked['label']} {os.getpid()} {time.monotonic()}")


class Die(Service):
    """Takes its process with it."""

    name = "workers.die"

    def handle(self) -> None:
        note(self.request.payload["folder"], f"dies {os.getpid()}")
        os._exit(7)


class Plan(AsyncService):
    """Makes many calls that are due in an hour, and returns their CIDs."""

    name = "workers.plan"

    async def handle(self) -> list[str]:
        calls = (self.invoke_async("zato.ping", delay=3600) for _ in range(self.request.payload))
        return await asyncio.gather(*calls)


class Await(AsyncService):
    """Waits for the outcomes of many calls at once, and notes when it learnt of each."""

    name = "workers.await"

    async def handle(self) -> int:
        return sum(await asyncio.gather(*map(self.one, self.request.payload["cids"])))

    async def one(self, cid: str) -> bool:
        record: Any = await self.invoke("zato.invocation.get", {"cid": cid, "wait": 50})
        note(self.request.payload["folder"], f"woke {cid} {time.monotonic()}")
        return bool(record["status"] == "cancelled")


class Cancel(AsyncService):
    """Cancels many calls at once."""

    name = "workers.cancel"

    async def handle(self) -> None:
        cids = self.request.payload
        await asyncio.gather(*(self.invoke("zato.invocation.cancel", {"cid": cid}) for cid in cids))
