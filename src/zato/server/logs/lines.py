"""What a log line is made of, taken from a record of `logging` where it is made, before anything of it changes."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Any

from zato.server.scope import running

__all__ = ["LONGEST", "OURS", "Line", "line_of", "notice"]

# Characters of one text; what is longer is cut, and says how long it was.
LONGEST = 200_000
# Values of all fields of one line together.
MAX_VALUES = 2_000
MAX_DEPTH = 6
CUT = "..."
# Larger whole numbers are written as text: few readers of JSON understand them.
MAX_NUMBER = 2**63

# What a line says by itself. A field of one of these names that somebody gives gets another one.
OURS = frozenset({"timestamp", "level", "logger", "event", "cid", "service", "channel", "exception", "stack"})
# What these loggers say of CID, service and channel may be about another call than the one that runs here.
OUR_LOGGERS = ("zato.server", "zato.broker")
CALL = ("cid", "service", "channel")
WARNINGS = "py.warnings"
_STANDARD = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"})

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


@dataclass(slots=True, kw_only=True)
class Line:
    """One line of the log, before it is formatted.

    Attributes:
        created: when it was made, in seconds since 1970.
        fields: what the caller gave as `extra`, made of texts, numbers, lists and dicts.
        error: what the line reports, to be formatted as a traceback.
        size: about how many characters it keeps in memory.
    """

    created: float
    level: str
    logger: str
    event: str
    cid: str | None = None
    service: str | None = None
    channel: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    error: ExcInfo | None = None
    stack: str | None = None
    size: int = 0


def line_of(record: logging.LogRecord) -> Line:
    """Return the line of a record, whatever its arguments do."""
    given = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
    error = record.exc_info
    line = Line(
        created=record.created,
        level=record.levelname.lower(),
        logger=_text(record.name),
        event=_cut(_message_of(record)),
        error=error if isinstance(error, tuple) and error[0] is not None else None,
        stack=_cut(record.stack_info) if record.stack_info else None,
    )
    _place(line, given)
    room = _Room()
    line.fields = room.fields(given) if given else {}
    line.size = len(line.event) + room.taken
    return line


def notice(level: int, message: str) -> Line:
    """Return a line of our own, about the log itself."""
    record = logging.makeLogRecord({"name": "zato.server", "levelno": level, "msg": message})
    record.levelname = logging.getLevelName(level)
    return line_of(record)


def _place(line: Line, given: dict[str, Any]) -> None:
    """Say which call a line belongs to, and leave in `given` what contradicts it."""
    scope = running.get()
    if scope is None or line.logger.startswith(OUR_LOGGERS):
        known = scope or (None, None, None)
        line.cid, line.service, line.channel = map(partial(_given, given), CALL, known)
        return
    line.cid, line.service, line.channel = scope
    for name, value in zip(CALL, scope, strict=True):
        if given.get(name) == value:
            del given[name]


def _given(given: dict[str, Any], name: str, known: str | None) -> str | None:
    value = given.pop(name, None)
    return known if value is None else _cut(_text(value))


def _message_of(record: logging.LogRecord) -> str:
    """Return the message, or what is wrong with it."""
    try:
        message = record.getMessage()
    except Exception as error:
        return (
            f"This line cannot be formatted: {type(error).__name__}: {_text(error)}. "
            f"Message: {_repr(record.msg)}, arguments: {_repr(record.args)}"
        )
    return message.strip() if record.name == WARNINGS else message


class _Room:
    """Copies fields, so that nobody else changes them, as far as there is room for them in one line.

    Attributes:
        taken: about how many characters the copies keep.
    """

    def __init__(self) -> None:
        self.taken = 0
        self._values = MAX_VALUES

    def fields(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields, made of texts, numbers, lists and dicts."""
        named = {f"{name}_" if name in OURS else name: value for name, value in given.items()}
        return self._dict(named, 0)

    def _plain(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind is float:
            return value if value - value == 0 else str(value)
        if value is None or kind is bool or (kind is int and -MAX_NUMBER < value < MAX_NUMBER):
            return value
        if depth < MAX_DEPTH and kind is dict:
            return self._dict(value, depth)
        if depth < MAX_DEPTH and kind in (list, tuple, set, frozenset):
            return [self._plain(item, depth + 1) if self._take() else CUT for item in islice(value, self._values + 1)]
        return self._cut(value)

    def _dict(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        items = islice(value.items(), self._values + 1)
        return {self._cut(key): self._plain(item, depth + 1) if self._take() else CUT for key, item in items}

    def _take(self) -> bool:
        """Tell whether there is room for one more value."""
        self._values -= 1
        self.taken += 8
        return self._values >= 0

    def _cut(self, value: object) -> str:
        text = value if type(value) is str else _text(value)
        left = max(0, LONGEST - self.taken)
        self.taken += min(len(text), left)
        return text if len(text) <= left else f"{text[:left]} ... cut: {len(text)} characters in all"


def _text(value: object) -> str:
    """Return the text of an object, or that it has none."""
    try:
        return str.__str__(value) if isinstance(value, str) else str(value)
    except Exception as error:
        return f"<{type(value).__name__} object whose text raises {type(error).__name__}>"


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__} object whose text raises {type(error).__name__}>"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... cut: {len(text)} characters in all"
