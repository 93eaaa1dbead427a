"""What the refusals of Redis mean, said so that somebody can do something about it."""

from typing import Any

from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, ResponseError

from zato.broker.base import Unstorable
from zato.core.errors import BrokerUnavailable

__all__ = ["is_error", "is_unknown_script", "refusal_of"]

TOO_LARGE = ("string exceeds maximum allowed size", "invalid bulk length")


def is_error(reply: Any) -> bool:
    """Tell whether Redis refused something."""
    return isinstance(reply, ResponseError)


def is_unknown_script(reply: Any) -> bool:
    """Tell whether Redis does not know a script, or has forgotten it."""
    return isinstance(reply, NoScriptError)


def refusal_of(error: ResponseError, place: str) -> Exception:
    """Return the error that callers get for what Redis said."""
    text = str(error)
    if any(words in text for words in TOO_LARGE):
        return Unstorable(f"Redis at {place} cannot store this, now or later: {text}")
    refusal = BrokerUnavailable(f"Redis at {place} {_reason(error, text)}")
    refusal.__cause__ = error
    return refusal


def _reason(error: ResponseError, text: str) -> str:
    if isinstance(error, OutOfMemoryError) or text.startswith("OOM") or "OOM command not allowed" in text:
        return "is full: it uses all of its 'maxmemory'. Make room, or give it more."
    if isinstance(error, ReadOnlyError) or "READONLY" in text:
        return "is a replica, and takes no calls. Name its master, or the sentinels that know it."
    if "WRONGTYPE" in text:
        return (
            "holds something of another program under a name of ours. Choose another name (setting 'cluster'), or "
            f"another database. {text}"
        )
    if "MISCONF" in text:
        return f"cannot write to its disk: {text}"
    return f"does not do what it is asked: {text}"
