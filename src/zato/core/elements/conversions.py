"""Values to values of a type: which ones convert, and to what.

Numbers and truths may come as text, because in a query string everything is text. What is of the right type
already is returned as it is, at once. Every function raises `IsWrong` for what is not of its type.
"""

import csv
import enum
import io
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from zato.core.attrdict import as_attributes
from zato.core.elements.problems import IsWrong, each

__all__ = [
    "as_csv_text",
    "as_date_text",
    "as_datetime_text",
    "as_list",
    "as_text",
    "as_utc_text",
    "as_uuid_text",
    "to_bool",
    "to_csv",
    "to_date",
    "to_datetime",
    "to_decimal",
    "to_dict",
    "to_dicts",
    "to_float",
    "to_int",
    "to_list",
    "to_secret",
    "to_text",
    "to_utc",
    "to_uuid",
]

TRUTHS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}

INTEGER = "no integer"
NUMBER = "no number"
TRUTH = "neither true nor false"
TEXT = "no text"
DATE = "no date such as '2026-01-31'"
DATETIME = "no date and time such as '2026-01-31T12:00:00'"
UUID_TEXT = "no UUID"
OBJECT = "no object"
LIST = "no list"


def to_int(value: Any) -> int:
    """Return a whole number: `12`, `'12'`, `12.0`. A truth is none."""
    return value if type(value) is int else _int(value)


def _int(value: Any) -> int:
    try:
        if isinstance(value, str) and "_" not in value:
            return int(value)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and int(value) == value:
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise IsWrong(value, INTEGER)


def to_float(value: Any) -> float:
    """Return a number: `1.5`, `'1.5'`, `1`. A truth is none."""
    return value if type(value) is float else _float(value)


def _float(value: Any) -> float:
    try:
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, str) and "_" not in value and math.isfinite(number := float(value)):
            return number
    except (ValueError, OverflowError):
        pass
    raise IsWrong(value, NUMBER)


def to_decimal(value: Any) -> Decimal:
    """Return a number digit for digit as it was written: `'0.10'`; of `0.1` the digits that it shows."""
    return value if type(value) is Decimal else _decimal(value)


def _decimal(value: Any) -> Decimal:
    try:
        exact = repr(value) if isinstance(value, float) else value
        if isinstance(exact, str):
            exact = "" if "_" in exact else exact
        if isinstance(exact, int | str | Decimal) and not isinstance(exact, bool):
            number = Decimal(exact)
            if number.is_finite():
                return number
    except (InvalidOperation, ValueError):
        pass
    raise IsWrong(value, NUMBER)


def to_bool(value: Any) -> bool:
    """Return a truth: true or false, 1 or 0, and the words for them, in any case."""
    if value is True or value is False:
        return value
    word = value.strip().lower() if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    if word in TRUTHS:
        return TRUTHS[word]
    raise IsWrong(value, TRUTH)


def to_text(value: Any) -> str:
    """Return a text; a number as it is written. A truth, a list and an object are none."""
    return value if type(value) is str else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return _text(value.value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _number_text(value)
    raise IsWrong(value, TEXT)


def _number_text(value: float | Decimal) -> str:
    try:
        return str(value)
    except ValueError:
        raise IsWrong(value, TEXT) from None


def to_secret(value: Any) -> str:
    """Return a text, and show nothing of what is none."""
    try:
        return to_text(value)
    except IsWrong as problem:
        problem.is_secret = True
        raise


def to_date(value: Any) -> date:
    """Return a date of ISO 8601, or of a date with midnight as its time."""
    return value if type(value) is date else _date(value)


def _date(value: Any) -> date:
    moment = value
    if isinstance(value, str):
        moment = _parsed(value, date.fromisoformat) or _parsed(value, datetime.fromisoformat)
    if isinstance(moment, datetime) and moment.time() == time.min:
        return moment.date()
    if isinstance(moment, date) and not isinstance(moment, datetime):
        return moment
    raise IsWrong(value, DATE)


def to_datetime(value: Any) -> datetime:
    """Return a date and time of ISO 8601. One without a time zone stays without one."""
    return value if type(value) is datetime else _datetime(value)


def _datetime(value: Any) -> datetime:
    moment = _parsed(value, datetime.fromisoformat) if isinstance(value, str) else value
    if isinstance(moment, datetime):
        return moment
    if isinstance(moment, date):
        return datetime.combine(moment, time.min)
    raise IsWrong(value, DATETIME)


def to_utc(value: Any) -> datetime:
    """Return a date and time in UTC. One without a time zone is taken as UTC."""
    moment = to_datetime(value)
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise IsWrong(value, DATETIME) from None


def _parsed(text: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(text.strip())
    except ValueError:
        return None


def to_uuid(value: Any) -> UUID:
    """Return a UUID, with dashes or without."""
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise IsWrong(value, UUID_TEXT) from None


def to_list(value: Any) -> list[Any]:
    """Return a list; of a tuple or a set, its items."""
    if type(value) is list:
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    raise IsWrong(value, LIST)


def to_csv(value: Any) -> list[Any]:
    """Return the items of `a,b`, without the blanks around them; items with commas stand in double quotes."""
    if not isinstance(value, str):
        return to_list(value)
    if '"' not in value:
        return [item.strip() for item in value.split(",")] if value.strip() else []
    try:
        rows = list(csv.reader([value], skipinitialspace=True, strict=True))
    except csv.Error:
        raise IsWrong(value, LIST) from None
    return [item.strip() for item in rows[0]] if rows else []


def to_dict(value: Any) -> Any:
    """Return an object whose keys can be read by attribute."""
    if isinstance(value, Mapping):
        return as_attributes(value if isinstance(value, dict) else dict(value))
    raise IsWrong(value, OBJECT)


def to_dicts(value: Any) -> list[Any]:
    """Return a list of objects."""
    return each(to_list(value), to_dict)


def as_text(value: Any) -> str:
    """Return what stands for a text in an output: also of a date, a UUID and a value of an enumeration."""
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else to_text(value)


def as_date_text(value: Any) -> str:
    """Return a date as ISO 8601; of a date and time, the date."""
    return (value if isinstance(value, date) and not isinstance(value, datetime) else _day(value)).isoformat()


def _day(value: Any) -> date:
    return value.date() if isinstance(value, datetime) else to_date(value)


def as_datetime_text(value: Any) -> str:
    """Return a date and time as ISO 8601."""
    return to_datetime(value).isoformat().replace("+00:00", "Z")


def as_utc_text(value: Any) -> str:
    """Return a date and time in UTC as ISO 8601."""
    return to_utc(value).isoformat().replace("+00:00", "Z")


def as_uuid_text(value: Any) -> str:
    """Return a UUID as text."""
    return str(to_uuid(value))


def as_list(value: Any) -> list[Any]:
    """Return the items of what can be gone through, as an output may hold it: a query's rows, a generator."""
    if type(value) is list or (isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)):
        return list(value)
    raise IsWrong(value, LIST)


def as_csv_text(value: Any) -> str:
    """Return items as `a,b`; one with a comma or a quote stands in double quotes."""
    if isinstance(value, str):
        return value
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([as_text(item) for item in as_list(value)])
    return line.getvalue()
