"""Where logging begins: users' own `logging` loggers, structlog, and `warnings` go to the files and the stream.

The file and the stream have a thread each, and the access log a third: a stream that nobody reads holds up
neither the files nor the end.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from zato.core.masks import Masks
from zato.server.logs.access import AccessLog
from zato.server.logs.backlog import Backlog, Block, Writer
from zato.server.logs.files import LogFile
from zato.server.logs.levels import Levels
from zato.server.logs.lines import Line, line_of, notice
from zato.server.logs.streams import Stream
from zato.server.logs.structured import structlog_joins
from zato.server.logs.styles import AsJSON, styled

__all__ = ["Logs", "Outlets", "logging_to"]

# Lines that may wait while the disk hangs, and their characters.
LINES = 100_000
CHARACTERS = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """Where a process logs to, and how.

    Attributes:
        file: gets one JSON object a line. Several processes may write to it.
        level: the least that is logged.
        style: `json` or `text` for the stream, or `auto`: text if it is a terminal.
        stream: standard error, for instance, or None to log to files alone.
        access: the file of the access log, or None for no such lines.
        levels: the file that says which levels were changed while the server runs, or None.
        secrets: values that are shown nowhere.
    """

    file: Path
    level: str = "INFO"
    style: str = "auto"
    stream: TextIO | None = None
    access: Path | None = None
    levels: Path | None = None
    secrets: Iterable[str] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Logs:
    """What a process needs of its logs while it runs."""

    access: AccessLog | None
    levels: Levels


class _Intake(logging.Handler):
    """Makes lines of records, where they are made, and hands them over."""

    def __init__(self, backlogs: Sequence[Backlog]) -> None:
        """Take what the lines wait in."""
        super().__init__()
        self._backlogs = backlogs

    def handle(self, record: logging.LogRecord) -> bool:
        """Take a record without the lock of handlers: a backlog has its own."""
        # From Python 3.12 on, a filter may put another record in its place.
        passed: object = self.filter(record)
        if passed:
            self.emit(passed if isinstance(passed, logging.LogRecord) else record)
        return bool(passed)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record over. What cannot be made a line is reported by one that can."""
        try:
            line = line_of(record)
        except Exception as error:
            line = notice(logging.ERROR, f"A log line of {record.name!r:.200} is lost: {type(error).__name__}")
        for backlog in self._backlogs:
            backlog.put(line)


@contextmanager
def logging_to(outlets: Outlets) -> Iterator[Logs]:
    """Log while the context lasts.

    Raises:
        EnvironmentFault: a file cannot be written.
    """
    masks = Masks(outlets.secrets)
    with ExitStack() as opened:
        stream = _stream(outlets, masks, opened)
        backlogs = [] if stream is None else [stream.backlog]
        backlogs.insert(0, _file(outlets.file, masks, backlogs, opened))
        opened.enter_context(_attached(_Intake(backlogs), outlets.level))
        levels = Levels(outlets.levels, default=outlets.level)
        opened.callback(levels.undo)
        levels.look()
        yield Logs(_access(outlets.access, masks, stream, opened), levels)


def _stream(outlets: Outlets, masks: Masks, opened: ExitStack) -> Stream | None:
    if outlets.stream is None:
        return None
    stream = Stream(outlets.stream, outlets.style, masks, outlets.file)
    opened.callback(stream.stop)
    return stream


def _file(path: Path, masks: Masks, elsewhere: Sequence[Backlog], opened: ExitStack) -> Backlog:
    """Open the log file and return what waits for it; that it cannot be written is said elsewhere."""
    others = list(elsewhere)

    def unwritable(message: str) -> None:
        for backlog in others:
            backlog.put(notice(logging.ERROR, message))

    file = LogFile(path, unwritable)
    opened.callback(file.close)
    style = AsJSON(masks)

    def write(lines: Sequence[Line | Block]) -> None:
        file.write("".join(f"{styled(style, line)}\n" for line in lines if isinstance(line, Line)).encode())

    backlog = Backlog(LINES, CHARACTERS, _missing)
    opened.callback(Writer(backlog, write).stop)
    return backlog


def _missing(lines: int, _: int) -> Line:
    return notice(logging.WARNING, f"The disk was too slow for {lines} log lines: they are missing here")


def _access(path: Path | None, masks: Masks, stream: Stream | None, opened: ExitStack) -> AccessLog | None:
    if path is None:
        return None
    file = LogFile(path, logging.getLogger("zato.server").error)
    opened.callback(file.close)
    access = AccessLog(file, masks, None if stream is None else stream.put_access)
    opened.callback(access.stop)
    return access


@contextmanager
def _attached(handler: logging.Handler, level: str) -> Iterator[None]:
    """Have everything that is logged come to a handler."""
    root, granian = logging.getLogger(), logging.getLogger("_granian")
    before = root.level, granian.level
    granian.setLevel(logging.ERROR)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(True)
    try:
        with structlog_joins():
            yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        root.setLevel(before[0])
        granian.setLevel(before[1])
