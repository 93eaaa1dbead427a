"""`zato service show`: where a service is and what it does, for a person and for a program."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Zato
from tests.support.environments import ZATO, ServerProcess, make_environment
from tests.support.terminals import on_a_terminal

SHOWN = '''
from zato.server.service import Retry, Service


class Careful(Service):
    """Charges a card.

    Twice, if need be.
    """

    name = "card.charge"
    retry = Retry(attempts=3, backoff=2)
    time_limit = 30

    def handle(self):
        return 1


class Plain(Service):
    name = "card.plain"

    def handle(self):
        return 1
'''


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a server that runs."""
    environment = make_environment(tmp_path_factory.mktemp("show") / "env", {"card.py": SHOWN})
    with ServerProcess(environment):
        yield environment.path


def test_program_gets_lines_without_control_characters(zato: Zato, path: Path) -> None:
    """In a pipe each line is a label and a value, and what the class says of itself follows."""
    lines = zato("service", "show", path, "card.charge").out.splitlines()
    fields = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in lines[: lines.index("")])
    assert fields["service"] == "card.charge"
    assert fields["class"].endswith("Careful")
    assert fields["file"].endswith("card.py:5")
    assert "attempts 3" in fields["retry"]
    assert fields["time limit"] == "30 s"
    assert lines[lines.index("") + 1 :] == ["Charges a card.", "", "Twice, if need be."]


def test_what_a_service_has_not_is_not_shown(zato: Zato, path: Path) -> None:
    """A service without retries, limit and words about itself has no lines for them."""
    shown = zato("service", "show", path, "card.plain").out
    assert [line.split("  ")[0] for line in shown.splitlines()] == ["service", "class", "kind", "file"]


def test_builtin_has_no_line_of_a_file(zato: Zato, path: Path) -> None:
    """Where a built-in service is nobody has to know; that it is one is said."""
    shown = zato("service", "show", path, "zato.ping").out
    assert re.search(r"^service +zato\.ping$", shown, re.MULTILINE)
    assert "built" in shown


def test_person_gets_bold_labels(path: Path) -> None:
    """On a terminal the labels stand out, and the values are those of the pipe."""
    shown = on_a_terminal([ZATO, "service", "show", str(path), "card.charge"])
    assert re.search(r"^\x1b\[1mservice +\x1b\[0m  card\.charge$", shown, re.MULTILINE)
    assert "Charges a card." in shown


def test_json_has_everything(zato: Zato, path: Path) -> None:
    """A program that wants the parts gets an object, empty ones included."""
    outputs = [zato("service", "show", path, name, "--json").out for name in ("card.charge", "card.plain")]
    charge, plain = map(json.loads, outputs)
    assert (charge["name"], charge["retry"]["attempts"], charge["time_limit"]) == ("card.charge", 3, 30)
    assert (plain["retry"], plain["time_limit"], plain["doc"]) == (None, None, None)


def test_unknown_service(zato: Zato, path: Path) -> None:
    """A name that no service has is said to be unknown."""
    done = zato("service", "show", path, "card.chrage")
    assert (done.code != 0, "card.chrage" in done.err) == (True, True)
