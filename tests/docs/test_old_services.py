"""What the check says of the old services in the documentation holds when they are loaded and run."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from zato.core.errors import ServiceDefinitionError
from zato.migrate.report import check
from zato.testing import Zato

OLD = Path(__file__).parents[2] / "docs" / "examples" / "old"
FILES = {str(checked.file.relative_to(OLD)): checked for checked in check(OLD).files}
WORK = [name for name, checked in FILES.items() if all(found.severity == "changed" for found in checked.findings)]


@pytest.fixture
def zato() -> Iterator[Zato]:
    """Services in memory."""
    with Zato(background="at_once") as zato:
        yield zato


def test_some_file_needs_nothing() -> None:
    """The examples have a file that runs as it is, and others that do not."""
    assert WORK == ["customers.py"]
    assert len(FILES) == 4


def test_file_that_needs_nothing_runs(zato: Zato) -> None:
    """Old declarations, background calls and callbacks do what they did."""
    zato.deploy(OLD / "customers.py")
    answer = zato.invoke("customers.get", {"customer_id": "1"})
    imported = zato.invoke("customers.import", {"ids": [1]})

    assert answer.data == {"name": "Ada", "email": "ada@example.com", "is_active": True}
    assert imported.data == 1
    assert [(call.service, call.status) for call in zato.background_calls()] == [
        ("customers.get", "done"),
        ("customers.imported", "done"),
    ]


@pytest.mark.parametrize("name", ["billing.py", "rates.py"])
def test_file_that_needs_an_edit_is_refused(zato: Zato, name: str) -> None:
    """What imports a name that is not here, or is of Python 2, is not deployed."""
    with pytest.raises(ServiceDefinitionError) as refused:
        zato.deploy(OLD / name)
    assert name in str(refused.value)


def test_json_in_the_page_has_the_keys_of_the_real_one() -> None:
    """A program that is written after the page works."""
    page = (OLD.parents[1] / "howto" / "command-line.md").read_text("utf-8")
    [shown] = re.findall(r"^`zato migrate check FOLDER --json`.*?```json\n(.*?)```", page, re.DOTALL | re.MULTILINE)
    given, real = json.loads(shown), check(OLD / "billing.py").described()

    assert given.keys() == real.keys()
    for part in ("services", "findings"):
        assert given["files"][0][part][0].keys() == real["files"][0][part][0].keys()
