"""How a service is written: its class, as it was loaded."""

import inspect
import tokenize
from dataclasses import dataclass

from zato.server.registry import Deployed, stamp_of

__all__ = ["Source", "source_of"]


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a class.

    Attributes:
        text: of the class, or None if nobody knows it.
        line: its first one in the file, from 1, or None.
        has_changed: the file is not the one that was loaded, so that its text would say something else.
    """

    text: str | None = None
    line: int | None = None
    has_changed: bool = False


def source_of(deployed: Deployed) -> Source:
    """Return how a service is written, from its file; nothing if it is built in, or was made by other means."""
    if deployed.file is None:
        return Source()
    if _has_changed(deployed):
        return Source(has_changed=True)
    try:
        # A class may say that it is of another module than the file that it was found in.
        if inspect.getsourcefile(deployed.kind) != deployed.file:
            return Source()
        lines, line = inspect.getsourcelines(deployed.kind)
    except (OSError, TypeError, SyntaxError, IndexError, tokenize.TokenError):
        return Source()
    return Source(has_changed=True) if _has_changed(deployed) else Source("".join(lines), line)


def _has_changed(deployed: Deployed) -> bool:
    return deployed.stamp is None or deployed.file is None or stamp_of(deployed.file) != deployed.stamp
