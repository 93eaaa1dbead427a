"""Whether a failed invocation is tried again, and when."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Self

from zato.core.errors import BadRequest

__all__ = ["Retry"]

# Seconds; about thirty years, so that every time stays a number that can be stored.
LONGEST_PAUSE = 1_000_000_000
MAX_NAMES = 50
MAX_NAME_LENGTH = 300
# What Python calls the place of a class that is written inside of a function.
IN_A_FUNCTION = "<locals>"

Exceptions = type[BaseException] | str | Iterable[type[BaseException] | str]


@dataclass(frozen=True, slots=True, init=False)
class Retry:
    """How often a service is tried, after which exceptions, and how long to pause in between.

    The pause before attempt n+1 is `backoff * 2 ** (n - 1)` seconds, at most `cap`, and is
    shortened by up to the share `jitter`, so that calls that failed together do not return together.

    Exceptions are given as classes or names, one or several, and kept as names, because a policy crosses
    processes. A name stands for every class that is called so, and for what inherits from one; with dots,
    what stands before the last one is its module, or a package that the module is in: `requests.Timeout`.

    Attributes:
        attempts: how often at most, the first one included. 1 means never again.
        backoff: seconds before the second attempt.
        cap: seconds, the longest pause.
        jitter: 0 to 1, the share of a pause that chance may take away.
        on: the exceptions after which to try again; none named means every one.
        not_on: the exceptions after which not to, even if `on` names them.
    """

    attempts: int = 1
    backoff: float = 1.0
    cap: float = 600.0
    jitter: float = 0.5
    on: tuple[str, ...] = ()
    not_on: tuple[str, ...] = ()

    def __init__(
        self,
        attempts: int = 1,
        backoff: float = 1.0,
        cap: float = 600.0,
        jitter: float = 0.5,
        *,
        on: Exceptions = (),
        not_on: Exceptions = (),
    ) -> None:
        """Take the numbers as they are, and the names of the exceptions. `checked` looks at the numbers.

        Raises:
            BadRequest: `on` or `not_on` is neither an exception nor a name, nor some of these.
        """
        values = (attempts, backoff, cap, jitter, _names("on", on), _names("not_on", not_on))
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)

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

    def covers(self, error: BaseException) -> bool:
        """Tell whether this is an error after which to try again, as long as attempts are left."""
        if not (self.on or self.not_on):
            return True
        kinds = [_name_of(kind) for kind in type(error).__mro__]
        return not _any(self.not_on, kinds) and (not self.on or _any(self.on, kinds))

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

    def as_json(self) -> dict[str, Any] | None:
        """Return the fields as they are shown to people and programs, or None if there is no second attempt."""
        if self.attempts == 1:
            return None
        return {**asdict(self), "on": list(self.on), "not_on": list(self.not_on)}


def _names(option: str, given: Exceptions) -> tuple[str, ...]:
    kinds: object = (given,) if isinstance(given, str | type) else given
    if not isinstance(kinds, Iterable):
        raise _no_exception(option, given)
    names = tuple(_name(option, kind) for kind in kinds)
    if len(names) > MAX_NAMES:
        raise BadRequest(f"{option} names {len(names)} exceptions; {MAX_NAMES} at most. Name what they inherit from.")
    return names


def _name(option: str, kind: object) -> str:
    if isinstance(kind, type) and issubclass(kind, BaseException):
        return _name_of(kind)
    if isinstance(kind, str) and len(kind) <= MAX_NAME_LENGTH:
        parts = kind.split(".")
        if all(part.isidentifier() or part == IN_A_FUNCTION for part in parts):
            return kind
    raise _no_exception(option, kind)


def _no_exception(option: str, given: object) -> BadRequest:
    return BadRequest(
        f"{option}={given!r:.100} names no exception: give a class, such as ConnectionError, "
        "a name, such as 'requests.Timeout', or several of these."
    )


def _name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _any(names: Iterable[str], kinds: list[str]) -> bool:
    return any(_means(name, kind) for name in names for kind in kinds)


def _means(name: str, kind: str) -> bool:
    """Tell whether a name stands for a class of this full name."""
    where, _, last = name.rpartition(".")
    place, _, called = kind.rpartition(".")
    return last == called and (not where or place == where or place.startswith(f"{where}."))
