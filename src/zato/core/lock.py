"""What a service asks for when it takes a lock: what is legal, and how long to pause between two attempts."""

from dataclasses import dataclass
from typing import Self

from zato.core.errors import BadRequest
from zato.core.payload import unicode_text

__all__ = ["LockWish"]

MAX_NAME = 200
# Seconds.
LEAST_EXPIRES = 0.1
MOST_EXPIRES = 86_400.0
MOST_TIMEOUT = 86_400.0
FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.25


@dataclass(frozen=True, slots=True)
class LockWish:
    """A lock that a service wants. Times are in seconds.

    Attributes:
        expires: how long it is held at most.
        timeout: how long to wait for it.
        service: who wants it.
    """

    name: str
    expires: float
    timeout: float
    service: str

    @classmethod
    def of(cls, name: object, expires: object, timeout: object, *, service: str) -> Self:
        """Return the wish that arguments stand for; without a name it is the service's.

        Raises:
            BadRequest: one of them is not legal.
        """
        return cls(
            _name(service if name is None else name),
            _seconds("expires", expires, LEAST_EXPIRES, MOST_EXPIRES),
            _seconds("timeout", timeout, 0, MOST_TIMEOUT),
            service,
        )

    @staticmethod
    def pause(attempt: int, chance: float) -> float:
        """Return the seconds to wait after an attempt found the lock taken.

        Args:
            attempt: which one, from 1.
            chance: a random number from 0 to 1, so that those who wait do not come back together.
        """
        full = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 10))
        return max(FIRST_PAUSE, full * (1 - chance / 2))


def _name(name: object) -> str:
    legal = isinstance(name, str) and 1 <= len(name) <= MAX_NAME and name.isprintable() and unicode_text(name) == name
    if legal:
        return str(name)
    raise BadRequest(f"name={name!r:.100} is no legal lock: give a text of 1 to {MAX_NAME} printable characters.")


def _seconds(option: str, value: object, low: float, high: float) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise BadRequest(f"{option}={value!r:.100} is not legal: give seconds from {low:g} to {high:g}.")
