"""Stdin, stdout and stderr as a command needs them, even where one is closed or takes nothing more."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb

import click

from zato.core.printable import on_lines

__all__ = ["is_of_printing", "noting_if_not_printed", "open_what_is_closed", "say"]


def open_what_is_closed() -> None:
    """Open each stream that is closed, as an empty one, so that no file that is opened later passes for it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is the one opened, which is this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w" if number else "r", encoding="utf-8"))  # noqa: SIM115


def say(text: str) -> None:
    """Print on stderr what went wrong, if that takes it. What a terminal would obey in it is spelt out."""
    with contextlib.suppress(OSError):
        click.echo(on_lines(text), err=True)
    _drop_the_rest()


@contextlib.contextmanager
def noting_if_not_printed(note: str) -> Iterator[None]:
    """Add a note, if there is one, to the error that ends printing, for people who must know it all the same."""
    try:
        yield
    except OSError as error:
        if note:
            error.add_note(note)
        raise


def is_of_printing(error: OSError) -> bool:
    """Tell whether an error has come from printing, rather than from another file."""
    code = [frame.f_code for frame, _ in walk_tb(error.__traceback__)][-1]
    return code is click.echo.__code__


def _drop_the_rest() -> None:
    """Drop what could not be written yet, which would be tried once more when the process ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
