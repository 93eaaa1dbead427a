"""A client that makes background calls while servers die, and remembers what it was told of each."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import requests

from tests.chaos.history import ACCEPTED, REFUSED, UNKNOWN, Told
from tests.support.environments import PASSWORD
from zato.client import AnyServiceInvoker, NetworkError
from zato.client.errors import ConnectionFailed
from zato.environment import Environment

__all__ = ["CALLBACK", "DOOMED", "SERVICES", "Caller"]

CALLBACK = "chaos.callback"
ON_FAILURE = "chaos.on-failure"
DOOMED = "chaos.doomed"
SERVICES = ("chaos.work", "chaos.work-on-loop", "chaos.flaky")
RETRY = {"attempts": 3, "backoff": 0.05, "jitter": 0.0}
# In the answer to a call that was stored, but not as surely as it has to be.
NOT_SURE = "It may run."


class Caller:
    """One client. Use it in a `with`.

    Attributes:
        told: what it was told, oldest first.
    """

    def __init__(self, environment: Environment, *, read_timeout: float = 20.0) -> None:
        """Take the environment to call, and how many seconds to wait for a reply."""
        self.told: list[Told] = []
        settings = environment.settings()
        # A session of its own tries once: what a refused connection means is to be seen, not waited for.
        self._session = requests.Session()
        self._client = AnyServiceInvoker(
            f"http://{settings.host}:{settings.port}",
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

    def call(
        self,
        service: str,
        *,
        seconds: float = 0.01,
        delay: float = 0.0,
        repeats: int = 1,
        keyed: bool = True,
        expiration: float | None = None,
    ) -> Told:
        """Make one call with a callback, and again with the same key while nothing is known of it.

        Args:
            seconds: how long the service shall work.
            delay: seconds before it may start.
            repeats: how often to try.
            keyed: whether it has an idempotency key; without one it is not to be repeated.
            expiration: seconds within which it has to start.
        """
        cid = secrets.token_hex(12)
        options = {
            "cid": cid,
            "delay": delay or None,
            "expiration": expiration,
            "idempotency_key": cid if keyed else None,
        }
        for _ in range(repeats):
            told = self._ask(service, seconds, options)
            self.told.append(told)
            if told.verdict != UNKNOWN:
                break
        return self.told[-1]

    def _ask(self, service: str, seconds: float, options: dict[str, Any]) -> Told:
        asked = time.monotonic()
        try:
            response = self._client.invoke_async(
                service, {"seconds": seconds}, callback=CALLBACK, on_failure=ON_FAILURE, retry=RETRY, **options
            )
            verdict = ACCEPTED if response.ok else UNKNOWN if NOT_SURE in str(response.details) else REFUSED
        except ConnectionFailed:
            verdict = REFUSED
        except NetworkError:
            verdict = UNKNOWN
        return Told(
            options["cid"],
            verdict,
            time.monotonic(),
            not_before=asked + options["delay"] if options["delay"] else 0.0,
            calls_back=True,
            ends="failed" if service == DOOMED else "done",
            keyed=options["idempotency_key"] is not None,
        )

    def look(self, told: Told) -> Told | None:
        """Return what is told of the outcome of a call, and remember that; None if there is none yet."""
        try:
            result = self._client.result(told.cid)
        except NetworkError:
            return None
        if not result.ok:
            return None
        seen = replace(told, seen=result.data["run"], looked=time.monotonic())
        self.told.append(seen)
        return seen
