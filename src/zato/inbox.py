"""From other threads to the event loop: many call-backs in one wake-up."""

import asyncio
from collections import deque
from collections.abc import Callable

__all__ = ["LoopInbox"]

CallBack = Callable[[], object]


class LoopInbox:
    """Takes call-backs on any thread, and calls them on the event loop, in order.

    Waking the loop costs a system call; what arrives before it is awake goes along with the first.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the loop."""
        self._loop = loop
        self._waiting: deque[CallBack] = deque()
        self._planned = False

    def put(self, call_back: CallBack) -> None:
        """Have something called. A closed loop calls nothing: nobody is left to tell."""
        self._waiting.append(call_back)
        if self._planned:
            return
        self._planned = True
        try:
            self._loop.call_soon_threadsafe(self._drain)
        except RuntimeError:
            self._planned = False

    def _drain(self) -> None:
        """Call everything, even if one call-back fails; the loop reports that error.

        The flag is lowered first, so that what arrives meanwhile plans the next wake-up.
        """
        self._planned = False
        while self._waiting:
            try:
                self._waiting.popleft()()
            except Exception as error:
                self._loop.call_exception_handler({"message": "A call-back failed", "exception": error})
