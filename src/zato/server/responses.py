"""The text of a response, unless it is larger than a reply may be."""

from zato.core.errors import ResponseTooLarge
from zato.core.payload import to_text, unwrapped
from zato.server.service import Response

__all__ = ["response_text"]


def response_text(response: Response, *, limit: int, unwrap: bool = False) -> str:
    """Return what the caller of a service gets.

    Args:
        limit: the most bytes it may have.
        unwrap: leave out the wrapper of a dict whose one key is `response` or starts with `zato`.

    Raises:
        ResponseTooLarge: it is over the limit. The response has no payload any more.
        NotSerializable: something in it has no JSON form.
    """
    text = _text_within(limit, unwrapped(response.payload) if unwrap else response.payload)
    if text is None:
        # An error keeps alive what the functions it passes through know, and is logged and passed on for a while.
        response.payload = None
        raise ResponseTooLarge(
            f"The service's response is over {limit} bytes (setting max_response). "
            "Store it elsewhere and return where, or return it in parts."
        )
    return text


def _text_within(limit: int, payload: object) -> str | None:
    """Return a payload's text, or None if it is too large. What is too large already is not copied first."""
    if isinstance(payload, str | bytes) and len(payload) > limit:
        return None
    text = to_text(payload)
    # A character has four bytes at most.
    fits = len(text) <= limit // 4 or _bytes_of(text) <= limit
    return text if fits else None


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
