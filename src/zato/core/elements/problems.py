"""What can be wrong with a value, and the sentence that says so: the same one in whatever form it was declared.

The path to the value grows on the way out, so that nothing is spent on it while everything is right.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from zato.core.masks import Masks, is_secret_name

__all__ = ["IsMissing", "IsNull", "IsRefused", "IsWrong", "Problem", "each", "path_of", "shown"]

# As much of a value as a message has, in characters.
LONGEST = 80
# Longer texts are cut before secrets are looked for in them.
LOOKED_AT = 1000

_masks = Masks()


class Problem(Exception):
    """A value is not what was declared; see the subclasses.

    Attributes:
        steps: keys and indexes that lead to the value, innermost first.
        is_secret: whether the value is not to be shown.
    """

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[str | int] = []
        self.is_secret = False

    def below(self, step: str | int) -> "Problem":
        """Return the problem as it is seen from one level further out."""
        self.steps.append(step)
        if not self.is_secret and isinstance(step, str):
            self.is_secret = is_secret_name(step)
        return self

    def sentence(self, whole: str) -> str:
        """Return what is wrong, in words.

        Args:
            whole: what to call the value if no step leads to it, such as `The input`.
        """
        raise NotImplementedError


class IsMissing(Problem):
    """There has to be a value, and there is none."""

    def sentence(self, whole: str) -> str:
        """Name what is missing."""
        return f"Element missing: {path_of(self.steps) or whole}"


class IsNull(Problem):
    """There has to be a value, and there is a null."""

    def sentence(self, whole: str) -> str:
        """Name what is null."""
        return f"Element is null: {path_of(self.steps) or whole}"


class IsWrong(Problem):
    """A value is of another type than it has to be, or out of range.

    Attributes:
        value: the value.
        but: what it is not, such as `no integer`.
        reason: what is wrong with it, in place of `but`, for what has no such words.
        hint: a sentence on why it has to be so, or an empty text.
    """

    def __init__(self, value: object, but: str = "", *, reason: str = "") -> None:
        super().__init__()
        self.value = value
        self.but = but
        self.reason = reason
        self.hint = ""

    def sentence(self, whole: str) -> str:
        """Say which value is not what; of a secret, only that it is not."""
        path = path_of(self.steps) or whole
        hint = f". {self.hint}" if self.hint else ""
        if self.is_secret:
            return f"{path} is {self.but or 'not legal'}{hint}"
        if self.reason:
            return f"{path} is {shown(self.value)}: {self.reason}{hint}"
        return f"{path} is {shown(self.value)}, which is {self.but}{hint}"


class IsRefused(Problem):
    """What a class of the user's raised when it was made.

    Attributes:
        reason: what it said.
        of: the values it was made of; those of secrets are not passed on, should it have said them.
    """

    def __init__(self, reason: str, *, of: object = None) -> None:
        super().__init__()
        self.reason = reason
        self.of = of

    def sentence(self, whole: str) -> str:
        """Pass on what it said, without what looks like a secret in it."""
        reason = _masks.text(Masks(self._secrets()).text(self.reason))[:LOOKED_AT]
        return f"{path_of(self.steps) or whole} is not legal: {reason}"

    def _secrets(self) -> list[str]:
        values = self.of if isinstance(self.of, Mapping) else {"": self.of}
        secret = (value for name, value in values.items() if self.is_secret or is_secret_name(str(name)))
        return [str(value) for value in secret if type(value) in (str, int)]


def path_of(steps: list[str | int]) -> str:
    """Return the path that steps, innermost first, stand for: `order.lines[2].quantity`."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{str(step)[:LONGEST]}" for step in reversed(steps))
    return path.removeprefix(".")


def shown(value: Any) -> str:
    """Return a value as messages have it: short, without what a text or an object may hold of secrets."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        # Its declared secrets have names that only the declaration knows.
        return "JSON in a text"
    if isinstance(value, str):
        return f"{_masks.text(value[:LOOKED_AT])!r}"[:LONGEST]
    if value is None or isinstance(value, bool | float | Decimal):
        return str(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() < 256 else "a very large number"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    return f"of type {type(value).__name__}"


def each(rows: Iterable[Any], act: Callable[[Any], Any]) -> list[Any]:
    """Return what comes of each row; a problem with one has its number in the path."""
    done = []
    for index, row in enumerate(rows):
        try:
            done.append(act(row))
        except Problem as problem:
            problem.below(index)
            raise
    return done
