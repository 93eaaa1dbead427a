"""Services that call each other in all the ways there are, and tell what they saw."""

from typing import Any

from zato.server.service import AsyncService, BadRequest, Service


class Told(Service):
    """Keeps what reached it as its own response, to be read from its record."""

    name = "calls.told"

    def handle(self) -> dict[str, Any]:
        return {
            "payload": self.request.payload,
            "type": type(self.request.payload).__name__,
            "cid": self.cid,
            "in_reply_to": self.in_reply_to,
            "name": self.name,
            "channel": self.channel,
            "channel_type": self.chan.type,
            "data_format": self.data_format,
            "transport": self.transport,
            "environ": self.environ,
        }


class ToldOnLoop(AsyncService):
    name = "calls.told-on-loop"

    async def handle(self) -> dict[str, Any]:
        return {"payload": self.request.payload, "cid": self.cid, "in_reply_to": self.in_reply_to}


class Answer(Service):
    """Answers with its own payload."""

    name = "calls.answer"

    def handle(self) -> Any:
        return self.request.payload


class Nothing(Service):
    name = "calls.nothing"

    def handle(self) -> None:
        self.logger.info("Doing %s for %r", "nothing", self.request.payload)


class Fail(Service):
    name = "calls.fail"

    def handle(self) -> None:
        raise BadRequest(self.cid, "Not with me.")


class Invoke(Service):
    """Calls `target` with `options`, and returns its response and type beside its own CID."""

    name = "calls.invoke"

    def handle(self) -> dict[str, Any]:
        asked = self.request.payload
        answer = self.invoke(asked["target"], *asked.get("arguments", ()), **asked.get("options", {}))
        return {"cid": self.cid, "answer": answer, "type": type(answer).__name__}


class InvokeOnLoop(AsyncService):
    name = "calls.invoke-on-loop"

    async def handle(self) -> dict[str, Any]:
        asked = self.request.payload
        answer = await self.invoke(asked["target"], *asked.get("arguments", ()), **asked.get("options", {}))
        return {"cid": self.cid, "answer": answer, "type": type(answer).__name__}


class InvokeClass(Service):
    """Calls a service by its class, and reads its response by attributes."""

    name = "calls.invoke-class"

    def handle(self) -> Any:
        return self.invoke(Answer, {"a": {"b": 5}}, as_bunch=True).a.b


class InvokeCatching(Service):
    """Catches what its target raises."""

    name = "calls.invoke-catching"

    def handle(self) -> str:
        try:
            self.invoke(Fail)
        except BadRequest as error:
            return f"{type(error).__name__}: {error.message}"
        return "no error"


class Background(Service):
    """Calls `target` in the background with `options`, and returns the CID it got."""

    name = "calls.background"

    def handle(self) -> dict[str, Any]:
        asked = self.request.payload
        cid = self.invoke_async(asked["target"], *asked.get("arguments", ()), **asked.get("options", {}))
        return {"cid": self.cid, "given": cid, "type": type(cid).__name__}


class BackgroundOnLoop(AsyncService):
    name = "calls.background-on-loop"

    async def handle(self) -> dict[str, Any]:
        asked = self.request.payload
        cid = await self.invoke_async(asked["target"], *asked.get("arguments", ()), **asked.get("options", {}))
        return {"cid": self.cid, "given": cid, "type": type(cid).__name__}


class Again(Service):
    """Calls itself in the background, by `self`, once."""

    name = "calls.again"

    def handle(self) -> str:
        return "second" if self.request.payload == "again" else self.invoke_async(self, "again")


class Loop(Service):
    """Calls itself now, which is refused."""

    name = "calls.loop"

    def handle(self) -> None:
        self.invoke(self.name)


class LoopOnLoop(AsyncService):
    name = "calls.loop-on-loop"

    async def handle(self) -> None:
        await self.invoke(type(self))


class Ping(Service):
    """With `Pong`, goes deeper and deeper."""

    name = "calls.ping"

    def handle(self) -> Any:
        return self.invoke("calls.pong", self.request.payload - 1) if self.request.payload else "bottom"


class Pong(AsyncService):
    name = "calls.pong"

    async def handle(self) -> Any:
        return await self.invoke("calls.ping", self.request.payload - 1) if self.request.payload else "bottom"


class Descend(Service):
    """Goes down a chain of blocking services until it is too deep."""

    name = "calls.descend"

    def handle(self) -> Any:
        return self.invoke("calls.descend-more")


class DescendMore(Service):
    name = "calls.descend-more"

    def handle(self) -> Any:
        return self.invoke("calls.descend")


class Unnamed(Service):
    def handle(self) -> list[str]:
        return [self.name, self.impl_name, self.get_name(), self.get_impl_name()]


class GetWSDLList(Service):
    def handle(self) -> str:
        return self.name
