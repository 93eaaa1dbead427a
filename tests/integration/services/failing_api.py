"""Services that end in every way a service should not."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from zato.common import exception
from zato.server.service import AsyncService, Service


class Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class Beyond(BaseException):
    """Not an Exception, so that most `except` clauses miss it."""


def nested(depth: int) -> list[Any]:
    """Return a list in a list, this many levels deep."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def recurse(depth: int = 0) -> int:
    """Never return."""
    return recurse(depth + 1) + 1


def throw(error: BaseException) -> Any:
    """Raise an error, where only an expression may stand."""
    raise error


WAYS: dict[str, Callable[[], Any]] = {
    "value-error": lambda: throw(ValueError("no such customer: 12")),
    "no-text": lambda: throw(LookupError()),
    "group": lambda: throw(ExceptionGroup("two at once", [ValueError("a"), KeyError("b")])),
    "unprintable": lambda: throw(Unprintable()),
    "half-a-pair": lambda: throw(ValueError("bad \ud800 text")),
    "exit": lambda: sys.exit(3),
    "interrupt": lambda: throw(KeyboardInterrupt()),
    "stop-iteration": lambda: throw(StopIteration(7)),
    "stop-async": lambda: throw(StopAsyncIteration(8)),
    "generator-exit": lambda: throw(GeneratorExit()),
    "cancelled": lambda: throw(asyncio.CancelledError()),
    "beyond": lambda: throw(Beyond("the pale")),
    "recursion": recurse,
    "object": object,
    "nan": lambda: {"rows": [{"rate": float("nan")}]},
    "too-deep": lambda: nested(201),
    "surrogate": lambda: "bad \ud800 text",
    "deep": lambda: nested(200),
}


class OnThread(Service):
    name = "failing.on-thread"

    def handle(self) -> Any:
        return WAYS[self.request.payload]()


class OnLoop(AsyncService):
    name = "failing.on-loop"

    async def handle(self) -> Any:
        return WAYS[self.request.payload]()


class Refusing(Service):
    """Raises the exception it is told to, in one of the two ways."""

    name = "failing.refusing"

    def handle(self) -> None:
        kind = getattr(exception, self.request.payload["kind"])
        raise kind(self.cid, "Not today.") if self.request.payload["with_cid"] else kind("Not today.")
