"""Whoever waits for the outcome of an invocation, without a thread and without asking again."""

import asyncio
from collections.abc import Sequence

__all__ = ["Waiters"]


class Waiters:
    """Futures by invocation id. Used on the event loop only."""

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self._by_id: dict[str, set[asyncio.Future[None]]] = {}
        self._released = False

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._by_id.values())

    @property
    def released(self) -> bool:
        """Whether nobody may wait any more: the server stops."""
        return self._released

    def announce(self, ended: Sequence[str]) -> None:
        """Wake whoever waits for one of these ids."""
        for call_id in ended:
            for future in self._by_id.pop(call_id, ()):
                if not future.done():
                    future.set_result(None)

    def wake_all(self) -> None:
        """Wake everybody to look for himself: it is not known whose outcome there is."""
        self.announce(list(self._by_id))

    def release_all(self) -> None:
        """Wake everybody, and let nobody wait from now on: the server stops."""
        self._released = True
        self.wake_all()

    def enter(self, call_id: str) -> asyncio.Future[None]:
        """Return what is done as soon as the invocation has its outcome. Give it back to `leave`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._released:
            future.set_result(None)
        else:
            self._by_id.setdefault(call_id, set()).add(future)
        return future

    def leave(self, call_id: str, future: asyncio.Future[None]) -> None:
        """Wait no more."""
        waiting = self._by_id.get(call_id)
        if waiting is not None:
            waiting.discard(future)
            if not waiting:
                del self._by_id[call_id]
