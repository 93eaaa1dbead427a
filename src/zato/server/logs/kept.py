"""The server's logging, kept when a file of services configures `logging` as if it were the whole program.

`logging.config.dictConfig`, `fileConfig` and `logging.basicConfig(force=True)` remove the handlers of others and, by
default, silence their loggers: without this the log of the process would end there, with all that goes wrong later.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["logging_kept"]

logger = logging.getLogger("zato.server")


@contextmanager
def logging_kept(who: str) -> Iterator[None]:
    """Put back what is removed in the context. What is added stays.

    Args:
        who: what to call, in the log, the one who does it.
    """
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    speaking = [each for each in _loggers() if not each.disabled]
    try:
        yield
    finally:
        removed = [handler for handler in handlers if handler not in root.handlers]
        # A single logger that is silenced is meant; ours is not known to those who mean it.
        silenced = [each for each in speaking if each.disabled] if logger.disabled else []
        for each in silenced:
            each.disabled = False
        if removed:
            root.handlers[:0] = removed
            root.setLevel(level)
        if removed or silenced:
            logger.warning("%s configures logging, which removed the server's own: it was put back", who)


def _loggers() -> list[logging.Logger]:
    known = list(logging.Logger.manager.loggerDict.values())
    return [each for each in known if isinstance(each, logging.Logger)]
