"""Reading the folder `user-config`, and reading again what was changed in it.

Whoever asks looks, at most once a second: no thread, and no cost where nobody asks. A file that cannot be
understood leaves in force what it said before, and the log says why.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from zato.core.errors import MissingConfig
from zato.core.user_config import SUFFIXES, ConfigFault, ConfigTable, parse_config, user_config

__all__ = ["UserConfigFolder"]

# Seconds.
LOOK_EVERY = 1.0
# Bytes. A larger file is none that people write.
LARGEST = 1_000_000

logger = logging.getLogger("zato.server")

# What tells one version of a file from another; that its rights were changed counts, too.
Mark = tuple[int, int, int, int]


class UserConfigFolder:
    """The files of a folder, as they are now. From any thread."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the folder, which may be missing, and what tells when to look again."""
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._look_at = float("-inf")
        self._marks: dict[str, Mark] = {}
        self._files: dict[str, dict[str, Any]] = {}
        self._broken: dict[str, str] = {}
        self._unreadable = ""
        self._current = user_config({}, {}, folder.name)

    def current(self) -> ConfigTable:
        """Return what the files say, as of a second ago at most."""
        if self._clock() < self._look_at:
            return self._current
        with self._lock:
            if self._clock() >= self._look_at:
                self._look()
                self._look_at = self._clock() + LOOK_EVERY
            return self._current

    def _look(self) -> None:
        """Read what was changed since the last time.

        Raises:
            MissingConfig: the folder cannot be read, and never could.
        """
        try:
            marks = _marks_of(self._folder)
        except OSError as error:
            reason = f"{self._folder.name} cannot be read: {error.strerror}"
            if not self._marks:
                raise MissingConfig(f"{reason}.") from error
            if reason != self._unreadable:
                logger.error("%s. What its files said before stays in force", reason)  # noqa: TRY400 -- the reason says it all
            self._unreadable = reason
            return
        self._unreadable = ""
        if marks == self._marks:
            return
        is_first = not self._marks
        for name in self._marks.keys() - marks.keys():
            self._files.pop(name, None)
            self._broken.pop(name, None)
            logger.info("%s/%s is gone, and with it what it said", self._folder.name, name)
        for name in sorted(name for name in marks if marks[name] != self._marks.get(name)):
            self._read(name, told=not is_first)
        self._marks = marks
        self._current = user_config(self._files, self._broken, self._folder.name)

    def _read(self, name: str, *, told: bool) -> None:
        where = f"{self._folder.name}/{name}"
        try:
            self._files[name] = parse_config(name, _bytes_of(self._folder / name))
        except (ConfigFault, OSError) as error:
            reason = f"{where}: {(error.strerror or type(error).__name__) if isinstance(error, OSError) else error}"
            kept = name in self._files
            if not kept:
                self._broken[name] = f"{reason}. Correct the file; it is read again by itself."
            said = "What it said before stays in force" if kept else "It says nothing so far"
            # Without a traceback, in which lines of the file might stand.
            logger.error("%s. %s", reason, said)  # noqa: TRY400
        else:
            self._broken.pop(name, None)
            if told:
                logger.info("%s was read again, because it was changed", where)


def _marks_of(folder: Path) -> dict[str, Mark]:
    """Return the files of a folder that say something, each with what tells its version."""
    marks = {}
    # The folder may not be there.
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if PurePath(entry.name).suffix in SUFFIXES and not entry.name.startswith("."):
                mark = _mark_of(entry)
                if mark is not None:
                    marks[entry.name] = mark
    return marks


def _mark_of(entry: "os.DirEntry[str]") -> Mark | None:
    """Return what tells a file's version, or None if it is none: a link to nowhere, or a file that just went."""
    try:
        status = entry.stat() if entry.is_file() else None
    except OSError:
        return None
    return status and (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


def _bytes_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ConfigFault(f"it has more than {LARGEST} bytes")
    return data
