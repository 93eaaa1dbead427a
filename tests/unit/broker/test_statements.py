"""SQL in a file of its own."""

import re
from importlib import resources
from pathlib import Path

from zato.broker.statements import load_statements

STATEMENTS = load_statements("zato.broker", "sqlite.sql")
FOLDER = Path(str(resources.files("zato.broker")))
CODE = "".join((FOLDER / file).read_text("utf-8") for file in ("sqlite.py", "connection.py"))
USED = set(
    re.findall(
        r'_(?:run|row|rows|changed)\(\s*"(\w+)"(?: if [\w.]+ else "(\w+)")?'
        r'|\bsql\["(\w+)"\]|\("(purge_\w+)", "(purge_\w+)", "(purge_\w+)"\)',
        CODE,
    )
)


def test_each_statement_has_the_name_above_it() -> None:
    """A statement is everything between its name and the next one, without the space around it."""
    assert STATEMENTS["look_by_id"] == "SELECT seq FROM invocation WHERE id = :id"
    assert STATEMENTS["schema"].startswith("CREATE TABLE invocation (")
    assert STATEMENTS["schema"].endswith("STRICT;")


def test_what_stands_above_the_first_name_is_no_statement() -> None:
    """The data model at the top of the file is for readers."""
    assert not [name for name, text in STATEMENTS.items() if not name or text.startswith("--")]


def test_every_statement_is_used() -> None:
    """Nothing is left over in the file, and nothing is missing."""
    assert {name for names in USED for name in names if name} == set(STATEMENTS)
