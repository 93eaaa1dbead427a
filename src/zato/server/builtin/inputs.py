"""The input of built-in services: one JSON object, whose unknown keys are refused."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from zato.core.errors import BadRequest, hint_for
from zato.core.payload import unicode_text

__all__ = ["choice_of", "count_of", "number_of", "read_object", "text_of", "time_of", "truth_of", "word_of"]

# Characters of what is looked for.
LONGEST = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_object(payload: object, *known: str) -> dict[str, Any]:
    """Return a built-in's input; an empty payload is an empty object.

    Raises:
        BadRequest: it is no JSON object, or has a key that is not known.
    """
    if payload == "" or payload is None:
        return {}
    if not isinstance(payload, dict):
        raise BadRequest(f"The input is one JSON object, not {type(payload).__name__}.")
    for key in payload:
        if key not in known:
            takes = f"Known: {', '.join(known)}." if known else "It takes none."
            raise BadRequest(f"There is no input {key!r}. {hint_for(str(key), known) or takes}")
    return payload


def text_of(fields: dict[str, Any], key: str) -> str | None:
    """Return a text, or None if it is absent.

    Raises:
        BadRequest: it is something else.
    """
    value = fields.get(key)
    if value is None or isinstance(value, str):
        return value
    raise BadRequest(f"{key!r} is text, not {value!r:.80}.")


def word_of(fields: dict[str, Any], key: str) -> str | None:
    """Return what is looked for, a text that is not empty, or None if it is absent.

    Raises:
        BadRequest: it is something else, or longer than anything that can be found.
    """
    value = text_of(fields, key)
    if value is None or (0 < len(value) <= LONGEST and unicode_text(value) == value and "\0" not in value):
        return value
    raise BadRequest(f"{key!r} is a text of 1 to {LONGEST} characters, not {value!r:.80}. Leave it out to find all.")


def truth_of(fields: dict[str, Any], key: str, *, default: bool = False) -> bool:
    """Return true or false.

    Raises:
        BadRequest: it is something else.
    """
    value = fields.get(key)
    if value is None or isinstance(value, bool):
        return default if value is None else value
    raise BadRequest(f"{key!r} is true or false, not {value!r:.80}.")


def number_of(fields: dict[str, Any], key: str, *, default: float, low: float, high: float) -> float:
    """Return a number.

    Raises:
        BadRequest: it is something else, or out of range.
    """
    value = fields.get(key, default)
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise BadRequest(f"{key!r} is a number from {low:g} to {high:g}, not {value!r:.80}.")


def count_of(fields: dict[str, Any], key: str, *, default: int, low: int, high: int) -> int:
    """Return a whole number.

    Raises:
        BadRequest: it is something else, or out of range.
    """
    value = fields.get(key, default)
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise BadRequest(f"{key!r} is a whole number from {low} to {high}, not {value!r:.80}.")


def choice_of(fields: dict[str, Any], key: str, choices: Collection[str]) -> str | None:
    """Return one of some words, or None if it is absent.

    Raises:
        BadRequest: it is something else.
    """
    value = text_of(fields, key)
    if value is None or value in choices:
        return value
    hint = hint_for(value, choices)
    raise BadRequest(f"{key!r} is one of {', '.join(choices)}, not {value!r:.80}. {hint}".rstrip())


def time_of(fields: dict[str, Any], key: str) -> int | None:
    """Return a time in Unix milliseconds, the first one that is not before it, or None if it is absent.

    Raises:
        BadRequest: it is no ISO 8601. Without an offset it is UTC.
    """
    value = text_of(fields, key)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        passed = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{key!r} is a time such as '2026-01-31T12:00:00Z', not {value!r:.80}.") from error
    return -(-passed // timedelta(milliseconds=1))
