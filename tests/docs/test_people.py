"""`docs/howto/people-and-roles.md`: what it says besides its commands, which tests/docs/test_examples.py runs."""

import re
import shlex
from pathlib import Path

from tests.docs.transcripts import blocks_of
from tests.support.environments import ServerProcess, make_environment, run_zato
from zato.core.people import Role

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "people-and-roles.md"


def test_audit_is_printed(tmp_path: Path) -> None:
    """The command is one that works."""
    (command,) = blocks_of(PAGE, "sh")
    with ServerProcess(make_environment(tmp_path / "try")):
        done = run_zato(*shlex.split(command)[1:], cwd=tmp_path)
    assert done.stdout.strip() == '{"items": [], "cursor": null}'


def test_page_names_every_role() -> None:
    """From the one that may do least."""
    table = re.findall(r"^\| (\w+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert table == ["role", *Role]
