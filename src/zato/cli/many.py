"""Many background calls from a file of JSON lines: `zato service invoke --many`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from zato.core.errors import InvalidPayload
from zato.core.payload import decode

__all__ = ["items_from"]


def items_from(file: str, name: str | None, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the items that a file has, one a line.

    Args:
        file: its name; `-` is stdin.
        name: the service, if the lines are payloads; else each line is an object that has a `name`.
        options: what each call has that does not say otherwise.

    Raises:
        click.BadParameter: the file cannot be read, or a line is not what it should be; the message has its number.
    """
    source, raw = _read(file)
    lines = raw.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not lines[-1].strip():
        lines.pop()
    return [_item(line, f"{source}, line {number}", name, options) for number, line in enumerate(lines, 1)]


def _item(line: bytes, where: str, name: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    try:
        value = decode(line)
    except InvalidPayload as error:
        raise click.BadParameter(f"{where}: {error} Write one JSON value a line.", param_hint="--many") from error
    if name is not None:
        return {**options, "name": name, "payload": value}
    if not isinstance(value, dict) or "name" not in value:
        raise click.BadParameter(
            f'{where}: it is no object with a "name". Write {{"name": "my.service", "payload": ...}}, or give NAME '
            "and let each line be a payload.",
            param_hint="--many",
        )
    return {**options, **value}


def _read(file: str) -> tuple[str, bytes]:
    if file == "-":
        return "stdin", sys.stdin.buffer.read()
    try:
        return file, Path(file).read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{file!r} cannot be read: {error.strerror}.", param_hint="--many") from error
