"""How many requests may be in progress at once. Whoever only waits for something is not counted."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from zato.core.errors import Overloaded

__all__ = ["Gate"]


class Gate:
    """Places for requests, one for each task. Used on the event loop only.

    Attributes:
        limit: how many places there are.
    """

    def __init__(self, limit: int) -> None:
        """Take the setting `max_requests`."""
        self.limit = limit
        self._inside: set[asyncio.Task[object] | None] = set()

    def __len__(self) -> int:
        return len(self._inside)

    def enter(self) -> "asyncio.Task[object] | None":
        """Take a place for the current task, and return what `leave` is to be given.

        Raises:
            Overloaded: every place is taken.
        """
        if len(self._inside) >= self.limit:
            raise Overloaded(f"{self.limit} requests are in progress (setting max_requests). Try again later.")
        task = asyncio.current_task()
        self._inside.add(task)
        return task

    def leave(self, task: "asyncio.Task[object] | None") -> None:
        """Give a place back."""
        self._inside.discard(task)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Lend the current task's place to others while it waits; a task without a place has none to lend.

        It gets it back without asking, so that for a moment there may be more inside than places.
        """
        task = asyncio.current_task()
        if task not in self._inside:
            yield
            return
        self._inside.remove(task)
        try:
            yield
        finally:
            self._inside.add(task)
