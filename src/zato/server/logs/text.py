"""How a log line looks to people. Imported when there is somebody to look: what colours it takes long to import."""

import json
import textwrap
from collections.abc import Mapping
from typing import Any

import structlog

from zato.core.masks import Masks
from zato.core.printable import on_lines, on_one_line
from zato.server.logs.lines import Line
from zato.server.logs.styles import fields_of

__all__ = ["AsText"]

BELOW = frozenset({"exception", "stack"})


class AsText:
    """Time, level, event, and then what it belongs to; a traceback is indented below."""

    def __init__(self, masks: Masks, *, colors: bool) -> None:
        """Take what masks secrets, and whether there are colours."""
        self._masks = masks
        self._render = structlog.dev.ConsoleRenderer(
            colors=colors, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
        )

    def line(self, line: Line) -> str:
        """Return a line, without its line feed."""
        return self.fields(fields_of(line, self._masks))

    def fields(self, fields: Mapping[str, Any]) -> str:
        """Return a line whose fields are masked already."""
        shown = {on_one_line(name): _shown(name, value) for name, value in fields.items()}
        return self._render(None, "", shown)


def _shown(name: str, value: object) -> str:
    """Keep a value on its line, and below it what has lines of its own.

    structlog puts what could pass for several fields in quotes.
    """
    if name in BELOW:
        return textwrap.indent(on_lines(str(value)), "    ", lambda _: True)
    return on_one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
