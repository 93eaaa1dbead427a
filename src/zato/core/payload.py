"""User data to bytes and back: the one list of types that may cross a boundary.

Whatever is stored or sent is JSON. Dates, decimals, UUIDs, enumerations, sets, bytes, dataclasses,
msgspec structs and models are written in their JSON form; anything else is refused by name and path.
"""

import base64
import dataclasses
import enum
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from zato.core.errors import InvalidPayload, NotSerializable

__all__ = [
    "MAX_DEPTH",
    "decode",
    "encode",
    "from_door",
    "holds_nan",
    "stored_to_text",
    "to_text",
    "unicode_text",
    "unwrapped",
]

MAX_DEPTH = 200
EMPTY_JSON = frozenset({b"", b'""', b"null"})

# Written by msgspec as they are.
ATOMS = frozenset({str, int, bool, type(None), datetime, date, time, timedelta, UUID})

# A string without an end runs to the end of the text, so that no byte is looked at twice.
STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
ONE_KIND = bytes.maketrans(b"{}", b"[]")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder()
_exact_decoder = msgspec.json.Decoder(float_hook=Decimal)


class _TooDeep(InvalidPayload):
    """The JSON may be right, and is refused all the same."""

    code = InvalidPayload.code


class _Unfit(Exception):
    """A value that has no JSON form; the path to it grows on the way out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[object] = []

    def below(self, key: object) -> "_Unfit":
        self.path.append(key)
        return self

    def where(self) -> str:
        steps = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in reversed(self.path))
        return "$" + "".join(steps)


def encode(value: object, *, what: str = "payload", allow_nan: bool = True) -> bytes:
    """Return the JSON of a value.

    Args:
        value: anything made of the types in this module's docstring, at most 200 levels deep.
        what: what the value is, for the error message.
        allow_nan: write NaN and infinities as those words. Otherwise they are refused.

    Raises:
        NotSerializable: something in it has no JSON form; the message has its path.
    """
    try:
        return _encoder.encode(_plain(value, 1, allow_nan))
    except _Unfit as unfit:
        raise NotSerializable(f"The {what} cannot be written as JSON: {unfit.reason} at {unfit.where()}.") from None
    except UnicodeEncodeError as error:
        raise NotSerializable(f"The {what} cannot be written as JSON: it holds half of a surrogate pair.") from error
    except ValueError as error:
        raise NotSerializable(f"The {what} cannot be written as JSON: {error}.") from error


def decode(data: bytes | str, *, exact: bool = False) -> Any:
    """Return the value of a JSON text, at most 200 levels deep. NaN and infinities are accepted.

    Args:
        data: the text.
        exact: numbers with a fraction become `Decimal`, so that `encode` writes the digits that were there.

    Raises:
        InvalidPayload: it is no JSON, no UTF-8, or too deep.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        raise _TooDeep(f"The JSON is nested deeper than {MAX_DEPTH} levels.")
    try:
        return (_exact_decoder if exact else _decoder).decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _decode_leniently(raw, Decimal if exact else float)


def _decode_leniently(raw: bytes, number: type[Decimal] | type[float]) -> Any:
    """Read what msgspec refuses and Python's json accepts: NaN, infinities, very large numbers."""
    try:
        value = json.loads(raw.decode("utf-8"), parse_float=number)
        encode(value)
    except UnicodeDecodeError as error:
        raise InvalidPayload(f"The JSON is not UTF-8: byte {raw[error.start]:#04x} at {error.start}.") from error
    except ValueError as error:
        raise InvalidPayload(f"This is not JSON: {error}.") from error
    except NotSerializable as error:
        raise InvalidPayload(f"The JSON holds text that is not Unicode: {error}") from error
    return value


def from_door(data: bytes, *, twice: bool = True) -> tuple[Any, str]:
    """Return a caller's payload as the service gets it, and the text as it came.

    Empty payloads are the empty text. What is no JSON is text.

    Args:
        data: what came in.
        twice: parse a JSON string that itself holds a JSON object or list once more, for callers
            that encode twice.

    Raises:
        InvalidPayload: it is no UTF-8, or nested too deep.
    """
    if data in EMPTY_JSON:
        return "", ""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidPayload("The payload is not UTF-8 text. Encode binary data, for instance as base64.") from error
    value = _decode_or_text(data, text)
    if twice and isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        value = _decode_or_text(value.encode(), value)
    return ("" if value is None else value), text


def _decode_or_text(data: bytes, text: str) -> Any:
    try:
        return decode(data)
    except _TooDeep:
        raise
    except InvalidPayload:
        return text


def to_text(value: object, *, what: str = "response") -> str:
    """Return the text a caller gets for what a service returned: text as it is, nothing as an empty one.

    Raises:
        NotSerializable: something in it has no JSON form, or is NaN or infinite.
    """
    if type(value) is str and value.isascii():
        return value
    return stored_to_text(encode(value, what=what, allow_nan=False))


def stored_to_text(stored: bytes | None) -> str:
    """Return the text of a stored response, with the same rules as `to_text`."""
    if stored is None or stored == b"null":
        return ""
    return str(_decoder.decode(stored)) if stored.startswith(b'"') else stored.decode()


def unwrapped(value: object) -> object:
    """Return a response without its wrapper: a dict whose one key is `response` or starts with `zato`."""
    if isinstance(value, dict) and len(value) == 1:
        key = next(iter(value))
        if isinstance(key, str) and (key == "response" or key.startswith("zato")):
            return value[key]
    return value


