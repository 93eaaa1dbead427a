"""The record of one background call: asking for it, until it has an outcome, and showing it."""

import json
from typing import Any

from zato.cli.door import refuse
from zato.cli.tables import Column, print_fields, status_style
from zato.client import AnyServiceInvoker
from zato.core.errors import ServiceError
from zato.core.invocation import DEFAULT_QUEUE, OUTCOMES, Priority
from zato.core.known_errors import error_called
from zato.core.options import priority_word

__all__ = ["COLUMNS", "ENDED", "Record", "as_row", "get_record", "print_record", "why_not_done"]

Record = dict[str, Any]

ENDED = tuple(status.value for status in OUTCOMES)
# The longest that a server listens for an outcome in one request, in seconds.
LONGEST_WAIT = 60.0
LONGEST_CELL = 100

SHOWN = (
    ("cid", "CID"),
    ("service", "service"),
    ("status", "status"),
    ("id", "id"),
    ("channel", "channel"),
    ("queue", "queue"),
    ("priority", "priority"),
    ("parent", "called by"),
    ("in_reply_to", "in reply to"),
    ("replay_of", "replay of"),
    ("attempts", "attempts"),
    ("takeovers", "take-overs"),
    ("created", "accepted"),
    ("not_before", "not before"),
    ("expires", "expires"),
    ("started", "started"),
    ("ended", "ended"),
    ("server", "server"),
    ("callback", "callback"),
    ("on_failure", "on failure"),
    ("payload", "payload"),
    ("response", "response"),
)
# What most calls have, and goes without saying.
USUAL = {"queue": DEFAULT_QUEUE, "priority": priority_word(Priority.NORMAL)}
COLUMNS = (
    Column("CID", whole=True),
    "service",
    Column("status", whole=True, style=status_style),
    Column("tries", right=True),
    Column("accepted (UTC)", whole=True),
    "error",
)


def get_record(client: AnyServiceInvoker, cid: str, wait: float = 0.0, *, by_id: bool = False) -> Record:
    """Return a call's record: with an outcome if there is one within `wait` seconds.

    Args:
        client: of the server.
        cid: the newest call with it; with `by_id`, the call's id.
        wait: seconds.

    Raises:
        NotFound: there is no such call.
        NetworkError: the server does not answer.
    """
    while True:
        step = min(wait, LONGEST_WAIT)
        response = client.invoke("zato.invocation.get", {"id" if by_id else "cid": cid, "wait": step})
        refuse(response)
        wait -= step
        if wait <= 0 or response.data["status"] in ENDED:
            record: Record = response.data
            return record


def print_record(record: Record) -> None:
    """Print a record, a line for everything there is to say about it."""
    shown = [
        (label, _shown(key, record[key])) for key, label in SHOWN if record[key] not in (None, [], "", USUAL.get(key))
    ]
    if record["cid_count"] > 1:
        shown.append(("", f"({record['cid_count']} calls carry this CID; this is the newest)"))
    for failure in record["failures"]:
        shown.append((f"attempt {failure['attempt']}", _error(failure["error"])))
    if record["error"]:
        shown.append(("error", _error(record["error"])))
    print_fields(shown)


def as_row(record: Record) -> tuple[str, ...]:
    """Return a record as a row of a table."""
    error = _error(record["error"]) if record["error"] else ""
    return (
        record["cid"],
        record["service"],
        record["status"],
        str(record["attempts"]),
        record["created"][5:19].replace("T", " "),
        error if len(error) <= LONGEST_CELL else f"{error[:LONGEST_CELL]} ...",
    )


def why_not_done(record: Record) -> ServiceError:
    """Return why a call that has ended has no response, as the error that `zato service invoke` would end with."""
    error = record["error"]
    if error is None:
        return ServiceError(f"The call {record['cid']!r} is {record['status']}: its service did not run to an end.")
    kind = error_called(error["code"])
    return kind(error["message"] if kind is not ServiceError else _error(error))


def _error(error: dict[str, str]) -> str:
    return f"{error['type']}: {error['message']}"


def _shown(key: str, value: Any) -> str:
    if key in ("callback", "on_failure"):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
