"""One store thread a process: what arrives while a batch is written is the next batch.

No timer stands in front of a batch, so a lone call is written at once, and under load each commit
carries as many operations as arrived during the one before. Beside other processes a busy one pauses
between its batches, or they would never find the store free (docs/decisions/0001-store-thread.md).
Three ways to ask: `ask` for coroutines, `wait` for threads, `post` for whoever wants a call-back on
the event loop.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from zato.broker.base import Applied, Backend, Operation
from zato.core.errors import BrokerUnavailable
from zato.inbox import LoopInbox

__all__ = ["Batcher"]

MAX_BATCH = 500
# Seconds.
PAUSE = 0.0005

Done = Callable[[Any], None]
Result = TypeVar("Result")


class _Waiter:
    """A thread that waits for one result."""

    __slots__ = ("_gate", "result")

    def __init__(self) -> None:
        self.result: object = None
        self._gate = threading.Lock()
        self._gate.acquire()

    def release(self, result: object) -> None:
        self.result = result
        self._gate.release()

    def wait(self) -> object:
        self._gate.acquire()
        return self.result


_Entry = tuple[Operation[Any], Done | _Waiter]


class Batcher:
    """Hands operations to a backend on a thread of its own, and the results back in batches.

    Attributes:
        on_ready: called on the event loop after a batch that made an invocation ready to be leased.
        on_ended: called on the event loop with the ids of the invocations a batch gave their outcome.
        on_applied: called on the store thread after each batch, to tell other processes.
    """

    def __init__(self, backend: Backend, loop: asyncio.AbstractEventLoop, *, shares: bool = False) -> None:
        """Take the backend, the loop that results go to, and whether to pause between batches while there are more.

        With that, others that use the same store find it free, and a store that is far away is asked less often.
        """
        self.on_ready: Callable[[], None] = _nothing
        self.on_ended: Callable[[Sequence[str]], None] = _nothing
        self.on_applied: Callable[[Applied], None] = _nothing
        self._pause = PAUSE if shares else 0
        self._backend = backend
        self._loop = loop
        self._arrived: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._inbox = LoopInbox(loop)
        self._closed = False
        self._door = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="zato-store", daemon=True)

    def start(self) -> None:
        """Start the store thread."""
        self._thread.start()

    def close(self) -> None:
        """Write what has arrived, stop the thread and close the backend. Later operations are refused."""
        with self._door:
            self._closed = True
            self._arrived.put(None)
        self._thread.join()

    def post(self, operation: Operation[Any], done: Done) -> None:
        """Carry out an operation; call `done` on the event loop with its result or an exception."""
        if not self._put(operation, done):
            self._loop.call_soon(done, _closed_error())

    async def ask(self, operation: Operation[Result]) -> Result:
        """Carry out an operation and return its result. For coroutines on the event loop.

        Raises:
            BrokerUnavailable: nothing was stored.
            ZatoError: this operation was refused.
        """
        answer: asyncio.Future[object] = self._loop.create_future()

        def settle(result: object) -> None:
            if not answer.done():
                answer.set_result(result)

        self.post(operation, settle)
        return cast(Result, _returned(await answer))

    def wait(self, operation: Operation[Result]) -> Result:
        """Carry out an operation and return its result. For threads other than the event loop's.

        Raises:
            BrokerUnavailable: nothing was stored.
            ZatoError: this operation was refused.
        """
        waiter = _Waiter()
        if not self._put(operation, waiter):
            raise _closed_error()
        return cast(Result, _returned(waiter.wait()))

    def _put(self, operation: Operation[Any], target: Done | _Waiter) -> bool:
        with self._door:
            if not self._closed:
                self._arrived.put((operation, target))
            return not self._closed

    def _work(self) -> None:
        while entries := self._next_batch():
            operations = [operation for operation, _ in entries]
            try:
                applied = self._backend.apply(operations)
            except BaseException as error:
                applied = Applied(results=[_unavailable(error)] * len(entries))
            self._hand_back(entries, applied)
            self.on_applied(applied)
            if self._pause and not self._arrived.empty():
                time.sleep(self._pause)
        self._backend.close()

    def _next_batch(self) -> list[_Entry]:
        """Return what has arrived, waiting for the first; an empty list means the end."""
        entries: list[_Entry] = []
        entry = self._arrived.get()
        while entry is not None:
            entries.append(entry)
            if len(entries) == MAX_BATCH:
                return entries
            try:
                entry = self._arrived.get_nowait()
            except queue.Empty:
                return entries
        if entries:
            self._arrived.put(None)
        return entries

    def _hand_back(self, entries: Sequence[_Entry], applied: Applied) -> None:
        for (_, target), result in zip(entries, applied.results, strict=True):
            if isinstance(target, _Waiter):
                target.release(result)
            else:
                self._inbox.put(partial(target, result))
        if applied.ended:
            self._inbox.put(partial(self._tell_ended, applied.ended))
        if applied.ready:
            self._inbox.put(self._tell_ready)

    def _tell_ended(self, ended: Sequence[str]) -> None:
        self.on_ended(ended)

    def _tell_ready(self) -> None:
        self.on_ready()


def _nothing(*_: object) -> None:
    """Stand in until somebody listens."""


def _returned(result: object) -> object:
    if isinstance(result, Exception):
        raise result
    return result


def _unavailable(error: BaseException) -> BrokerUnavailable:
    if isinstance(error, BrokerUnavailable):
        return error
    refusal = BrokerUnavailable(f"The broker failed: {type(error).__name__}: {error}")
    refusal.__cause__ = error
    return refusal


def _closed_error() -> BrokerUnavailable:
    return BrokerUnavailable("The broker is closed: the server is stopping. Try again on another one, or later.")
