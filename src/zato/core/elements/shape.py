"""Objects of named elements, read and written by a plan that is made once."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from zato.core.elements.kinds import Kind
from zato.core.elements.output import attributes_of
from zato.core.elements.problems import IsMissing, IsNull, IsRefused, IsWrong, Problem, shown
from zato.core.errors import NotSerializable
from zato.core.masks import MASK, Masks
from zato.core.payload import decode, encode

__all__ = ["Field", "Shape"]

NOTHING: Any = object()
NO_PARAMS: Mapping[str, str] = {}

_masks = Masks()

PlanToRead = tuple[tuple[str, str, type | None, Callable[[Any], Any] | None, "Field"], ...]
PlanToWrite = tuple[tuple[str, type | None, bool, Callable[[Any], Any] | None, "Field"], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One element of an object.

    Attributes:
        key: what it is called in JSON.
        attribute: what it is called in Python.
        keeps_null: whether a null is a value like any other.
        absent: makes the value where there is none; None leaves the element out.
        hint: a sentence for whoever sent a value of the wrong type, or an empty text.
        is_read: whether it is taken from an input; what a class computes itself is not.
    """

    key: str
    attribute: str
    kind: Kind
    is_required: bool
    keeps_null: bool
    absent: Callable[[], Any] | None = None
    hint: str = ""
    is_read: bool = True

    def found_in(self, values: Mapping[str, Any], params: Mapping[str, str]) -> Any:
        """Return what stands for a value that is null or not there, or `NOTHING`."""
        if self.key in values:
            if self.keeps_null:
                return None
            if self.is_required:
                raise IsNull
        if self.key in params:
            return self._of_text(params[self.key])
        if self.is_required:
            raise IsMissing
        return NOTHING if self.absent is None else self.absent()

    def fill(self, out: dict[str, Any]) -> int:
        """Set what goes out for a value that was not set, and return how many there are: one, or none."""
        if self.is_required and self.is_read:
            raise IsMissing
        if self.absent is None:
            return 0
        value = out[self.key] = self.absent()
        # What stands for nothing, such as an empty text, need not be of the type.
        with suppress(Problem):
            out[self.key] = self.kind.written(value, set())
        return 1

    def instead_of(self, value: Any, problem: Problem, params: Mapping[str, str]) -> Any:
        """Return what stands for a value that does not convert, or raise the problem.

        The payload of a GET is the query string, in which a list of one item cannot be told from the item.
        """
        if self.kind.is_list and isinstance(value, str) and params.get(self.key) == value:
            return self._of_text(value)
        if self.is_lack(problem.value if value is None and isinstance(problem, IsWrong) else value):
            return NOTHING if self.absent is None else self.absent()
        try:
            raise self.seen(problem)
        finally:
            # Kept, it would tie problem and frame together, with everything the service had.
            del problem

    def is_lack(self, value: Any) -> bool:
        """Tell whether a value that does not convert is none at all: an empty text, where there need be none."""
        return isinstance(value, str) and not value and not self.is_required

    def seen(self, problem: Problem) -> Problem:
        """Return a problem of the value as it is seen from outside of the element."""
        if isinstance(problem, IsWrong) and not problem.steps:
            problem.hint = self.hint
        problem.is_secret = problem.is_secret or self.kind.is_secret
        return problem.below(self.key)

    def _of_text(self, text: str) -> Any:
        value: Any = [text] if self.kind.is_list else text
        return value if self.kind.read is None else self.kind.read(value)