def unicode_text(text: str) -> str:
    """Return text that can be sent and stored: half a surrogate pair is written as its escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def holds_nan(stored: bytes) -> bool:
    """Tell whether stored JSON is of the kind that only lenient parsers read."""
    try:
        _decoder.decode(stored)
    except msgspec.MsgspecError:
        return True
    return False


def _depth(raw: bytes) -> int:
    """Return how deep a JSON text is nested, at most one level over the limit.

    What is left of it are its brackets, all of one kind; each pass takes the innermost pairs away.
    """
    brackets = STRING.sub(b"", raw).translate(ONE_KIND, NO_BRACKETS)
    for depth in range(MAX_DEPTH + 1):
        if not brackets:
            return depth
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            return depth + brackets.count(b"[")
        brackets = outer
    return MAX_DEPTH + 1


def _plain(value: Any, depth: int, allow_nan: bool) -> Any:
    """Return the value made of nothing but what msgspec writes the way we want it."""
    kind = type(value)
    if kind in ATOMS:
        return value
    if kind is dict:
        return _plain_dict(value, depth, allow_nan)
    if kind is list or kind is tuple:
        return _plain_list(value, depth, allow_nan)
    if kind is float:
        return value if math.isfinite(value) else _not_finite(value, allow_nan)
    for types, convert in CONVERSIONS:
        if isinstance(value, types):
            return _plain(convert(value), depth, allow_nan) if convert else _plain_special(value, depth, allow_nan)
    converted = _structured(value)
    if converted is None:
        raise _Unfit(f"{kind.__module__}.{kind.__qualname__} has no JSON form")
    return _plain(converted, depth, allow_nan)


def _plain_dict(value: Mapping[Any, Any], depth: int, allow_nan: bool) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise _Unfit(f"it is nested deeper than {MAX_DEPTH} levels, or holds itself,")
    plain = {}
    # An input may have an element that is called `items`.
    for key, item in dict.items(value) if isinstance(value, dict) else value.items():
        name = key if type(key) is str else _key(key)
        try:
            plain[name] = item if type(item) in ATOMS else _plain(item, depth + 1, allow_nan)
        except _Unfit as unfit:
            raise unfit.below(name) from None
    if len(plain) != len(value):
        raise _Unfit("two keys are the same as text")
    return plain


def _plain_list(value: list[Any] | tuple[Any, ...], depth: int, allow_nan: bool) -> list[Any]:
    if depth > MAX_DEPTH:
        raise _Unfit(f"it is nested deeper than {MAX_DEPTH} levels, or holds itself,")
    plain = []
    for index, item in enumerate(value):
        try:
            plain.append(item if type(item) in ATOMS else _plain(item, depth + 1, allow_nan))
        except _Unfit as unfit:
            raise unfit.below(index) from None
    return plain


def _plain_special(value: Any, depth: int, allow_nan: bool) -> Any:
    """Numbers that may not be finite, and containers that are no plain dict or list."""
    if isinstance(value, Decimal):
        if value.is_finite():
            return Decimal(value)
        return _not_finite(math.nan if value.is_nan() else float(value), allow_nan)
    if isinstance(value, Mapping):
        return _plain_dict(value, depth, allow_nan)
    return _plain_list(value, depth, allow_nan)


def _not_finite(value: float, allow_nan: bool) -> msgspec.Raw:
    if not allow_nan:
        raise _Unfit(f"{value} is no JSON number")
    return msgspec.Raw(json.dumps(value).encode())


def _key(key: object) -> str:
    """Return the text of a dict's key that is no text."""
    if isinstance(key, enum.Enum):
        return _key(key.value)
    if isinstance(key, str):
        return str.__str__(key)
    if key is None or isinstance(key, bool | int | float):
        return json.dumps(key)
    if isinstance(key, date | time | UUID | Decimal):
        return str(key.isoformat() if isinstance(key, date | time) else key)
    raise _Unfit(f"a key of type {type(key).__qualname__} has no JSON form")


def _bytes(value: bytes | bytearray | memoryview) -> str | dict[str, str]:
    raw = bytes(value)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return {"zato_base64": base64.b64encode(raw).decode("ascii")}


def _set(value: set[Any] | frozenset[Any]) -> list[Any]:
    try:
        return sorted(value)
    except (TypeError, ArithmeticError):
        return list(value)


def _structured(value: Any) -> Any:
    """Return the fields of a dataclass, struct or model, or None if it is none."""
    if isinstance(value, msgspec.Struct):
        return _struct_fields(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    # Looked up on the class, because mocks and proxies have every attribute.
    dump = getattr(type(value), "model_dump", None)
    return dump(value) if callable(dump) else None


def _struct_fields(value: msgspec.Struct) -> dict[str, Any]:
    config = value.__struct_config__
    shown = {} if config.tag_field is None else {config.tag_field: config.tag}
    for public, name in zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True):
        item = getattr(value, name)
        if item is not msgspec.UNSET:
            shown[public] = item
    return shown


# Checked in this order: an enumeration may also be a str or an int.
CONVERSIONS: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any] | None], ...] = (
    (enum.Enum, lambda value: value.value),
    ((bytes, bytearray, memoryview), _bytes),
    ((set, frozenset), _set),
    (str, str.__str__),
    (int, int),
    (float, float),
    (datetime, lambda value: datetime.combine(value, value.timetz())),
    ((date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: timedelta(value.days, value.seconds, value.microseconds)),
    (UUID, str),
    ((Decimal, Mapping, list, tuple), None),
)
