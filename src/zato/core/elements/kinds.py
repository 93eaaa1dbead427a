"""Kinds of values: how one is read from an input, how it is written to an output, and what it is called."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from zato.core.elements.conversions import as_list, to_list
from zato.core.elements.problems import IsNull, IsWrong, Problem

__all__ = ["ANY", "Describes", "Kind", "first_of", "items_of", "lenient", "nullable", "values_of"]

Read = Callable[[Any], Any]
Write = Callable[[Any], Any]
WriteNested = Callable[[Any, set[str]], Any]


class Describes(Protocol):
    """What has elements of its own."""

    def described(self, above: tuple[object, ...] = ()) -> list[dict[str, Any]]:
        """Return the elements in JSON form; what stands in `above` is not gone into again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of value. A null never gets to `read` and `write`.

    Attributes:
        name: what people call it, such as `int`.
        exact: the class whose instances stay as they are, in and out; what is one is looked at no further.
        read: converts a value that came in; None leaves it as it is.
        write: converts a value that goes out; None leaves it as it is.
        write_nested: the same for what has elements of its own; told the paths of what it drops.
        keeps_null: whether a null is a value like any other.
        is_secret: whether the value is never shown.
        is_list: whether one text of a query string stands for a list of it.
        is_text: whether an empty text is a value, and not the lack of one.
        shape: the elements it has of its own.
    """

    name: str
    exact: type | None = None
    read: Read | None = None
    write: Write | None = None
    write_nested: WriteNested | None = None
    keeps_null: bool = False
    is_secret: bool = False
    is_list: bool = False
    is_text: bool = False
    shape: Describes | None = None

    @property
    def is_plain(self) -> bool:
        """Whether a value goes out as it is."""
        return self.write is None and self.write_nested is None

    def written(self, value: Any, dropped: set[str]) -> Any:
        """Return a value as it goes out."""
        if value is None:
            return None
        if self.write_nested is not None:
            return self.write_nested(value, dropped)
        return value if self.write is None else self.write(value)


ANY = Kind(name="any", keeps_null=True, is_text=True)


def nullable(kind: Kind) -> Kind:
    """Return the kind that may be null, too."""
    return replace(kind, keeps_null=True)


def lenient(kind: Kind) -> Kind:
    """Return the kind that goes out as it is if it does not convert."""
    return kind if kind.write is None else replace(kind, write=partial(_write_or_keep, kind.write))


def items_of(kind: Kind, name: str) -> Kind:
    """Return the kind of a list whose items are of one kind."""
    return Kind(
        name=name,
        read=partial(_read_items, kind),
        write_nested=partial(_write_items, kind),
        is_list=True,
        shape=kind.shape,
        is_secret=kind.is_secret,
    )


def values_of(kind: Kind, name: str) -> Kind:
    """Return the kind of an object whose values are of one kind, whatever their keys."""
    return Kind(
        name=name,
        read=partial(_read_values, kind),
        write_nested=partial(_write_values, kind),
        shape=kind.shape,
        is_secret=kind.is_secret,
    )


def first_of(kinds: Sequence[Kind]) -> Kind:
    """Return the kind of what is of one of several kinds, tried in order."""
    return Kind(
        name=" or ".join(kind.name for kind in kinds),
        read=partial(_read_first, kinds),
        write_nested=partial(_write_first, kinds),
        is_secret=any(kind.is_secret for kind in kinds),
    )


def _read_first(kinds: Sequence[Kind], value: Any) -> Any:
    for kind in kinds:
        with suppress(Problem):
            return value if kind.read is None else kind.read(value)
    raise IsWrong(value, f"none of {', '.join(kind.name for kind in kinds)}")


def _write_first(kinds: Sequence[Kind], value: Any, dropped: set[str]) -> Any:
    for kind in kinds:
        with suppress(Problem):
            return kind.written(value, dropped)
    raise IsWrong(value, f"none of {', '.join(kind.name for kind in kinds)}")


def _write_or_keep(write: Write, value: Any) -> Any:
    try:
        return write(value)
    except Problem:
        return value


def _read_items(kind: Kind, value: Any) -> list[Any]:
    return [_read_one(kind, item, index) for index, item in enumerate(to_list(value))]


def _read_values(kind: Kind, value: Any) -> dict[Any, Any]:
    return {key: _read_one(kind, item, key) for key, item in _items(value)}


def _read_one(kind: Kind, value: Any, step: str | int) -> Any:
    try:
        if value is None and not kind.keeps_null:
            raise IsNull
        return value if value is None or kind.read is None else kind.read(value)
    except Problem as problem:
        problem.below(step)
        raise


def _write_items(kind: Kind, value: Any, dropped: set[str]) -> list[Any]:
    # The rows of a list drop the same names, which are told once.
    return [_write_one(kind, item, index, dropped) for index, item in enumerate(as_list(value))]


def _write_values(kind: Kind, value: Any, dropped: set[str]) -> dict[Any, Any]:
    return {key: _write_one(kind, item, key, dropped) for key, item in _items(value)}


def _write_one(kind: Kind, value: Any, step: str | int, dropped: set[str]) -> Any:
    try:
        return kind.written(value, dropped)
    except Problem as problem:
        problem.below(step)
        raise


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, dict):
        return dict.items(value)
    if isinstance(value, Mapping):
        return value.items()
    raise IsWrong(value, "no object")
