"""Services with callbacks. Each callback writes what it got into the journal that its `environ` names."""

import json
from pathlib import Path
from typing import Any

from zato.server.service import AsyncService, Service


def write(service: Service | AsyncService) -> None:
    """Append a line that tells everything a callback can know."""
    line = {
        "service": service.name,
        "payload": service.request.payload,
        "channel": service.channel,
        "cid": service.cid,
        "in_reply_to": service.in_reply_to,
    }
    with Path(service.environ["journal"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


class Recorder(Service):
    def handle(self) -> Any:
        write(self)


class Caller(Service):
    """Has no callback by convention."""

    name = "callbacks.caller"

    def handle(self) -> str:
        asked = self.request.payload
        return self.invoke_async(
            asked["target"],
            asked.get("payload", ""),
            environ={"journal": asked["journal"]},
            **asked.get("options", {}),
        )


class First(Recorder):
    name = "callbacks.first"


class Second(Recorder):
    name = "callbacks.second"


class OnLoop(AsyncService):
    name = "callbacks.on-loop"

    async def handle(self) -> None:
        write(self)


class ByClass(Service):
    """Names its callbacks by class and by name, in one list."""

    name = "callbacks.by-class"

    def handle(self) -> str:
        environ = {"journal": self.request.payload["journal"]}
        return self.invoke_async("zato.ping", environ=environ, callback=[First, "callbacks.second"])


class BySelf(Service):
    """Is its own callback."""

    name = "callbacks.by-self"

    def handle(self) -> str | None:
        if self.channel == "invoke-async-callback":
            write(self)
            return None
        return self.invoke_async("zato.ping", environ={"journal": self.request.payload["journal"]}, callback=self)


class Conventional(Service):
    """Has a callback because of its name; names another one if it is told to."""

    def handle(self) -> str:
        asked = self.request.payload
        environ = {"journal": asked["journal"]}
        return self.invoke_async(asked["target"], environ=environ, callback=asked.get("callback"))


class ConventionalAsyncCallback(Recorder):
    pass


class Flaky(Service):
    """Fails as often as it is told before it succeeds."""

    name = "callbacks.flaky"

    def handle(self) -> str:
        journal = Path(self.environ["journal"])
        with journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"service": self.name}) + "\n")
        tries = sum(f'"{self.name}"' in line for line in journal.read_text("utf-8").splitlines())
        if tries <= self.request.payload["failures"]:
            raise ConnectionError(f"attempt {tries} failed")
        return "done at last"
