"""`zato logs`: what a server has logged, in the order of time, and what it logs now."""

import contextlib
import errno
import json
import select
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

import click

from zato.cli.completion import service_names
from zato.cli.logfiles import Follower, Line, newest_first
from zato.cli.parameters import FOLDER, Choice
from zato.cli.tables import paint
from zato.core.errors import NotFound
from zato.core.printable import on_lines, on_one_line
from zato.environment import Environment

__all__ = ["logs"]

NAMES = ("server.log", "access.log")
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
COLOURS = {"debug": "blue", "info": "green", "warning": "yellow", "error": "red", "critical": "red"}
# What is not repeated behind the message.
PLACED = frozenset({"timestamp", "level", "event", "exception", "logger"})
DEFAULT_LINES = 50
# Seconds between two looks at the files.
POLL = 0.25
# What a shell says of a command that Ctrl-C has ended.
INTERRUPTED = 130

Matches = Callable[[Line], bool]


@click.command
@click.argument("path", type=FOLDER)
@click.option("--cid", help="Only lines of this CID: all of them, unless --lines says how many.")
@click.option("--follow", is_flag=True, help="Go on with what is logged from now on. Ctrl-C ends it.")
@click.option("--lines", type=click.IntRange(0), help=f"How many of the newest lines.  [default: {DEFAULT_LINES}]")
@click.option("--level", type=Choice(LEVELS, case_sensitive=False), help="Only from this level on.")
@click.option("--service", shell_complete=service_names, help="Only lines of this service.")
@click.option("--json", "as_json", is_flag=True, help="Print each line as the JSON object that it is in the file.")
def logs(
    path: Path,
    *,
    cid: str | None,
    follow: bool,
    lines: int | None,
    level: str | None,
    service: str | None,
    as_json: bool,
) -> None:
    """Show what the server in PATH has logged: logs/server.log and logs/access.log, merged by time.

    No server need run. Files that were put aside because they were large are read too.
    """
    folder = Environment(path).check().logs
    files = [folder / name for name in NAMES]
    count = lines if lines is not None else None if cid else DEFAULT_LINES
    conditions = {name: value for name, value in (("cid", cid), ("service", service)) if value is not None}
    least = LEVELS[level] if level else 0
    wanted, matches = _worth_reading(conditions, least), _matching(conditions, least)
    show = _show_json if as_json else _show_text
    if follow:
        _follow(files, count, wanted, matches, show)
        return
    found = _newest(newest_first(files, wanted), count, matches)
    if not found and cid:
        raise NotFound(f"No line in {folder} carries the CID {cid!r}. Lines are kept until five newer files are full.")
    show(found)


def _newest(lines: Generator[Line, None, None], count: int | None, matches: Matches) -> list[Line]:
    """Return the newest lines that match, in the order of time."""
    with contextlib.closing(lines):
        return list(islice(filter(matches, lines), count))[::-1]


def _follow(
    files: Sequence[Path],
    count: int | None,
    wanted: Callable[[bytes], bool],
    matches: Matches,
    show: Callable[[Sequence[Line]], None],
) -> None:
    """Show lines until Ctrl-C, or until nobody reads them any more."""
    with contextlib.ExitStack() as opened:
        followers = [opened.enter_context(contextlib.closing(Follower(file))) for file in files]
        ends = {file: follower.begins for file, follower in zip(files, followers, strict=True)}
        try:
            show(_newest(newest_first(files, wanted, ends), count, matches))
            while True:
                added = [line for follower in followers for line in follower.lines(wanted)]
                show(sorted(filter(matches, added), key=attrgetter("time")))
                _pause()
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)


def _pause() -> None:
    """Wait before the next look. Whoever read stdout may leave meanwhile.

    Raises:
        BrokenPipeError: he has, which ends the command quietly.
    """
    try:
        waiting = select.poll()
        waiting.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError):
        time.sleep(POLL)
        return
    if waiting.poll(POLL * 1000):
        raise BrokenPipeError(errno.EPIPE, "Nobody reads what is printed")


def _worth_reading(conditions: Mapping[str, str], least: int) -> Callable[[bytes], bool]:
    """Return what tells, without understanding lines, whether any of them can match."""
    needles = [_spellings(value) for value in conditions.values()]
    if least > LEVELS["info"]:
        named = [f'"{name}"' for name, level in LEVELS.items() if level >= least]
        needles.append({text.encode() for name in named for text in (name, name.upper())})
    return lambda raw: all(any(spelling in raw for spelling in spellings) for spellings in needles)


def _spellings(value: str) -> set[bytes]:
    """Return how JSON may spell a text."""
    texts = (json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
    return {text.encode("utf-8", "replace") for text in texts}


def _matching(conditions: Mapping[str, str], least: int) -> Matches:
    def matches(line: Line) -> bool:
        values = line.values
        if values is None:
            # Half a line that may match is shown: it was worth reading.
            return True
        level = LEVELS.get(str(values.get("level", "")).lower(), 0)
        return level >= least and all(values.get(name) == value for name, value in conditions.items())

    return matches


def _show_json(lines: Sequence[Line]) -> None:
    """Print objects. What is none in the file becomes one, so that programs can read every line."""
    _print(_json_of(line) for line in lines)


def _json_of(line: Line) -> str:
    raw = line.raw.decode("utf-8", "replace")
    if line.values is None:
        return json.dumps({"event": raw, "broken": True})
    return raw if raw.isprintable() else json.dumps(line.values)


def _show_text(lines: Sequence[Line]) -> None:
    _print(_text_of(line) for line in lines)


def _print(texts: Iterable[str]) -> None:
    if text := "\n".join(texts):
        click.echo(text, color=True)


def _text_of(line: Line) -> str:
    """Return a line as people read it, with a traceback below it."""
    values = line.values
    if values is None:
        return on_one_line(line.raw.decode("utf-8", "backslashreplace"))
    level = _word(values.get("level", ""))
    parts = [
        paint(_word(values.get("timestamp", "")), "bright_black"),
        paint(f"{level.upper():<8}", COLOURS.get(level.lower(), "")),
        _word(values.get("event", "")),
        *(f"{paint(_word(name), 'cyan')}={_word(value)}" for name, value in values.items() if _is_told(name, value)),
        paint(f"[{_word(values['logger'])}]", "bright_black") if "logger" in values else "",
    ]
    text = " ".join(part for part in parts if part.strip())
    return text + _below(values.get("exception"))


def _is_told(name: str, value: object) -> bool:
    return name not in PLACED and value not in (None, "")


def _word(value: Any) -> str:
    return on_one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _below(exception: object) -> str:
    """Return a traceback, each of its lines further in than any message begins."""
    if not isinstance(exception, str):
        return ""
    return "".join(f"\n    {line}" for line in on_lines(exception).split("\n"))
