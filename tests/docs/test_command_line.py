"""The objects in `docs/howto/command-line.md` have the keys of those that the commands print."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import ServerProcess, make_environment, run_zato

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "command-line.md"
EXAMPLE = re.compile(r"^`zato ([a-z ]+) PATH --json`.*?```json\n(.*?)```", re.DOTALL | re.MULTILINE)
EXAMPLES = dict(EXAMPLE.findall(PAGE.read_text("utf-8")))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The folder of a server that runs."""
    environment = make_environment(tmp_path_factory.mktemp("line") / "env")
    with ServerProcess(environment):
        yield str(environment.path)


def shape(value: Any) -> Any:
    """Return the keys of objects, and for a list those of its first item."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


@pytest.mark.parametrize("command", ["status", "info", "config show", "config explain", "doctor", "server list"])
def test_example_has_the_keys_of_what_is_printed(path: str, command: str) -> None:
    """A program that is written after the page works."""
    printed = run_zato(*command.split(), path, "--json")
    assert shape(json.loads(printed.stdout)) == shape(json.loads(EXAMPLES[command]))
