"""Answers that may be some seconds old, for parts of a page that are costly to ask for."""

import time
from collections.abc import Callable
from typing import Any

__all__ = ["Lately"]


class Lately:
    """The last answer to one question, asked anew when it is too old, or when something else has changed.

    Used by one thread at a time.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take how old an answer may be, and what tells the time in seconds."""
        self._seconds = seconds
        self._clock = clock
        self._about: object = None
        self._answer: Any = None
        self._until = 0.0

    def get(self, about: object, ask: Callable[[], Any]) -> Any:
        """Return an answer.

        Args:
            about: what the answer belongs to; if it is not what it was, the answer is asked for at once.
            ask: returns it.
        """
        if about != self._about or self._clock() >= self._until:
            self._answer = ask()
            self._about, self._until = about, self._clock() + self._seconds
        return self._answer
