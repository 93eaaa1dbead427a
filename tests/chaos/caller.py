"""A client that makes background calls while servers die, and remembers what it was told of each."""

import secrets
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import requests

from tests.chaos.history import ACCEPTED, REFUSED, UNKNOWN, Told
from tests.support.environments import PASSWORD
from zato.client import AnyServiceInvoker, NetworkError
from zato.client.errors import ConnectionFailed
from zato.environment import Environment

__all__ = ["CALLBACK", "SERVICES", "Caller"]

CALLBACK = "chaos.callback"
SERVICES = ("chaos.work", "chaos.work-on-loop", "chaos.flaky")
RETRY = {"attempts": 3, "backoff": 0.05, "jitter": 0.0}


class Caller:
    """One client. Use it in a `with`.

    Attributes:
        told: what it was told, oldest first.
    """

    def __init__(self, environment: Environment, *, read_timeout: float = 20.0) -> None:
        """Take the environment to call, and how many seconds to wait for a reply."""
        self.told: list[Told] = []
        # A session of its own tries once: what a refused connection means is to be seen, not waited for.
        self._session = requests.Session()
        self._client = AnyServiceInvoker(
            f"http://127.0.0.1:{environment.settings().port}",
            "/zato/admin/invoke",
            ("admin.invoke", PASSWORD),
            self._session,
            read_timeout=read_timeout,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def call_each(self, count: int) -> Iterator[Told]:
        """Call the services in turns, each with a callback, so many times in all."""
        for number in range(count):
            yield self.call(SERVICES[number % len(SERVICES)])

    def call(self, service: str, *, seconds: float = 0.01, delay: float = 0.0, repeats: int = 1) -> Told:
        """Make one call with a callback, and again with the same key while nothing is known of it.

        Args:
            seconds: how long the service shall work.
            delay: seconds before it may start.
            repeats: how often to try.
        """
        cid = secrets.token_hex(12)
        for _ in range(repeats):
            told = self._ask(service, cid, seconds, delay)
            self.told.append(told)
            if told.verdict != UNKNOWN:
                break
        return self.told[-1]

    def _ask(self, service: str, cid: str, seconds: float, delay: float) -> Told:
        asked = time.monotonic()
        try:
            response = self._client.invoke_async(
                service,
                {"seconds": seconds},
                cid=cid,
                callback=CALLBACK,
                retry=RETRY,
                delay=delay or None,
                idempotency_key=cid,
            )
            verdict = ACCEPTED if response.ok else REFUSED
        except ConnectionFailed:
            verdict = REFUSED
        except NetworkError:
            verdict = UNKNOWN
        return Told(cid, verdict, time.monotonic(), not_before=asked + delay if delay else 0.0, calls_back=True)

    def look(self, told: Told) -> Told | None:
        """Return what is told of the outcome of a call, and remember that; None if there is none yet."""
        try:
            result = self._client.result(told.cid)
        except NetworkError:
            return None
        if not result.ok:
            return None
        seen = Told(told.cid, told.verdict, told.at, calls_back=True, seen=result.data["run"])
        self.told.append(seen)
        return seen
