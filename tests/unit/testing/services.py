"""Services under test."""

import asyncio
import threading
from contextlib import suppress
from typing import Any

from zato.core.errors import InvocationCancelled
from zato.server.service import AsyncService, BadRequest, Service

__all__ = ["Call", "CallAsync", "Echo", "EchoAsync", "Fail", "Later", "Seen", "Slow", "seen"]

seen: list[Any] = []


class Echo(Service):
    """Answers what it was given."""

    name = "test.echo"

    def handle(self) -> Any:
        return self.request.payload


class EchoAsync(AsyncService):
    name = "test.echo-async"

    async def handle(self) -> Any:
        return self.request.payload


class Seen(Service):
    """Answers what it sees of its call."""

    name = "test.seen"

    def handle(self) -> dict[str, Any]:
        http = self.request.http
        return {
            "payload": self.request.payload,
            "raw": self.request.raw_request,
            "channel": self.channel,
            "data_format": self.data_format,
            "transport": self.transport,
            "environ": self.environ,
            "cid": self.cid,
            "http": [http.method, http.path, dict(http.headers), dict(http.params)],
            "thread": threading.current_thread().name,
        }


class Call(Service):
    """Invokes another one."""

    name = "test.call"

    def handle(self) -> Any:
        return self.invoke("crm.get-customer", {"id": self.request.payload["id"]}, timeout=None)


class CallAsync(AsyncService):
    name = "test.call-async"

    async def handle(self) -> Any:
        return await self.invoke("crm.get-customer", {"id": self.request.payload["id"]})


class Fail(Service):
    """Refuses what it is given, in its own words."""

    name = "test.fail"

    def handle(self) -> None:
        raise BadRequest(f"Not {self.request.payload!r}.")


class Later(Service):
    """Has another one run in the background, with the options that it is given."""

    name = "test.later"

    def handle(self) -> str:
        return self.invoke_async("test.note", "from later", **self.request.payload)


class Note(Service):
    """Notes what it was given."""

    name = "test.note"

    def handle(self) -> str:
        seen.append(self.request.payload)
        return f"noted {self.request.payload}"


class NoteAsync(AsyncService):
    name = "test.note-async"

    async def handle(self) -> None:
        await asyncio.sleep(0)
        seen.append(self.request.payload)


class Callback(Service):
    """Notes what it is called back with."""

    name = "test.callback"

    def handle(self) -> None:
        seen.append((str(self.channel), self.in_reply_to, self.request.payload))


class Flaky(Service):
    """Succeeds at the third attempt."""

    name = "test.flaky"

    def handle(self) -> str:
        seen.append(self.time.utcnow())
        if len(seen) < 3:
            raise ConnectionError("The line is dead.")
        return "at last"


class Slow(Service):
    """Runs until it is stopped."""

    name = "test.slow"

    def handle(self) -> str:
        gate = threading.Event()
        while not self.cancelled:
            gate.wait(0.002)
        return "stopped"


class Circular(Service):
    """Has itself run again, for ever."""

    name = "test.circular"

    def handle(self) -> None:
        self.invoke_async(self)


class Stop(Service):
    """Cancels the call it is in."""

    name = "test.stop"

    def handle(self) -> str:
        with suppress(InvocationCancelled):
            self.invoke("zato.invocation.cancel", {"cid": self.cid})
        seen.append(self.cancelled)
        return "too late"


class Wait(AsyncService):
    """Waits for the outcome of a call, and cancels it meanwhile."""

    name = "test.wait"

    async def handle(self) -> Any:
        cid = self.request.payload
        record, _ = await asyncio.gather(
            self.invoke("zato.invocation.get", {"cid": cid, "wait": 9}),
            self.invoke("zato.invocation.cancel", {"cid": cid}),
        )
        return record["status"]
