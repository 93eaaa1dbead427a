"""A backend that keeps nothing: it answers as a test tells it to, and shows what it was asked."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from zato.broker.base import Applied, Operation

__all__ = ["ScriptedBackend"]

Answer = Callable[[Sequence[Operation[Any]]], Applied]


class ScriptedBackend:
    """Answers each operation with itself, unless `answer` says otherwise.

    Attributes:
        batches: what was applied, batch by batch.
        answer: makes the answer to a batch.
        closed: how often it was closed.
    """

    def __init__(self) -> None:
        """Begin open, and unblocked."""
        self.batches: list[list[Operation[Any]]] = []
        self.answer: Answer = lambda batch: Applied(results=list(batch))
        self.closed = 0
        self._entered: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._open = threading.Event()
        self._open.set()

    def block(self) -> None:
        """From now on, stop inside `apply`."""
        self._open.clear()

    def wait_entered(self) -> None:
        """Return once a batch was asked for since the backend was blocked."""
        self._entered.get(timeout=10)

    def unblock(self) -> None:
        """Let batches go on again, also the one that is being written."""
        self._open.set()

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        """Note a batch and answer it."""
        self.batches.append(list(batch))
        if not self._open.is_set():
            self._entered.put(None)
            self._open.wait(timeout=10)
        return self.answer(batch)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed += 1
