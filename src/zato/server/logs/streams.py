"""The stream that log lines go to besides the file: a terminal, a pipe, or whatever a container reads.

It may be read slowly, or by nobody: that holds up neither the file nor the end.
"""

import contextlib
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from zato.core.access import AccessLine, fields_of
from zato.core.masks import Masks
from zato.server.logs.backlog import Backlog, Block, Writer
from zato.server.logs.lines import Line, notice
from zato.server.logs.styles import AsJSON, Style, styled

__all__ = ["Stream"]

# Lines that wait for a stream that is read too slowly, and their characters. What comes then is in the files alone.
LINES = 10_000
CHARACTERS = 20_000_000
# Seconds that the stream has at the end to take what waits for it.
PATIENCE = 1.0
WARNING = 30
# Characters that are written at once, mostly ASCII: POSIX has pipes take 512 bytes in one piece, Linux 4096.
PIECE = 4096 if sys.platform == "linux" else 512


class Stream:
    """A stream and the thread that writes to it."""

    def __init__(self, stream: TextIO, style: str, masks: Masks, file: Path) -> None:
        """Take the stream, `json`, `text` or `auto`, what masks secrets, and the file that has everything; begin."""
        is_terminal = stream.isatty()
        is_text = style == "text" or (style == "auto" and is_terminal)
        self._style = _as_text(masks, colors=is_terminal) if is_text else AsJSON(masks)
        self._is_text = is_text
        self._file = file
        self._stream = _own(stream)
        self.backlog = Backlog(LINES, CHARACTERS, self._missing)
        self._writer = Writer(self.backlog, self._write)

    def put_access(self, lines: Sequence[AccessLine], data: bytes) -> None:
        """Show lines of the access log too, as they are or as their JSON."""
        text = "".join(f"{self._style.fields(fields_of(line))}\n" for line in lines) if self._is_text else data.decode()
        self.backlog.put_block(Block(text, len(lines)))

    def stop(self) -> None:
        """Return when everything is written that the stream takes within a second."""
        self._writer.stop(PATIENCE)

    def _write(self, lines: Sequence[Line | Block]) -> None:
        """Write lines. If that fails there is nobody to tell; the files have them."""
        with contextlib.suppress(Exception):
            for piece in _pieces("".join(map(self._text, lines))):
                self._stream.write(piece)
                self._stream.flush()

    def _text(self, line: Line | Block) -> str:
        return line.text if isinstance(line, Block) else f"{styled(self._style, line)}\n"

    def _missing(self, lines: int, access: int) -> Line:
        kinds = ((lines, "log"), (access, "access"))
        what = " and ".join(f"{count} {kind} lines" for count, kind in kinds if count)
        where = self._file if lines else self._file.with_name("access.log")
        return notice(WARNING, f"Nobody read {what} in time: they are missing here. {where} has them")


def _as_text(masks: Masks, *, colors: bool) -> Style:
    from zato.server.logs.text import AsText

    return AsText(masks, colors=colors)


def _pieces(text: str) -> Iterator[str]:
    """Yield whole lines, as many at once as a pipe takes in one piece, so that processes do not mix theirs."""
    piece = ""
    for line in text.split("\n")[:-1]:
        if piece and len(piece) + len(line) >= PIECE:
            yield piece
            piece = ""
        piece += f"{line}\n"
    yield piece


def _own(stream: TextIO) -> TextIO:
    """Return a stream as a file of our own, if it is one: Python waits at its end for its `stderr` too."""
    try:
        raw = io.FileIO(stream.fileno(), "w", closefd=False)
    except OSError:
        return stream
    return io.TextIOWrapper(raw, "utf-8", errors="backslashreplace", write_through=True)
