"""Logs: one JSON object a line, or coloured text on a terminal, written by threads of their own.

Users' own `logging` loggers join in. A line carries CID, service and channel where they are known. All
processes of a server write to one file; one of them puts it aside when it is large, and the others notice.

The file and the stream have a thread each: a stream that nobody reads holds up neither the file nor the end.
"""

import contextlib
import io
import logging
import logging.handlers
import queue
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import structlog

from zato.core.errors import EnvironmentFault

__all__ = ["logging_to", "put_aside"]

MAX_FILE = 20_000_000
KEPT_FILES = 5
LONGEST_LINE = 1_000_000
# Records that wait for a stream that is read too slowly. What comes then is in the file alone.
STREAM_QUEUE = 10_000
# Seconds that the stream has at the end to take what waits for it.
STREAM_PATIENCE = 1.0
FIELDS = ["cid", "service", "channel"]
# What a terminal obeys, or takes for the end of a line; in a traceback, line feeds are in their place.
CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
CONTROL |= {code: f"\\u{code:04x}" for code in (0x2028, 0x2029)}
CONTROL_AND_LINES = CONTROL | {10: "\\n"}


class _InOrder(logging.handlers.QueueHandler):
    """Hands records over as they are; a thread formats and writes them."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Fix the message, so that later changes to its arguments do not show."""
        record.msg = record.getMessage()
        record.args = None
        return record


class _AsFarAsItFits(_InOrder):
    """Hands over what the queue has room for, and says how much it was not, once there is room again."""

    def __init__(self, records: "queue.Queue[logging.LogRecord | None]", file: Path) -> None:
        """Take the queue, and the file that has everything."""
        super().__init__(records)
        self._records = records
        self._file = file
        self._missing = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Hand over a record, or count it as missing. Not one by one: room is half of the queue."""
        try:
            if self._missing and self._records.qsize() <= STREAM_QUEUE // 2:
                message = f"Nobody read {self._missing} log lines in time: they are missing here. {self._file} has them"
                self._records.put_nowait(_record(logging.WARNING, message))
                self._missing = 0
            if not self._missing:
                self._records.put_nowait(record)
                return
        except queue.Full:
            pass
        self._missing += 1


class _Writer:
    """A thread that writes what is handed over."""

    def __init__(self, write: Callable[[logging.LogRecord], object], *, room: int = 0) -> None:
        """Begin. There is room for so many records; 0 is any number."""
        self.records: queue.Queue[logging.LogRecord | None] = queue.Queue(room)
        self._write = write
        self._thread = threading.Thread(target=self._run, name="zato-log", daemon=True)
        self._thread.start()

    def stop(self, patience: float | None = None) -> None:
        """Return when everything is written, or after so many seconds twice; what hangs is left behind."""
        with contextlib.suppress(queue.Full):
            self.records.put(None, timeout=patience)
        self._thread.join(patience)

    def _run(self) -> None:
        while (record := self.records.get()) is not None:
            self._write(record)


class _Stream:
    """The stream. It is no `Handler`: `logging` waits at the end for all of them, for ever if one hangs."""

    def __init__(self, stream: TextIO, formatter: logging.Formatter) -> None:
        """Take the stream, as a file of our own if it is one: Python waits for its `stderr` too."""
        self._formatter = formatter
        try:
            raw = io.FileIO(stream.fileno(), "w", closefd=False)
        except OSError:
            self._stream = stream
        else:
            self._stream = io.TextIOWrapper(raw, "utf-8", errors="backslashreplace", write_through=True)

    def write(self, record: logging.LogRecord) -> None:
        """Write a record. If that fails there is nobody to tell; the file has it."""
        with contextlib.suppress(Exception):
            self._stream.write(f"{self._formatter.format(record)}\n")
            self._stream.flush()


class _File(logging.handlers.WatchedFileHandler):
    """The log file. That it cannot be written, on a full disk for instance, is said once, elsewhere."""

    def __init__(self, file: Path, elsewhere: logging.Handler | None) -> None:
        """Take the file, and who is told."""
        super().__init__(file, encoding="utf-8")
        self._elsewhere = elsewhere

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, to a new file if this one was put aside."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- logging's name
        """Report what went wrong, if it is the file and not the record."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
        elif self._elsewhere is not None:
            elsewhere, self._elsewhere = self._elsewhere, None
            message = f"{self.baseFilename} cannot be written: {error.strerror}. Lines are missing in it."
            elsewhere.handle(_record(logging.ERROR, message))

    def _open(self) -> TextIOWrapper:
        """Open the file so that each line is one write: lines of several processes never mix."""
        return open(self.baseFilename, "a", buffering=LONGEST_LINE, encoding="utf-8")  # noqa: PTH123 -- closed by logging


@contextmanager
def logging_to(file: Path, *, level: str, style: str, stream: TextIO | None) -> Iterator[None]:
    """Log to a file and a stream while the context lasts.

    Args:
        file: gets one JSON object a line. Several processes may write to it.
        level: the least that is logged.
        style: `json` or `text` for the stream, or `auto`: text if it is a terminal.
        stream: standard error, for instance, or None to log to the file alone.

    Raises:
        EnvironmentFault: the file cannot be written.
    """
    root = logging.getLogger()
    level_before = root.level
    logging.getLogger("_granian").setLevel(logging.ERROR)
    with contextlib.ExitStack() as opened:
        to_stream = None if stream is None else opened.enter_context(_to_stream(stream, style, file))
        to_file = opened.enter_context(_to_file(file, to_stream))
        handlers = [to_file] if to_stream is None else [to_file, to_stream]
        for handler in handlers:
            root.addHandler(handler)
        root.setLevel(level)
        try:
            yield
        finally:
            for handler in handlers:
                root.removeHandler(handler)
            root.setLevel(level_before)


def put_aside(file: Path) -> None:
    """Give a log file of 20 MB or more another name, so that a new one is begun; five are kept.

    For one process alone. What goes wrong is tried again the next time.
    """
    with contextlib.suppress(OSError):
        if file.stat().st_size < MAX_FILE:
            return
        names = [file, *(file.with_name(f"{file.name}.{number}") for number in range(1, KEPT_FILES + 1))]
        for newer, older in reversed(list(pairwise(names))):
            if newer.exists():
                newer.replace(older)


@contextmanager
def _to_stream(stream: TextIO, style: str, file: Path) -> Iterator[logging.Handler]:
    text = style == "text" or (style == "auto" and stream.isatty())
    target = _Stream(stream, _formatter(text=text, colors=stream.isatty()))
    writer = _Writer(target.write, room=STREAM_QUEUE)
    try:
        yield _AsFarAsItFits(writer.records, file)
    finally:
        writer.stop(STREAM_PATIENCE)


@contextmanager
def _to_file(file: Path, elsewhere: logging.Handler | None) -> Iterator[logging.Handler]:
    target = _open(file, elsewhere)
    target.setFormatter(_formatter(text=False, colors=False))
    writer = _Writer(target.handle)
    try:
        yield _InOrder(writer.records)
    finally:
        writer.stop()
        # What could not be written has been reported; the file is closed all the same.
        with contextlib.suppress(OSError):
            target.close()


def _open(file: Path, elsewhere: logging.Handler | None) -> logging.Handler:
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        return _File(file, elsewhere)
    except OSError as error:
        raise EnvironmentFault(f"{file} cannot be written: {error.strerror}.") from error


def _record(level: int, message: str) -> logging.LogRecord:
    """Return a record of our own."""
    name = logging.getLevelName(level)
    return logging.makeLogRecord({"name": "zato.server", "levelno": level, "levelname": name, "msg": message})


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
