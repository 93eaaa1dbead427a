"""`zato.log.*`: what is logged, changed while the server runs."""

from typing import Any

from zato.core.errors import BadRequest
from zato.server.builtin.inputs import choice_of, read_object, text_of
from zato.server.logs.levels import LEVELS, ROOT, Levels
from zato.server.service import AsyncService

__all__ = ["GetLevels", "SetLevel"]

DEFAULT = "default"
LONGEST_NAME = 200


class SetLevel(AsyncService):
    """Sets the least level that is logged, in all processes of the server within a second, until the server stops.

    Input: `level`, DEBUG, INFO, WARNING or ERROR, or `default` for what it was at the start; `logger`, the name of a
    logger, by default `root`, which stands for all that have no level of their own.
    Output: what `zato.log.get-levels` tells.
    """

    name = "zato.log.set-level"

    def __init__(self, levels: Levels) -> None:
        """Take the levels."""
        self._levels = levels

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...]}`, with the new level."""
        fields = read_object(self.request.payload, "level", "logger")
        given = text_of(fields, "level")
        if given is None:
            raise BadRequest(f"Give 'level': one of {', '.join(LEVELS)}, or {DEFAULT!r}.")
        logger = text_of(fields, "logger") or ROOT
        if not logger.isprintable() or len(logger) > LONGEST_NAME:
            raise BadRequest(f"'logger' is at most {LONGEST_NAME} printable characters, not {logger!r:.80}.")
        level = given.upper() if given.lower() != DEFAULT else DEFAULT
        level = choice_of({"level": level}, "level", (*LEVELS, DEFAULT)) or DEFAULT
        self._levels.change(logger, None if level == DEFAULT else level)
        return _shown(self._levels)


class GetLevels(AsyncService):
    """Tells the level of all loggers together, and of each whose level was set while the server runs.

    Input: nothing.
    Output: `items`, a list of objects with `logger`, `level` and `is_default`; the first one is `root`.
    """

    name = "zato.log.get-levels"

    def __init__(self, levels: Levels) -> None:
        """Take the levels."""
        self._levels = levels

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...]}`."""
        read_object(self.request.payload)
        return _shown(self._levels)


def _shown(levels: Levels) -> dict[str, Any]:
    changed = levels.current()
    root = {"logger": ROOT, "level": changed.get(ROOT, levels.default), "is_default": ROOT not in changed}
    names = sorted(changed.keys() - {ROOT})
    return {"items": [root, *({"logger": name, "level": changed[name], "is_default": False} for name in names)]}
