"""The input of built-in services: one JSON object, whose unknown keys are refused."""

from typing import Any

from zato.core.errors import BadRequest, hint_for

__all__ = ["number_of", "read_object", "text_of"]


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


def number_of(fields: dict[str, Any], key: str, *, default: float, low: float, high: float) -> float:
    """Return a number.

    Raises:
        BadRequest: it is something else, or out of range.
    """
    value = fields.get(key, default)
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise BadRequest(f"{key!r} is a number from {low:g} to {high:g}, not {value!r:.80}.")
