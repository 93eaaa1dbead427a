"""Which background calls a built-in is about: filters as its input has them, read and checked."""

from typing import Any

from zato.broker.base import Find
from zato.core.errors import BadRequest
from zato.core.invocation import Status
from zato.server.builtin.inputs import choice_of, text_of, time_of, word_of

__all__ = ["FILTERS", "cursor_of", "find_of"]

FILTERS = ("status", "service", "channel", "server", "error", "since", "until", "parent", "cid")
STATUSES = tuple(status.value for status in Status)
MAX_CURSOR = 2**63
# The most digits that such a number has: what is longer is not even read.
CURSOR_DIGITS = 19


def find_of(fields: dict[str, Any]) -> Find:
    """Return the question for the calls that have everything that is asked for.

    Raises:
        BadRequest: a filter is not legal; the message names it.
    """
    status = choice_of(fields, "status", STATUSES)
    return Find(
        status=None if status is None else Status(status),
        service=word_of(fields, "service"),
        channel=word_of(fields, "channel"),
        server=word_of(fields, "server"),
        error=word_of(fields, "error"),
        since=time_of(fields, "since"),
        until=time_of(fields, "until"),
        parent=word_of(fields, "parent"),
        cid=word_of(fields, "cid"),
    )


def cursor_of(fields: dict[str, Any]) -> int | None:
    """Return where a page begins, or None for the first one.

    Raises:
        BadRequest: no page gave it out.
    """
    text = text_of(fields, "cursor")
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= CURSOR_DIGITS and int(text) < MAX_CURSOR:
        return int(text)
    raise BadRequest(f"'cursor' is the 'cursor' of the page before, not {text!r:.80}.")
