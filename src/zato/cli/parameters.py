"""What commands are given, read and checked."""

import math
import os
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from zato.core.errors import hint_for

__all__ = ["FOLDER", "Choice", "Moment", "Seconds", "headers_given", "payload_given", "url_path_given"]

AGO = re.compile(r"([0-9]{1,9})([smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*([\t\x20-\x7e\xa0-\xff]*)")


class _Folder(click.Path):
    """The folder of an environment. An empty text is none, though it would pass for the current one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder."""
        if not value:
            self.fail("it is empty. Name the folder of an environment, or '.' for this one.", param, ctx)
        return super().convert(value, param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
        """Have the shell complete folders."""
        return [CompletionItem(incomplete, type="dir")]


class Choice(click.Choice[str]):
    """One of a few words. A misspelt one is answered with the nearest."""

    def __init__(self, choices: Iterable[str], *, case_sensitive: bool = True) -> None:
        """Take the words, and whether capitals matter."""
        super().__init__(choices, case_sensitive)

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Return what is wrong with a value."""
        words = [self.normalize_choice(choice, ctx) for choice in self.choices]
        hint = hint_for(self.normalize_choice(value, ctx), words)
        return f"{super().get_invalid_choice_message(value, ctx)} {hint}".rstrip()


class Seconds(click.FloatRange):
    """A number of seconds, from 0."""

    name = "number of seconds"

    def __init__(self) -> None:
        """Allow everything from nothing on."""
        super().__init__(min=0)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what help shows for a value."""
        return "SECONDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        seconds: float = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value!r} is not a valid {self.name}.", param, ctx)
        return seconds


class Moment(click.ParamType[str]):
    """A time: ISO 8601, in UTC unless it says otherwise, or how long ago."""

    name = "time"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what help shows for a value."""
        return "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the time as ISO 8601 in UTC."""
        ago = AGO.fullmatch(value)
        try:
            if ago:
                return (datetime.now(UTC) - timedelta(seconds=int(ago[1]) * UNITS[ago[2]])).isoformat()
            moment = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time. Write '2h' for two hours ago (s, m, h or d), or '2026-01-31T12:00'.")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


FOLDER = _Folder(path_type=Path)


def payload_given(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    """Return the text that `--payload` stands for: itself, stdin for `-`, a file for `@FILE`."""
    if given is None:
        return None
    source, raw = _source_of(given)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{source} is not UTF-8: {error.reason} at byte {error.start}.") from error


def headers_given(_: click.Context, __: click.Parameter, given: str) -> dict[str, str]:
    """Return the headers of `k=v;k2=v2`."""
    headers = {}
    for pair in filter(None, (part.strip() for part in given.split(";"))):
        found = HEADER.fullmatch(pair)
        if found is None:
            raise click.BadParameter(
                f"{pair!r} is no header. Write them as 'k=v;k2=v2', names in ASCII without spaces, "
                "values on one line and in Latin-1."
            )
        headers[found[1]] = found[2]
    return headers


def url_path_given(_: click.Context, __: click.Parameter, given: str) -> str:
    """Return a path; without its slash it would become part of the host's name."""
    if not given.startswith("/"):
        raise click.BadParameter(f"{given!r} does not start with a slash.")
    return given


def _source_of(payload: str) -> tuple[str, bytes]:
    if payload == "-":
        return "stdin", sys.stdin.buffer.read()
    if not payload.startswith("@"):
        return "it", os.fsencode(payload)
    try:
        return payload[1:], Path(payload[1:]).read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{payload[1:]!r} cannot be read: {error.strerror}.") from error
