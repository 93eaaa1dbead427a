"""Tables and records, in a pipe and on a terminal."""

import sys
import time

import pytest

from tests.support.subprocesses import run_python
from tests.support.terminals import on_a_terminal
from zato.cli.tables import Column, print_fields, print_table, status_style

ROWS = [["done", "abc", "1", "short"], ["failed", "漢字", "1000", "x\ny \x1b[31m"]]
COLUMNS: list[Column | str] = ["status", "cid", Column("n", right=True), "what"]
PROGRAM = """
import os
import click
from zato.cli.tables import Column, print_fields, print_table, status_style
click.Context(click.Command("zato"), obj=os.environ).__enter__()
columns = [Column("status", style=status_style), "cid", "what"]
print_table(columns, [["done", "c1", "word " * 40], ["failed", "c2", "[bold]x[/bold] :smile: " + "y" * 150]])
print_fields([("status", "failed"), ("payload", "z" * 150)])
"""


def shown(**options: object) -> str:
    """Return what the program shows on a terminal."""
    return on_a_terminal([sys.executable, "-c", PROGRAM], **options)  # type: ignore[arg-type]


def test_table_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are aligned, with two spaces between them; control characters are shown, and nothing ends in spaces."""
    print_table(COLUMNS, ROWS)
    assert capsys.readouterr().out.splitlines() == [
        "status  cid      n  what",
        "done    abc      1  short",
        "failed  漢字  1000  x\\ny \\x1b[31m",
    ]


def test_accents_of_their_own_take_no_place(capsys: pytest.CaptureFixture[str]) -> None:
    """An accent that is a character of its own stands on the one before."""
    print_table(["a", "b"], [["e\u0301", "x"], ["ee", "x"]])
    assert capsys.readouterr().out.splitlines()[1:] == ["e\u0301   x", "ee  x"]


def test_empty_column_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """A column of nothing is two gaps."""
    print_table(["a", "", "c"], [["1", "", "3"]])
    assert capsys.readouterr().out.splitlines() == ["a    c", "1    3"]


def test_numbers_at_the_end_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """The last column is measured if it is aligned to the right."""
    print_table(["a", Column("n", right=True)], [["x", "1"], ["y", "100"]])
    assert capsys.readouterr().out.splitlines() == ["a    n", "x    1", "y  100"]


@pytest.mark.parametrize("character", ["z", "ż"])
def test_huge_cell_takes_no_time(capsys: pytest.CaptureFixture[str], character: str) -> None:
    """A payload of millions of characters is printed as fast as it is copied."""
    began = time.process_time()
    print_fields([("CID", "abc"), ("payload", character * 9_000_000)])
    assert time.process_time() - began < 1
    assert len(capsys.readouterr().out) > 9_000_000


def test_huge_cell_on_a_terminal() -> None:
    """It is printed as in a pipe: nobody reads thousands of folded lines."""
    code = "from zato.cli.tables import print_fields\nprint_fields([('payload', 'z' * 20_001)])"
    assert on_a_terminal([sys.executable, "-c", code]) == f"payload  {'z' * 20_001}\n"


def test_long_cell_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is cut."""
    print_table(["a"], [["x" * 5000]])
    assert capsys.readouterr().out == f"a\n{'x' * 5000}\n"


def test_record_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a value, however long."""
    print_fields([("CID", "abc"), ("payload", "a\nb" * 100)])
    assert capsys.readouterr().out.splitlines() == ["CID      abc", "payload  " + r"a\nb" * 100]


def test_rich_is_loaded_on_a_terminal_only() -> None:
    """A pipe does not pay for it."""
    loaded = run_python(f"{PROGRAM}\nimport sys\nprint('rich' in sys.modules)")
    assert loaded.splitlines()[-1] == "False"


def test_long_cells_fold_on_a_terminal() -> None:
    """Every character is there, and no line is wider than the terminal."""
    text = shown(columns=50, env={"TERM": "dumb"})
    assert (text.count("word"), text.count("y"), text.count("z")) == (40, 151, 150)
    assert max(map(len, text.splitlines())) <= 50
    assert "[bold]x[/bold]" in text
    assert ":smile:" in text


def test_status_is_coloured_on_a_terminal() -> None:
    """Green is done, red has failed, in tables and in records."""
    text = shown()
    assert "\x1b[32mdone" in text
    assert text.count("\x1b[31mfailed") == 2


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}])
def test_colours_can_be_refused(env: dict[str, str]) -> None:
    """NO_COLOR and a terminal that has none, or that nobody names, are heeded."""
    text = shown(env=env)
    assert ("\x1b[32m" in text, "\x1b[31m" in text, "failed" in text) == (False, False, True)


def test_terminal_that_is_too_narrow() -> None:
    """Lines are as in a pipe, instead of one character below another."""
    assert "done    c1   word word" in shown(columns=20)


def test_words_without_a_colour() -> None:
    """Any text may stand in such a column."""
    assert status_style("whatever") == ""
