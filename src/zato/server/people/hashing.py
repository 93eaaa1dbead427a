"""Checking and hashing passwords, which takes a processor 10 ms each, on one thread of its own.

Somebody who floods the log-in must not slow what the server is there for. The thread gives way to all others, where
the system can tell threads apart, and begins at most so many a second. Few may wait: a person who would wait for
long is better told so. Nobody else waits for one address that sends many at once.
"""

import asyncio
import contextlib
import os
import queue
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from zato.core.people_errors import HashingBusy
from zato.inbox import LoopInbox

__all__ = ["Hashing"]

# Besides the one that is being hashed.
MOST_WAITING = 4
MOST_OF_ONE = 2
MOST_A_SECOND = 5
NICE = 19

Result = TypeVar("Result")
_Piece = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Hashing:
    """A thread that begins with the first password. Used on the event loop only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the loop that results go to."""
        self._loop = loop
        self._inbox = LoopInbox(loop)
        self._work: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._places: Counter[str] = Counter()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def place(self, whom: str) -> Iterator[None]:
        """Have a place in the line while the context lasts.

        Args:
            whom: for which address; a few places are all that one gets.

        Raises:
            HashingBusy: there is none.
        """
        if self._places.total() > MOST_WAITING or self._places[whom] >= MOST_OF_ONE:
            raise HashingBusy.now()
        self._places[whom] += 1
        try:
            yield
        finally:
            self._places[whom] -= 1
            if not self._places[whom]:
                del self._places[whom]

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns, on the thread. Only whoever has a place asks."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="zato-hashing", daemon=True)
            self._thread.start()
        answer: asyncio.Future[Result] = self._loop.create_future()
        self._work.put((work, answer))
        return await answer

    def close(self) -> None:
        """End the thread, after what it does now."""
        self._stopping.set()
        self._work.put(None)
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        _give_way()
        began = deque([-1.0] * MOST_A_SECOND, MOST_A_SECOND)
        while (piece := self._work.get()) and not self._stopping.is_set():
            if piece[1].done():
                # Nobody waits for it any more, and nobody behind it waits for that.
                continue
            self._stopping.wait(max(0.0, began[0] + 1.0 - time.monotonic()))
            began.append(time.monotonic())
            self._hash(*piece)
            del piece

    def _hash(self, work: Callable[[], Any], answer: "asyncio.Future[Any]") -> None:
        try:
            result = work()
        except Exception as error:
            self._inbox.put(partial(_settle, answer, answer.set_exception, error))
        else:
            self._inbox.put(partial(_settle, answer, answer.set_result, result))


def _settle(answer: "asyncio.Future[Any]", settle: Callable[[Any], None], outcome: object) -> None:
    """Tell whoever waits, unless nobody does any more."""
    if not answer.done():
        settle(outcome)


def _give_way() -> None:
    """Have this thread run when no other one wants to, where a thread has a priority of its own."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
