"""The services under measurement, loaded from a services folder like anybody's."""

import asyncio
import os
import pathlib
import time
from typing import Any

from bench.work import do, do_async, payload
from zato.core.elements import Bool, Float, Int
from zato.server.service import AsyncService, Service


class Handle(Service):
    """A user's service: blocking, a dict out."""

    name = "bench.handle"

    def handle(self) -> dict[str, Any]:
        return {"customer": 123, "status": "active"}


class Empty(Service):
    name = "bench.empty"

    def handle(self) -> None:
        pass


class Hooked(Empty):
    """Has every hook, all of them empty."""

    name = "bench.hooked"

    def accept(self) -> bool:
        return True

    def before_handle(self) -> None:
        pass

    def validate_input(self) -> None:
        pass

    def validate_output(self) -> None:
        pass

    def after_handle(self) -> None:
        pass

    def finalize_handle(self) -> None:
        pass


class Declared(Service):
    """Declares ten elements each way, half of them with a type, and returns what it was given."""

    name = "bench.declared"
    input = ("name", "city", "-note", "is_new", "order_count", Int("age"), Bool("vip"), Float("-rate"), "x", "y")
    output = ("name", "city", "-note", "is_new", "order_count", Int("age"), Bool("vip"), Float("-rate"), "x", "y")

    def handle(self) -> Any:
        return self.request.input


class Undeclared(Service):
    """The same without a declaration."""

    name = "bench.undeclared"

    def handle(self) -> Any:
        return self.request.payload


class Nested(Service):
    """Returns how many microseconds `self.invoke` of a service takes."""

    name = "bench.nested"

    def handle(self) -> float:
        asked = self.request.payload
        count, target, given = int(asked["n"]), asked.get("target", "bench.empty"), asked.get("payload", "")
        start = time.perf_counter()
        for _ in range(count):
            self.invoke(target, given)
        return (time.perf_counter() - start) / count * 1e6


class Job(Service):
    name = "bench.job"

    def handle(self) -> None:
        do(self.request.payload)


class JobAsync(AsyncService):
    name = "bench.job-async"

    async def handle(self) -> None:
        await do_async(self.request.payload)


class Produce(AsyncService):
    """Makes background calls, a number of them in flight, and returns when the first was made."""

    name = "bench.produce"

    async def handle(self) -> float:
        asked = self.request.payload
        numbers = iter(range(asked["n"]))

        async def lane() -> None:
            for number in numbers:
                await self.invoke_async(asked["target"], payload(number))

        start = time.monotonic()
        await asyncio.gather(*(lane() for _ in range(asked["in_flight"])))
        return start


class ProduceBlocking(Service):
    """Makes background calls one after the other, and returns when the first was made."""

    name = "bench.produce-blocking"

    def handle(self) -> float:
        asked = self.request.payload
        start = time.monotonic()
        for number in range(asked["n"]):
            self.invoke_async(asked["target"], payload(number))
        return start


class Arrive(Service):
    """Returns how long ago the call was made, in seconds."""

    name = "bench.arrive"

    def handle(self) -> float:
        return time.monotonic() - float(self.request.payload["sent"])


class Paced(AsyncService):
    """Makes background calls at a steady pace, and returns their CIDs."""

    name = "bench.paced"

    async def handle(self) -> list[str]:
        asked, cids = self.request.payload, []
        start = time.monotonic()
        for number in range(asked["n"]):
            await asyncio.sleep(max(0, start + number / asked["rate"] - time.monotonic()))
            cids.append(await self.invoke_async("bench.arrive", payload(number) | {"sent": time.monotonic()}))
        return cids


class Moment(AsyncService):
    """Returns which process ran it and when it ended."""

    name = "bench.moment"

    async def handle(self) -> dict[str, Any]:
        await asyncio.sleep(self.request.payload["seconds"])
        return {"pid": os.getpid(), "ended": time.monotonic()}


class Busy(Service):
    """Computes and blocks in turns, until a file is there."""

    name = "bench.busy"

    def handle(self) -> None:
        asked = self.request.payload
        while not pathlib.Path(asked["until"]).exists():
            end = time.thread_time() + asked["compute"]
            while time.thread_time() < end:
                sum(range(200))
            time.sleep(asked["block"])


class Sleep(Service):
    """Notes in a file that it runs and in which process, then sleeps."""

    name = "bench.sleep"

    def handle(self) -> None:
        asked = self.request.payload
        file = os.open(asked["file"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, f"{asked['id']} {time.monotonic()} {os.getpid()}\n".encode())
        os.close(file)
        time.sleep(asked["seconds"])
