"""SQL in a file of its own."""

from importlib import resources
from pathlib import Path

from zato.broker.statements import load_statements

STATEMENTS = load_statements("zato.broker", "sqlite.sql")
FOLDER = Path(str(resources.files("zato.broker")))
CODE = "".join(file.read_text("utf-8") for file in sorted(FOLDER.glob("*.py")))


def test_each_statement_has_the_name_above_it() -> None:
    """A statement is everything between its name and the next one, without the space around it."""
    assert STATEMENTS["look_by_id"] == "SELECT seq FROM invocation WHERE id = :id"
    assert STATEMENTS["schema"].startswith("CREATE TABLE invocation (")
    assert STATEMENTS["schema"].endswith("STRICT;")


def test_what_stands_above_the_first_name_is_no_statement() -> None:
    """The data model at the top of the file is for readers."""
    assert not [name for name, text in STATEMENTS.items() if not name or text.startswith("--")]


def test_every_statement_is_used() -> None:
    """Nothing is left over in the file; what is missing, other tests stumble over."""
    assert [name for name in STATEMENTS if not name.startswith("upgrade_") and f'"{name}"' not in CODE] == []
