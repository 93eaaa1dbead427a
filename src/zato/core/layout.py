"""JSON as text, laid out anew: nothing of it is read as a value, so that every digit and escape stays as it came."""

import msgspec

__all__ = ["compact", "indented"]


def indented(text: str) -> str | None:
    """Return JSON on lines of its own, two spaces a level, or None if the text is no JSON."""
    return _formatted(text, 2)


def compact(text: str) -> str | None:
    """Return JSON without blanks between its parts, or None if the text is no JSON."""
    return _formatted(text, -1)


def _formatted(text: str, indent: int) -> str | None:
    try:
        return msgspec.json.format(text, indent=indent)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return None
