"""The options of a background call: what is legal, and what each becomes.

Every function raises `BadRequest` that names the option, what was given, and what is legal.
"""

import re
from collections.abc import Mapping

from zato.core.call import MAX_SECONDS, MAX_TIME_LIMIT
from zato.core.errors import BadRequest, hint_for
from zato.core.invocation import Priority
from zato.core.payload import encode, unicode_text

__all__ = [
    "PRIORITIES",
    "environ_of",
    "key_of",
    "max_concurrency_of",
    "milliseconds_of",
    "priority_of",
    "priority_word",
    "queue_of",
    "text_of",
    "time_limit_of",
]

MAX_TEXT = 255
MAX_CONCURRENCY = 1_000_000
QUEUE = re.compile(r"[A-Za-z0-9._-]{1,100}")
# From what starts first to what starts last.
PRIORITIES: Mapping[str, Priority] = {priority.name.lower(): priority for priority in Priority}
WORDS = {priority.value: word for word, priority in PRIORITIES.items()}


def priority_of(value: object) -> Priority:
    """Return the priority that a word stands for."""
    if isinstance(value, Priority):
        return value
    found = PRIORITIES.get(value) if isinstance(value, str) else None
    if found is None:
        hint = hint_for(value.lower(), PRIORITIES) if isinstance(value, str) else ""
        legal = ", ".join(map(repr, PRIORITIES))
        raise BadRequest(f"priority={value!r:.100} is not legal: it is one of {legal}. {hint}".rstrip())
    return found


def priority_word(number: int) -> str:
    """Return the word for a stored priority."""
    return WORDS.get(number, str(number))


def queue_of(value: object) -> str:
    """Return the name of a queue."""
    if isinstance(value, str) and QUEUE.fullmatch(value):
        return value
    raise BadRequest(
        f"queue={value!r:.100} is no legal name: give 1 to 100 letters (A to Z, a to z), digits, '.', '_' and '-'."
    )


def max_concurrency_of(value: object) -> int:
    """Return how many calls of a service may run at once."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_CONCURRENCY:
        return value
    raise BadRequest(
        f"max_concurrency={value!r:.100} is not legal: give a whole number from 1 to {MAX_CONCURRENCY}, or None."
    )


def milliseconds_of(value: object, option: str) -> int | None:
    """Return the milliseconds of a time in seconds, or None."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MAX_SECONDS:
        return round(value * 1000)
    raise BadRequest(f"{option}={value!r:.100} is not legal: give seconds, from 0.")


def time_limit_of(value: object) -> float | None:
    """Return the seconds that an attempt may take, or None for any."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_TIME_LIMIT:
        return value or None
    raise BadRequest(f"time_limit={value!r:.100} is not legal: give seconds, or 0 for any time.")


def text_of(value: object, option: str) -> str:
    """Return a short text."""
    if isinstance(value, str) and len(value) <= MAX_TEXT and unicode_text(value) == value:
        return value
    raise BadRequest(f"{option}={value!r:.100} is not legal: give a text of up to {MAX_TEXT} characters.")


def environ_of(environ: object) -> bytes:
    """Return the JSON of what a caller hands on."""
    if isinstance(environ, Mapping):
        return encode(dict(environ), what="environ")
    raise BadRequest(f"environ={environ!r:.100} is not legal: give a dict.")


def key_of(key: object) -> str | None:
    """Return an idempotency key, or None."""
    if key is None:
        return None
    if key == "":
        raise BadRequest(f"idempotency_key='' is not legal: give a text of 1 to {MAX_TEXT} characters.")
    return text_of(key, "idempotency_key")
