"""How a log line looks: a JSON object for programs here, coloured text for people in `text`. Secrets are in neither."""

import json
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from zato.core.masks import Masks
from zato.server.logs.lines import LONGEST, Line, notice

__all__ = ["AsJSON", "Style", "fields_of", "styled"]


class Style(Protocol):
    """How lines look."""

    def line(self, line: Line) -> str:
        """Return a line, without its line feed."""
        ...

    def fields(self, fields: Mapping[str, Any]) -> str:
        """Return a line whose fields are masked already."""
        ...


class AsJSON:
    """One JSON object a line, in ASCII: nothing in it can end the line, or be seen by a terminal."""

    def __init__(self, masks: Masks) -> None:
        """Take what masks secrets."""
        self._masks = masks

    def line(self, line: Line) -> str:
        """Return a line, without its line feed."""
        return self.fields(fields_of(line, self._masks))

    def fields(self, fields: Mapping[str, Any]) -> str:
        """Return a line whose fields are masked already."""
        return json.dumps(fields)


def styled(style: Style, line: Line) -> str:
    """Return a line as a style shows it, or one that says that it cannot be shown."""
    try:
        return style.line(line)
    except Exception as error:
        return style.line(notice(logging.ERROR, f"A log line of {line.logger!r:.200} is lost: {type(error).__name__}"))


def fields_of(line: Line, masks: Masks) -> dict[str, Any]:
    """Return the fields of a line in their order, without secrets."""
    fields: dict[str, Any] = {
        "timestamp": _time(line.created),
        "level": line.level,
        "logger": masks.text(line.logger),
        "event": masks.text(line.event),
    }
    for name in ("cid", "service", "channel"):
        value: str | None = getattr(line, name)
        if value is not None:
            fields[name] = masks.text(value)
    for name, value in line.fields.items():
        fields[masks.text(name)] = masks.field(name, value)
    if line.error is not None:
        fields["exception"] = masks.text(_traceback(line))
    if line.stack is not None:
        fields["stack"] = masks.text(line.stack)
    return fields


def _traceback(line: Line) -> str:
    """Return the traceback of a line's error. Its code is foreign, and so is what it raises."""
    assert line.error is not None  # noqa: S101 -- asked for by who calls; for the type checker
    try:
        text = "".join(traceback.format_exception(*line.error)).rstrip("\n")
    except Exception as fault:
        return f"{line.error[0].__name__}, whose traceback cannot be formatted: {type(fault).__name__}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}\n... cut ...\n{text[-LONGEST // 2 :]}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
