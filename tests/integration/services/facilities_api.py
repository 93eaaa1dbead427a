"""Services that use everything a server has for them, once."""

from typing import Any

from zato.server.service import AsyncService, Service


def doubled(number: int) -> int:
    """Return twice the number."""
    return 2 * number


class Target(Service):
    name = "facilities.target"

    def handle(self) -> str:
        return "reached"


def used(self: Any) -> dict[str, Any]:
    """Use what needs no waiting, and return what came of it."""
    self.log_input()
    server = self.server
    return {
        "time": [self.time.utcnow(), self.time.today(), self.time.reformat("1.2.2024", "D.M.YYYY", "YYYY-MM-DD")],
        "config": self.user_config["mine"].backend.url,
        "server": [server.name, server.pid, server.worker, server.address, str(server.environment)],
        "wsgi": {key: value for key, value in self.wsgi_environ.items() if isinstance(value, str)},
        "body": self.wsgi_environ["wsgi.input"].read().decode() if self.wsgi_environ else None,
        "crypto": [
            self.crypto.decrypt(self.crypto.encrypt("żółw")),
            self.crypto.verify_hash("a", self.crypto.hash_secret("a")),
            self.crypto.encrypt("for the other one"),
        ],
        "invoked": self.invocation_time,
    }


class Everything(Service):
    """Uses it on a thread."""

    name = "facilities.everything"

    def handle(self) -> None:
        self.sleep(0.001)
        self.response.payload = {
            **used(self),
            "thread": self.run_in_thread(doubled, 21),
            "by_id": self.invoke_by_id("facilities.target"),
            "by_impl_name": self.invoke_by_impl_name("facilities_api.Target"),
        }

    def after_handle(self) -> None:
        self.response.payload["milliseconds"] = self.processing_time
        self.log_output()


class EverythingOnLoop(AsyncService):
    """Uses it on the event loop."""

    name = "facilities.everything-on-loop"

    async def handle(self) -> None:
        await self.sleep(0.001)
        self.response.payload = {
            **used(self),
            "thread": await self.run_in_thread(doubled, 21),
            "by_id": await self.invoke_by_id("facilities.target"),
            "by_impl_name": await self.invoke_by_impl_name("facilities_api.Target"),
        }

    async def after_handle(self) -> None:
        self.response.payload["milliseconds"] = self.processing_time
        self.log_output()


class Redis(Service):
    """Says what Redis says, or why there is none."""

    name = "facilities.redis"

    def handle(self) -> str:
        return str(self.kvdb.conn.ping())


class Opened(Service):
    """Decrypts what another service, of another process perhaps, has encrypted."""

    name = "facilities.opened"

    def handle(self) -> str:
        return self.crypto.decrypt(self.request.payload)
