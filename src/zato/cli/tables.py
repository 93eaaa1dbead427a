"""Tables and records: laid out for reading on a terminal, plain aligned text in a pipe.

`rich` is imported on a terminal only. Nothing is ever cut: on a terminal long cells fold, in a pipe lines are long.
"""

import json
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import click

from zato.core.printable import on_lines, on_one_line

__all__ = ["Column", "colours", "paint", "print_fields", "print_items", "print_json", "print_table", "status_style"]

Rows = Sequence[Sequence[str]]
Item = TypeVar("Item")

GAP = "  "
# On a terminal with fewer characters a column, folded cells cannot be read: lines are as in a pipe.
NARROWEST = 8
# Cells of more characters are not laid out: that takes long, and nobody reads them folded.
LONGEST = 20_000
STYLES: Mapping[str, str] = {
    "done": "green",
    "ok": "green",
    "ready": "green",
    "running": "cyan",
    "waiting": "blue",
    "delayed": "blue",
    "stranded": "yellow",
    "warning": "yellow",
    "expired": "yellow",
    "cancelled": "magenta",
    "failed": "red",
    "problem": "red",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        right: whether cells are aligned to the right, as numbers are.
        whole: whether cells are to stay on one line, as what is copied from them should, while others fold.
        style: gives the colour of a cell by its text, such as `status_style`; None leaves it as it is.
    """

    heading: str
    right: bool = False
    whole: bool = False
    style: Callable[[str], str] | None = None


def print_json(value: object) -> None:
    """Print a value as JSON, on one line unless a person reads it. What a terminal would obey is spelt out."""
    indent = 2 if sys.stdout.isatty() else None
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    click.echo(text if on_lines(text) == text else json.dumps(value, indent=indent))


def print_table(columns: Sequence[Column | str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below a line of headings.

    Args:
        columns: each as a `Column`, or by its heading alone.
        rows: as many texts each as there are columns. Control characters in them are shown, not obeyed.
    """
    heads = [Column(column) if isinstance(column, str) else column for column in columns]
    cells = [[on_one_line(cell) for cell in row] for row in rows]
    styles = [[head.style(cell) if head.style else "" for head, cell in zip(heads, row, strict=True)] for row in cells]
    if not _print_laid_out(heads, cells, styles, headings=True):
        _print_aligned(heads, [[head.heading for head in heads], *cells])


def print_items(
    columns: Sequence[Column | str],
    as_row: Callable[[Item], Sequence[str]],
    items: Sequence[Item],
    *,
    as_json: bool,
) -> None:
    """Print what a list command found: as a table for people, or as a JSON list."""
    if as_json:
        print_json(items)
    else:
        print_table(columns, map(as_row, items))


def print_fields(pairs: Iterable[tuple[str, str]]) -> None:
    """Print one record, a label and its value a line. What is labelled `status` is coloured as such on a terminal."""
    cells = [[on_one_line(label), on_one_line(value)] for label, value in pairs]
    styles = [["bold", status_style(value) if label == "status" else ""] for label, value in cells]
    heads = [Column("label"), Column("value")]
    if not _print_laid_out(heads, cells, styles, headings=False):
        _print_aligned(heads, cells)


def status_style(status: str) -> str:
    """Return the colour of a call's status or a check's state, or an empty text for any other word."""
    return STYLES.get(status, "")


def colours() -> bool:
    """Tell whether stdout shows colours: it is a terminal, and neither NO_COLOR nor TERM says otherwise."""
    context = click.get_current_context(silent=True)
    variables = context.find_root().obj if context else None
    if not sys.stdout.isatty() or not isinstance(variables, Mapping):
        return False
    return not variables.get("NO_COLOR") and (variables.get("TERM") or "dumb") != "dumb"


def paint(text: str, colour: str) -> str:
    """Return a text in a colour, if there is one and stdout shows colours. Print it with `click.echo(color=True)`."""
    return click.style(text, fg=colour) if colour and colours() else text


def _print_laid_out(heads: Sequence[Column], cells: Rows, styles: Rows, *, headings: bool) -> bool:
    """Print for a person, unless there is none, the terminal is too narrow, or a cell too long."""
    if not sys.stdout.isatty() or any(len(cell) > LONGEST for row in cells for cell in row):
        return False
    width = shutil.get_terminal_size().columns
    least = [_widest(cells, place) if head.whole else 0 for place, head in enumerate(heads)]
    if width < sum(max(own + len(GAP), NARROWEST) for own in least):
        return False
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=headings, header_style="bold", pad_edge=False, padding=(0, len(GAP), 0, 0))
    for head in heads:
        justify: Literal["left", "right"] = "right" if head.right else "left"
        table.add_column(Text(head.heading), justify=justify, overflow="fold", no_wrap=head.whole)
    for row, row_styles in zip(cells, styles, strict=True):
        table.add_row(*(Text(cell, style) for cell, style in zip(row, row_styles, strict=True)))
    console = Console(width=width, highlight=False, color_system="auto" if colours() else None)
    with console.capture() as captured:
        # A terminal without abilities passes for one of 80 columns otherwise.
        console.print(table, width=width)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), color=True)
    return True


def _print_aligned(heads: Sequence[Column], cells: Rows) -> None:
    """Print lines with columns as wide as their widest cell. The last one needs no width, if it is not to the right."""
    last = len(heads) - 1
    widths = [_widest(cells, place) if place < last or head.right else 0 for place, head in enumerate(heads)]
    for row in cells:
        padded = [_padded(head, cell, width) for head, cell, width in zip(heads, row, widths, strict=True)]
        click.echo(GAP.join(padded).rstrip(), color=True)


def _padded(head: Column, cell: str, width: int) -> str:
    if not width:
        return cell
    space = " " * (width - _width(cell))
    return f"{space}{cell}" if head.right else f"{cell}{space}"


def _widest(cells: Rows, place: int) -> int:
    """Return how wide the widest cell of a column is."""
    return max((_width(row[place]) for row in cells), default=0)


def _width(text: str) -> int:
    """Return how many places a text takes on a line."""
    return len(text) if text.isascii() else sum(_places(character) for character in text)


def _places(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
