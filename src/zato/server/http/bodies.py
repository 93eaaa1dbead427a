"""Reading bodies within limits of size and time."""

import asyncio
import time
from collections.abc import AsyncIterable
from types import TracebackType
from typing import Self

from zato.core.errors import BadRequest, PayloadTooLarge, RequestTimeout

__all__ = ["BodyDeadlines", "ClientLeft", "declared_length", "read_chunks"]


# More digits than any limit has; Python refuses to convert thousands of them.
MAX_DIGITS = 20


class ClientLeft(Exception):
    """The client closed its connection in the middle of its request: nobody is left to answer."""


class BodyDeadlines:
    """Ends requests whose bodies do not arrive in time.

    One timer looks after all of them, because a timer for each request costs more than reading it.
    The precision is a tenth of the limit.
    """

    def __init__(self, seconds: float) -> None:
        """Take how long a body may take."""
        self._seconds = seconds
        self._reading: dict[asyncio.Task[object], float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> "_Watched":
        """Return a context in which the current task is cancelled when its time is up.

        The context turns that cancellation into `RequestTimeout`.
        """
        return _Watched(self)

    @property
    def watched(self) -> int:
        """How many bodies have not arrived."""
        return len(self._reading)

    def enter(self, task: "asyncio.Task[object]") -> None:
        """Watch a task from now on."""
        self._reading[task] = time.monotonic()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds / 10, self._look)

    def leave(self, task: "asyncio.Task[object]") -> None:
        """Watch a task no more."""
        self._reading.pop(task, None)

    def error(self) -> RequestTimeout:
        """Return what a late request is answered with."""
        return RequestTimeout(f"The request's body did not arrive within {self._seconds:g} s (setting body_timeout).")

    def _look(self) -> None:
        self._timer = None
        late = time.monotonic() - self._seconds
        for task, since in self._reading.items():
            if since > late:
                break
            task.cancel(self)
        if self._reading:
            self._timer = asyncio.get_running_loop().call_later(self._seconds / 10, self._look)


class _Watched:
    __slots__ = ("_deadlines", "_task")

    def __init__(self, deadlines: BodyDeadlines) -> None:
        self._deadlines = deadlines
        self._task: asyncio.Task[object] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        if self._task is not None:
            self._deadlines.enter(self._task)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is None:
            return
        self._deadlines.leave(self._task)
        if isinstance(error, asyncio.CancelledError) and error.args == (self._deadlines,):
            self._task.uncancel()
            raise self._deadlines.error() from None


def declared_length(header: str | None, limit: int) -> int | None:
    """Return the number of bytes that `Content-Length` announces, or None without it.

    Raises:
        PayloadTooLarge: it is over the limit.
    """
    if header is None:
        return None
    if not header.isdecimal():
        raise BadRequest(f"Content-Length is a number, not {header[:20]!r}.")
    length = int(header[:MAX_DIGITS])
    if length > limit:
        raise _too_large(limit)
    return length


async def read_chunks(chunks: AsyncIterable[bytes], limit: int) -> bytes:
    """Return a body whose length was not announced.

    Args:
        chunks: the body as it arrives.
        limit: the most bytes to take.

    Raises:
        PayloadTooLarge: it is over the limit.
    """
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
    return b"".join(parts)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The request's body is over {limit} bytes (setting max_body).")
