"""JSON to data of a type the caller names: what the text must be like, and where it is not.

Types are those msgspec knows (builtins, dates, Decimal, UUID, enumerations, dataclasses, structs, TypedDicts, named
tuples, attrs classes, and lists, dicts and unions of all these), and models with `model_validate_json`, as pydantic's.
`payload.py` is the way there; what it writes is read back equal.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from zato.core.errors import InvalidPayload
from zato.core.payload import decode, encode

__all__ = ["Misfit", "Reader", "member", "reader_of"]

PLACE = re.compile(r" - at `(?:key in )?\$?([^`]*)`$")
BYTES = b'"contentEncoding"'
DECIMAL = b'"format":"decimal"'


class Misfit(Exception):
    """A text is no data of the type.

    Attributes:
        problem: what was expected and what was found.
        path: where, from `$`, which is the whole.
    """

    def __init__(self, problem: str, path: str = "$") -> None:
        super().__init__(f"{problem} at {path}")
        self.problem = problem
        self.path = path


class _ModelMisfit(ValueError):
    """What a model found wrong. As a ValueError it gets the path to the model from msgspec."""

    def __init__(self, problem: str, path: str) -> None:
        super().__init__(problem)
        self.path = path


class Reader:
    """Reads texts as data of one type; see `reader_of`."""

    def __init__(self, wanted: Any, schema: Mapping[str, Any]) -> None:
        self.name = wanted.__qualname__ if type(wanted) is type else repr(wanted).replace("typing.", "")
        self._wanted = wanted
        self._is_exact = DECIMAL in msgspec.json.encode(schema)
        self._is_text = all(form.get("type") in {"string", "null"} for form in schema.get("anyOf", [schema]))
        self._validate = _validator(wanted)
        self._decoder = msgspec.json.Decoder(wanted, dec_hook=_read_model)

    def read(self, text: str) -> Any:
        """Return the data a text stands for: what its JSON says, else the text itself.

        A service that returns text, or a date, sends it as it is. So `12` is a number for who wants
        a number, and a text for who wants a text. An object or a list is the text itself only for who
        wants nothing but text: in a union, one that does not fit is a mistake, and no text.

        Raises:
            Misfit: it is neither.
        """
        try:
            return self._read(text)
        except Misfit:
            if not self._is_text and isinstance(_value(text), dict | list):
                raise
            try:
                return self._read(encode(text).decode())
            except Misfit:
                pass
            raise

    def _read(self, text: str) -> Any:
        try:
            if self._validate is not None:
                return _validated(self._validate, text)
            return self._decode(text)
        except msgspec.ValidationError as error:
            raise _misfit(error) from error
        except Exception as error:
            # Whatever a class of the caller's raises when it is made.
            raise Misfit(str(error) or type(error).__name__, "$" + _path_of(error)) from error

    def _decode(self, text: str) -> Any:
        try:
            return self._decoder.decode(text)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return msgspec.convert(
                _value(text, exact=self._is_exact), self._wanted, dec_hook=_read_model, str_keys=True
            )


@lru_cache(maxsize=1024)
def reader_of(wanted: Any) -> Reader:
    """Return what reads texts as data of a type.

    Raises:
        TypeError: nothing could ever be read as it.
    """
    schema = msgspec.json.schema(wanted, schema_hook=_check_model)
    if BYTES in msgspec.json.encode(schema):
        raise TypeError("There are bytes in it, which JSON cannot tell from text. Use str, and encode it.")
    return Reader(wanted, schema)


def member(text: str, key: str) -> str | None:
    """Return the JSON of one item of an object, digit for digit, or None if that cannot be told."""
    try:
        return bytes(msgspec.json.decode(text, type=dict[str, msgspec.Raw])[key]).decode()
    except (msgspec.MsgspecError, KeyError):
        return None


def _check_model(kind: Any) -> dict[str, Any]:
    if _validator(kind) is None:
        raise TypeError(f"{kind!r} is no kind of data. Use a dataclass, a model or a struct.")
    return {"title": str(kind)}


def _validator(kind: Any) -> Any:
    return getattr(kind, "model_validate_json", None) if isinstance(kind, type) else None


def _read_model(kind: Any, value: Any) -> Any:
    return _validated(_validator(kind), encode(value).decode())


def _validated(validate: Any, text: str) -> Any:
    """Return a model, or say what pydantic says of the first thing that is wrong."""
    try:
        return validate(text)
    except ValueError as error:
        problems = error.errors() if hasattr(error, "errors") else []
        if not problems:
            raise
        first = problems[0]
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
        raise _ModelMisfit(f"{first['msg']}, got {first['input']!r:.80}", path) from error


def _misfit(error: msgspec.ValidationError) -> Misfit:
    words = str(error)
    place = PLACE.search(words)
    path = "$" + (place[1] if place else "") + _path_of(error.__cause__)
    return Misfit(words[: place.start()] if place else words, path)


def _path_of(error: BaseException | None) -> str:
    return error.path if isinstance(error, _ModelMisfit) else ""


def _value(text: str, *, exact: bool = False) -> Any:
    try:
        return decode(text, exact=exact)
    except InvalidPayload:
        return text
