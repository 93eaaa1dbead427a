"""What a script is asked for an operation, and what is made of its answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Question", "milliseconds"]

Answer = Callable[[Any], object]


@dataclass(frozen=True, slots=True)
class Question:
    """What a script is asked for an operation.

    Attributes:
        first: arguments that stand in front once, however many operations are asked together.
        each: those of this operation.
        answer: makes the operation's result of what the script returned, or another question to go on with.
        together: whether the script takes several, and returns a list of what it returned for each.
    """

    script: str
    each: tuple[bytes, ...]
    answer: Answer
    first: tuple[bytes, ...] = ()
    together: bool = False

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return sum(map(len, self.each))


def milliseconds(seconds: float) -> int:
    """Return a span of time as scripts take it."""
    return int(seconds * 1000)
