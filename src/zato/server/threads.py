"""Blocking services on threads; what they return goes back to the event loop in batches.

Three rules (docs/explanation/threads.md):

1. Only roots wait for a slot: `Budget` limits calls that came through a door. A service that is
   invoked by another one runs at once, on its caller's thread or on an extra one, or chains of
   services would wait for each other for ever.
2. Doors and background work have budgets of their own.
3. Nothing that accepts, finds or cancels work needs a thread.
"""

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from zato.core.errors import InvocationTimeout, Overloaded
from zato.inbox import LoopInbox

__all__ = ["Budget", "Threads"]

logger = logging.getLogger("zato.server")

Result = TypeVar("Result")
Work = Callable[[], Any]
Done = Callable[[Any, BaseException | None], None]


class Threads:
    """As many threads as there is work, kept for the next work up to a number.

    `start` never waits: there are always at least as many threads as unfinished pieces of work.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, keep: int) -> None:
        """Take the loop that results go to, and how many idle threads to keep."""
        self._loop = loop
        self._keep = keep
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[tuple[Work, Done] | None] = queue.SimpleQueue()
        self._inbox = LoopInbox(loop)
        self._unfinished = 0
        self._threads = 0

    @property
    def count(self) -> int:
        """How many threads there are now."""
        return self._threads

    @property
    def busy(self) -> int:
        """How many of them run something now."""
        return self._unfinished

    def start(self, work: Work, done: Done) -> None:
        """Run `work` on a thread at once; then `done(result, error)` on the event loop. From any thread.

        The error is `Overloaded` if the system has no thread left; `work` has not run then.
        """
        with self._lock:
            self._unfinished += 1
            grow = self._unfinished > self._threads
            self._threads += grow
        if grow and not self._grow():
            self._inbox.put(
                partial(done, None, Overloaded("The system has no thread left to run this on. Try again later."))
            )
        else:
            self._work.put((work, done))

    def _grow(self) -> bool:
        try:
            threading.Thread(target=self._serve, name="zato-service", daemon=True).start()
        except (RuntimeError, MemoryError):
            with self._lock:
                self._unfinished -= 1
                self._threads -= 1
            return False
        return True

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run `work` on a thread at once and return its result, or raise what it raised."""
        answer: asyncio.Future[Result] = self._loop.create_future()
        self.start(work, partial(_settle, answer))
        try:
            return await answer
        finally:
            # An error knows the functions that it passed through; this one must not know the error.
            del answer

    def close(self) -> None:
        """Let idle threads end. Busy ones end with the process; later work still gets threads."""
        with self._lock:
            self._keep = 0
            idle = self._threads - self._unfinished
            self._threads -= idle
        for _ in range(idle):
            self._work.put(None)

    def _serve(self) -> None:
        while piece := self._work.get():
            work, done = piece
            try:
                result, error = work(), None
            except BaseException as raised:
                result, error = None, raised
            del work, piece
            with self._lock:
                self._unfinished -= 1
                surplus = self._threads > max(self._keep, self._unfinished)
                self._threads -= surplus
            self._inbox.put(partial(done, result, error))
            del done, result, error
            if surplus:
                return


class Budget:
    """A number of slots for root calls; more of them wait in line. Used on the event loop only.

    Attributes:
        limit: how many calls may run at once.
        running: how many do.
    """

    def __init__(self, threads: Threads, limit: int, *, name: str) -> None:
        """Take the threads to run on, how many calls may run at once, and a name for the log."""
        self.limit = limit
        self.running = 0
        self._name = name
        self._threads = threads
        self._line: deque[_Place] = deque()
        self._overdue: list[str] = []

    @property
    def waiting(self) -> int:
        """How many calls wait for a slot."""
        return len(self._line)

    @property
    def stuck(self) -> bool:
        """Whether every slot is held by a call that ran out of time and has not ended."""
        return len(self._overdue) >= self.limit

    async def run(self, work: Work, *, label: str, timeout: float | None = None) -> Any:
        """Run `work` once there is a slot, and return its result, or raise what it raised.

        A caller that is cancelled or whose time runs out while it waits gives up its place; once the
        work runs, it keeps its slot to its end.

        Raises:
            InvocationTimeout: `timeout` seconds ran out.
        """
        place = _Place(work, label, asyncio.get_running_loop().create_future())
        if self.running < self.limit:
            self._start(place)
        else:
            self._line.append(place)
        limit = asyncio.timeout(timeout)
        try:
            if timeout is None:
                return await place.answer
            async with limit:
                return await place.answer
        except asyncio.CancelledError:
            self._leave(place)
            raise
        except TimeoutError:
            if not limit.expired():
                raise
            self._leave(place)
            raise InvocationTimeout.after(label, timeout or 0) from None
        finally:
            # As above.
            del place

    def _start(self, place: "_Place") -> None:
        self.running += 1
        place.started = True
        self._threads.start(place.work, partial(self._finished, place))

    def _finished(self, place: "_Place", result: Any, error: BaseException | None) -> None:
        self.running -= 1
        place.ended = True
        if place.overdue:
            self._overdue.remove(place.label)
        if self._line:
            self._start(self._line.popleft())
        _settle(place.answer, result, error)

    def _leave(self, place: "_Place") -> None:
        if place.ended:
            return
        if not place.started:
            self._line.remove(place)
            return
        place.overdue = True
        self._overdue.append(place.label)
        if self.stuck:
            names = ", ".join(sorted(set(self._overdue)))
            logger.error("All %d %s are held by calls nobody waits for any more: %s", self.limit, self._name, names)


@dataclass(slots=True, eq=False)
class _Place:
    """One call in line or in a slot."""

    work: Work
    label: str
    answer: asyncio.Future[Any]
    started: bool = False
    ended: bool = False
    overdue: bool = False


def _settle(answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
