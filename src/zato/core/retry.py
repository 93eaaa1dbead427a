"""Whether a failed invocation is tried again, and when."""

from dataclasses import dataclass
from typing import Self

from zato.core.errors import BadRequest

__all__ = ["Retry"]

# Seconds; about thirty years, so that every time stays a number that can be stored.
LONGEST_PAUSE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a service is tried and how long to pause in between.

    The pause before attempt n+1 is `backoff * 2 ** (n - 1)` seconds, at most `cap`, and is
    shortened by up to the share `jitter`, so that calls that failed together do not return together.

    Attributes:
        attempts: how often at most, the first one included. 1 means never again.
        backoff: seconds before the second attempt.
        cap: seconds, the longest pause.
        jitter: 0 to 1, the share of a pause that chance may take away.
    """

    attempts: int = 1
    backoff: float = 1.0
    cap: float = 600.0
    jitter: float = 0.5

    @classmethod
    def of(cls, value: object) -> Self:
        """Return the policy a caller meant: one of these, a number of attempts, or a dict of the fields.

        Raises:
            BadRequest: it is none of them, or a number is out of range.
        """
        if isinstance(value, cls):
            return value.checked()
        if isinstance(value, int) and not isinstance(value, bool):
            return cls(attempts=value).checked()
        if isinstance(value, dict):
            try:
                return cls(**value).checked()
            except TypeError as error:
                raise BadRequest(f"retry={value!r} is not understood: {error}.") from error
        raise BadRequest(f"retry={value!r} is not understood: give a number of attempts, a Retry or a dict.")

    def checked(self) -> Self:
        """Return this policy.

        Raises:
            BadRequest: a number is out of range.
        """
        if type(self.attempts) is not int:
            raise BadRequest(f"attempts={self.attempts!r} is no whole number.")
        if not all(type(number) in (int, float) for number in (self.backoff, self.cap, self.jitter)):
            raise BadRequest(f"{self!r} holds something that is no number.")
        pauses = 0 <= self.backoff <= LONGEST_PAUSE and 0 <= self.cap <= LONGEST_PAUSE
        if not (1 <= self.attempts <= 1000 and pauses and 0 <= self.jitter <= 1):
            raise BadRequest(
                f"{self!r} is out of range: attempts 1 to 1000, backoff and cap 0 to {LONGEST_PAUSE}, jitter 0 to 1."
            )
        return self

    def pause(self, attempt: int, chance: float) -> float | None:
        """Return the seconds to wait after the given failed attempt, or None if it was the last.

        Args:
            attempt: which attempt failed, counted from 1.
            chance: a random number from 0 to 1.
        """
        if attempt >= self.attempts:
            return None
        full = min(self.cap, self.backoff * 2.0 ** min(attempt - 1, 60))
        return full * (1 - self.jitter * chance)
