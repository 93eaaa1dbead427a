"""JSON as services have it: what the server can send, `dumps` can write."""

from typing import Any

from zato.core.payload import decode, encode

__all__ = ["dumps", "loads"]


def dumps(value: object) -> str:
    """Return a value as JSON. Dates, decimals, models and the like have the form that a response gives them.

    Raises:
        NotSerializable: something in the value has no JSON form.
    """
    return encode(value).decode()


def loads(text: str | bytes) -> Any:
    """Return what a JSON text says.

    Raises:
        InvalidPayload: it is not JSON.
    """
    return decode(text)
