"""Logs: one JSON object a line, or coloured text on a terminal, written by a thread of their own.

Users' own `logging` loggers join in. A line carries CID, service and channel where they are known.
"""

import contextlib
import logging
import logging.handlers
import queue
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import structlog

from zato.core.errors import EnvironmentFault

__all__ = ["logging_to"]

MAX_FILE = 20_000_000
KEPT_FILES = 5
FIELDS = ["cid", "service", "channel"]
# What a terminal obeys, or takes for the end of a line; in a traceback, line feeds are in their place.
CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
CONTROL |= {code: f"\\u{code:04x}" for code in (0x2028, 0x2029)}
CONTROL_AND_LINES = CONTROL | {10: "\\n"}


class _InOrder(logging.handlers.QueueHandler):
    """Hands records over as they are; the listener formats them on its own thread."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Fix the message, so that later changes to its arguments do not show."""
        record.msg = record.getMessage()
        record.args = None
        return record


class _File(logging.handlers.RotatingFileHandler):
    """The log file. That it cannot be written, on a full disk for instance, is said once, elsewhere."""

    def __init__(self, file: Path, elsewhere: logging.Handler) -> None:
        """Take the file, and who is told."""
        super().__init__(file, maxBytes=MAX_FILE, backupCount=KEPT_FILES, encoding="utf-8")
        self._elsewhere: logging.Handler | None = elsewhere

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Report what went wrong, if it is the file and not the record."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
        elif self._elsewhere is not None:
            elsewhere, self._elsewhere = self._elsewhere, None
            message = f"{self.baseFilename} cannot be written: {error.strerror}. Lines are missing in it."
            report = {"name": "zato.server", "levelno": logging.ERROR, "levelname": "ERROR", "msg": message}
            elsewhere.handle(logging.makeLogRecord(report))


@contextmanager
def logging_to(file: Path, *, level: str, style: str, stream: TextIO | None = None) -> Iterator[None]:
    """Log to a file and a stream while the context lasts.

    Args:
        file: gets one JSON object a line; at 20 MB it is put aside, five times.
        level: the least that is logged.
        style: `json` or `text` for the stream, or `auto`: text if it is a terminal.
        stream: standard error by default.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    out = stream or sys.stderr
    text = style == "text" or (style == "auto" and out.isatty())
    to_stream = logging.StreamHandler(out)
    to_stream.setFormatter(_formatter(text=text, colors=out.isatty()))
    to_file = _open(file, to_stream)
    to_file.setFormatter(_formatter(text=False, colors=False))

    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = _InOrder(records)
    listener = logging.handlers.QueueListener(records, to_stream, to_file)
    root = logging.getLogger()
    level_before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger("_granian").setLevel(logging.ERROR)
    listener.start()
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level_before)
        listener.stop()
        to_stream.close()
        # What could not be written has been reported; the file is closed all the same.
        with contextlib.suppress(OSError):
            to_file.close()


def _open(file: Path, elsewhere: logging.Handler) -> logging.Handler:
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        return _File(file, elsewhere)
    except OSError as error:
        raise EnvironmentFault(f"{file} cannot be written: {error.strerror}.") from error


def _formatter(*, text: bool, colors: bool) -> structlog.stdlib.ProcessorFormatter:
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.ExtraAdder(allow=FIELDS),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _stamp,
    ]
    if text:
        console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)
        tail: list[structlog.typing.Processor] = [_harmless, console]
    else:
        tail = [structlog.processors.JSONRenderer()]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            *tail,
        ],
    )


def _stamp(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add when the record was made, not when it is written."""
    made: float = event["_record"].created
    event["timestamp"] = datetime.fromtimestamp(made, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _harmless(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Keep a message on its line and a traceback below it: control characters are shown, not obeyed."""
    shown = {key: str(value).translate(CONTROL_AND_LINES) for key, value in event.items()}
    if "exception" in event:
        shown["exception"] = textwrap.indent(event["exception"].translate(CONTROL), "    ")
    return shown
