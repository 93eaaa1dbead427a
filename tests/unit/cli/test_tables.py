"""Tables and records, in a pipe and on a terminal."""

import sys

import pytest

from tests.support.subprocesses import run_python
from tests.support.terminals import on_a_terminal
from zato.cli.tables import Column, print_fields, print_table, status_style

ROWS = [["done", "abc", "1", "short"], ["failed", "漢字", "1000", "x\ny \x1b[31m"]]
COLUMNS: list[Column | str] = ["status", "cid", Column("n", right=True), "what"]
PROGRAM = """
from zato.cli.tables import Column, print_fields, print_table, status_style
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


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_refused(env: dict[str, str]) -> None:
    """NO_COLOR and a terminal that has none are heeded."""
    text = shown(env=env)
    assert ("\x1b[32m" in text, "\x1b[31m" in text, "failed" in text) == (False, False, True)


def test_terminal_that_is_too_narrow() -> None:
    """Lines are as in a pipe, instead of one character below another."""
    assert "done    c1   word word" in shown(columns=20)


def test_words_without_a_colour() -> None:
    """Any text may stand in such a column."""
    assert status_style("whatever") == ""
