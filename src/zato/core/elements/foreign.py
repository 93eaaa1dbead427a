"""Types that others check: what msgspec knows beyond the plain ones, and models as pydantic's.

What they find wrong is told in the same words as what is found wrong here.
"""

import enum
import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Literal, get_args, get_origin

import msgspec

from zato.core.elements import conversions as c
from zato.core.elements.kinds import Describes, Kind
from zato.core.elements.output import attributes_of
from zato.core.elements.problems import IsMissing, IsNull, IsRefused, IsWrong, Problem

__all__ = ["PydanticShape", "is_pydantic", "kind_of_other"]

PLACE = re.compile(r" - at `(?:key in )?\$?([^`]*)`$")
STEP = re.compile(r"\[(\d+|\.\.\.)\]|\.?([^.\[\]]+)")
LACKS = re.compile(r"Object missing required field `([^`]+)`")
EXPECTED = re.compile(r"Expected `(\w+)`, got `(\w+)`$")

# What a value is not, by the word msgspec has for what it should be.
MSGSPEC_WORDS = {
    "int": c.INTEGER,
    "float": c.NUMBER,
    "decimal": c.NUMBER,
    "bool": c.TRUTH,
    "str": c.TEXT,
    "date": c.DATE,
    "datetime": c.DATETIME,
    "uuid": c.UUID_TEXT,
    "object": c.OBJECT,
    "array": c.LIST,
}
# The same by how the code of a pydantic error begins.
PYDANTIC_WORDS = {
    "int_": c.INTEGER,
    "float_": c.NUMBER,
    "decimal_": c.NUMBER,
    "bool_": c.TRUTH,
    "string_type": c.TEXT,
    "date_": c.DATE,
    "datetime_": c.DATETIME,
    "uuid_": c.UUID_TEXT,
    "dict_": c.OBJECT,
    "model_": c.OBJECT,
    "dataclass_": c.OBJECT,
    "list_": c.LIST,
}


def kind_of_other(hint: Any) -> Kind:
    """Return the kind of a type that is left to msgspec: enumerations, literals, unions, tuples, constrained types.

    Raises:
        TypeError: nothing could ever be read as it.
    """
    msgspec.json.schema(hint)
    msgspec.json.Decoder(hint)
    name = getattr(hint, "__name__", None) if isinstance(hint, type) else None
    return Kind(name=name or str(hint).replace("typing.", ""), read=partial(_converted, hint), write=_plain)


def _converted(hint: Any, value: Any) -> Any:
    """Return a value as the type, if need be from text."""
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError:
        pass
    try:
        return msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError as error:
        # Not kept in a variable: that would tie problem and frame together.
        raise _of_msgspec(hint, value, str(error)) from None


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def _of_msgspec(hint: Any, value: Any, words: str) -> Problem:
    place = PLACE.search(words)
    steps = _steps(place[1]) if place else []
    said = words[: place.start()] if place else words
    found = _at(value, steps)
    problem: Problem
    if "..." in steps:
        steps = steps[: steps.index("...")]
        problem = IsWrong(_at(value, steps), reason=f"inside of it, {said[0].lower()}{said[1:]}")
    elif lacks := LACKS.match(said):
        steps, problem = [*steps, lacks[1]], IsMissing()
    elif choices := _choices(hint):
        problem = IsWrong(found, f"none of {', '.join(map(repr, choices))}")
    elif (expected := EXPECTED.match(said)) and (expected[2] == "null" or expected[1] in MSGSPEC_WORDS):
        problem = IsNull() if expected[2] == "null" else IsWrong(found, MSGSPEC_WORDS[expected[1]])
    else:
        problem = IsWrong(found, reason=said)
    return _at_steps(problem, steps)


def _choices(hint: Any) -> list[Any]:
    """Return what a value may be, if there is a list of it."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return [member.value for member in hint]
    return list(get_args(hint)) if get_origin(hint) is Literal else []


def _steps(path: str) -> list[str | int]:
    """Return the steps of a path; of a key that msgspec does not tell, an ellipsis."""
    return [int(found[1]) if (found[1] or "").isdigit() else found[2] or "..." for found in STEP.finditer(path)]


def _at(value: Any, steps: Iterable[str | int]) -> Any:
    """Return the value that steps lead to, or of what they lead away from."""
    for step in steps:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return value
    return value


def _at_steps(problem: Problem, steps: Iterable[str | int]) -> Problem:
    for step in reversed(list(steps)):
        problem.below(step)
    return problem


def is_pydantic(kind: Any) -> bool:
    """Tell whether a class is a model that validates itself, as pydantic's do."""
    return isinstance(kind, type) and hasattr(kind, "model_validate") and hasattr(kind, "model_fields")


class PydanticShape(Describes):
    """A pydantic model, read and written by itself."""

    def __init__(self, model: Any) -> None:
        self.name: str = model.__name__
        self._model = model
        self._keys: dict[str, str] = {name: _alias(name, field) for name, field in model.model_fields.items()}

    def kind(self) -> Kind:
        """Return the kind of values that are such models."""
        return Kind(name=self.name, read=self.convert, write_nested=self.write, shape=self)

    def convert(self, value: Any) -> Any:
        """Return the model that a value stands for."""
        return self._checked(value)

    def read(self, values: dict[str, Any], params: Mapping[str, str]) -> Any:
        """Return the model that values stand for; what they lack is taken from `params`."""
        lacking = {key: params[key] for key in self._keys.values() if key in params and key not in values}
        return self._checked({**values, **lacking})

    def write(self, row: Any, dropped: set[str]) -> Any:
        """Return a model as it goes out, or what has the attributes of one."""
        if not isinstance(row, self._model):
            values = attributes_of(row, self._keys)
            known = {*self._keys, *self._keys.values()}
            dropped.update(str(name) for name in values if name not in known)
            row = self._checked(values)
        return row.model_dump(by_alias=True)

    def has(self, name: str) -> bool:
        """Tell whether an element has this name."""
        return name in self._keys.values()

    def described(self, above: tuple[object, ...] = ()) -> list[dict[str, Any]]:
        """Return the elements in JSON form."""
        fields = self._model.model_fields
        return [
            {"name": key, "type": _type_name(fields[name].annotation), "required": fields[name].is_required()}
            for name, key in self._keys.items()
        ]

    def _checked(self, values: Any) -> Any:
        try:
            return self._model.model_validate(values)
        except ValueError as error:
            # As above.
            raise _of_pydantic(error) from None


def _alias(name: str, field: Any) -> str:
    alias = field.validation_alias
    return alias if isinstance(alias, str) else name


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _of_pydantic(error: Any) -> Problem:
    found: list[dict[str, Any]] = error.errors() if callable(getattr(error, "errors", None)) else []
    if not found:
        return IsRefused(str(error))
    first = found[0]
    return _at_steps(_first_of(first["type"], first["input"], first["msg"]), first["loc"])


def _first_of(code: str, value: Any, words: str) -> Problem:
    if code == "missing":
        return IsMissing()
    if value is None and code.endswith("_type"):
        return IsNull()
    for beginning, but in PYDANTIC_WORDS.items():
        if code.startswith(beginning) and code.endswith(("_type", "_parsing", "_from_float", "_from_datetime_parsing")):
            return IsWrong(value, but)
    return IsRefused(words, of=value) if code in ("value_error", "assertion_error") else IsWrong(value, reason=words)