class Shape:
    """An object of named elements.

    Attributes:
        name: what people call it.
        fields: its elements, in order.
    """

    def __init__(
        self,
        name: str,
        *,
        new: Callable[[], dict[str, Any]] = dict,
        make: Callable[[dict[str, Any]], Any] | None = None,
        owner: type | None = None,
        check: Callable[[Mapping[str, Any]], None] | None = None,
        constants: Mapping[str, Any] | None = None,
    ) -> None:
        """Take what the object is made of; its elements follow by `define`, for they may hold the object itself.

        Args:
            new: makes the dict that values are collected in.
            make: makes the object from them; without it, it is the dict.
            owner: the class of what `make` makes: an instance of it is read already.
            check: raises a problem for values that are not those of such an object, whatever its elements are.
            constants: what goes out with each object besides its elements.
        """
        self.name = name
        self.fields: tuple[Field, ...] = ()
        self._new = new
        self._make = make
        self._owner = owner
        self._check = check
        self._constants = dict(constants or {})
        self._names: frozenset[str] = frozenset()
        self._attributes: tuple[str, ...] = ()
        self._renamed: dict[str, str] = {}
        self._to_read: PlanToRead = ()
        self._to_write: PlanToWrite = ()

    def define(self, *fields: Field) -> None:
        """Take the elements."""
        self.fields = fields
        self._names = frozenset(field.key for field in fields)
        self._attributes = tuple(field.attribute for field in fields)
        self._renamed = {field.attribute: field.key for field in fields if field.attribute != field.key}
        self._to_read = tuple(
            (field.key, field.attribute, field.kind.exact, field.kind.read, field) for field in fields if field.is_read
        )
        self._to_write = tuple(
            (field.key, field.kind.exact, field.kind.is_plain, field.kind.write, field) for field in fields
        )

    def convert(self, value: Any) -> Any:
        """Return the object that a value stands for.

        Raises:
            Problem: it stands for none.
        """
        if isinstance(value, dict):
            return self.read(value)
        if self._owner is not None and isinstance(value, self._owner):
            return value
        return self.read(self._values_of(value))

    def read(self, values: dict[str, Any], params: Mapping[str, str] = NO_PARAMS) -> Any:
        """Return the object that values stand for; what they lack is taken from `params`.

        Raises:
            Problem: something is missing, null or wrong.
        """
        if self._check is not None:
            self._check(values)
        found = self._new()
        # Not `values.get`: an input that is handed on may have an element of that name.
        get = dict.get
        for key, attribute, kind, convert, field in self._to_read:
            value = get(values, key)
            if type(value) is kind or (convert is None and value is not None):
                found[attribute] = value
                continue
            try:
                value = field.found_in(values, params) if value is None or convert is None else convert(value)
            except Problem as problem:
                value = field.instead_of(value, problem, params)
            if value is not NOTHING:
                found[attribute] = value
        return found if self._make is None else self._made(found)

    def write(self, row: Any, dropped: set[str]) -> dict[str, Any]:
        """Return an object as it goes out.

        Args:
            row: a dict, or anything with attributes.
            dropped: gets the paths of what the row has and is not declared.

        Raises:
            Problem: something is missing or wrong.
        """
        values = row if isinstance(row, dict) and not self._renamed else self._values_of(row)
        out = self._constants.copy()
        filled = len(out)
        get = dict.get
        for key, kind, is_plain, write, field in self._to_write:
            value = get(values, key, NOTHING)
            if type(value) is kind or (is_plain and value is not NOTHING):
                out[key] = value
                continue
            try:
                if value is NOTHING:
                    filled += field.fill(out)
                elif value is None:
                    out[key] = value
                else:
                    out[key] = _nested(field, value, dropped) if write is None else write(value)
            except Problem as problem:
                if not field.is_lack(value):
                    raise field.seen(problem) from None
                filled += field.fill(out)
        if len(values) != len(out) - filled:
            dropped.update(str(name) for name in values if name not in self._names and name not in self._constants)
        return out

    def has(self, name: str) -> bool:
        """Tell whether an element has this name."""
        return name in self._names

    def described(self, above: tuple[object, ...] = ()) -> list[dict[str, Any]]:
        """Return the elements in JSON form; an object inside of itself is not gone into again."""
        return [] if self in above else [_described(field, (*above, self)) for field in self.fields]

    def _made(self, found: dict[str, Any]) -> Any:
        assert self._make is not None  # noqa: S101 -- for the type checker
        try:
            return self._make(found)
        except (TypeError, ValueError) as error:
            raise IsRefused(str(error), of=found) from error

    def _values_of(self, value: Any) -> dict[str, Any]:
        """Return the elements of an object by their names in JSON."""
        if self._owner is not None and isinstance(value, self._owner):
            values = {}
            for name in self._attributes:
                item = getattr(value, name, NOTHING)
                if item is not NOTHING and item is not msgspec.UNSET:
                    values[name] = item
        else:
            values = attributes_of(value, self._attributes)
        if not self._renamed:
            return values
        return {self._renamed.get(name, name): item for name, item in values.items()}


def _nested(field: Field, value: Any, dropped: set[str]) -> Any:
    """Return a value that has elements of its own as it goes out."""
    inner: set[str] = set()
    written = field.kind.written(value, inner)
    dropped.update(f"{field.key}.{name}" for name in inner)
    return written


def _shown_default(value: Any) -> Any:
    """Return a default as JSON has it, without secrets; of what has no JSON form, what it is."""
    try:
        return _masks.value(decode(encode(value, allow_nan=False)))
    except NotSerializable:
        return shown(value)


def _described(field: Field, above: tuple[object, ...]) -> dict[str, Any]:
    described: dict[str, Any] = {"name": field.key, "type": field.kind.name, "required": field.is_required}
    if field.absent is not None:
        described["default"] = MASK if field.kind.is_secret else _shown_default(field.absent())
    if field.kind.shape is not None:
        described["elements"] = field.kind.shape.described(above)
    return described
