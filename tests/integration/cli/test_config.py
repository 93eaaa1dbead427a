"""`zato config show` and `zato config explain`."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Zato
from tests.support.environments import make_environment
from zato.core.settings import describe
from zato.environment import Environment
from zato.running import RunningServer


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment without a server."""
    return make_environment(tmp_path / "env", grace=7)


@pytest.fixture
def running(environment: Environment) -> Iterator[Environment]:
    """The same, as a server leaves it that was started with other settings than a new one would have."""
    lock = environment.lock()
    here = RunningServer.here("crm", "127.0.0.1", 1, stops_within=0)
    layers = (("environment variable ZATO_LEASE", {"lease": "20"}), ("command line", {"workers": 2}))
    environment.announce(replace(here, layers=layers, settings={"workers": 2, "lease": 20.0, "grace": 9.0}))
    yield environment
    os.close(lock)


def shown(zato: Zato, environment: Environment, *names: str) -> dict[str, dict[str, Any]]:
    """Return what `zato config show --json` says of settings."""
    found = json.loads(zato("config", "show", environment.path, "--json").out)
    return {item["name"]: item for item in found["settings"] if item["name"] in names}


def test_shape_for_programs(zato: Zato, environment: Environment) -> None:
    """Exactly these keys, one object a setting, in the order of the reference."""
    found = json.loads(zato("config", "show", environment.path, "--json").out)
    assert (found["path"], found["running"], set(found)) == (
        str(environment.path),
        False,
        {"path", "running", "settings"},
    )
    assert [item["name"] for item in found["settings"]] == [setting.name for setting in describe()]
    assert found["settings"][0] == {
        "name": "name",
        "value": "server1",
        "source": "default",
        "default": "server1",
        "running": None,
        "pending": False,
    }


def test_where_values_come_from(zato: Zato, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable wins over the file, the file over the default."""
    monkeypatch.setenv("ZATO_DRAIN", "3")
    found = shown(zato, environment, "drain", "grace", "lease")
    assert {name: (item["value"], item["source"]) for name, item in found.items()} == {
        "drain": (3.0, "environment variable ZATO_DRAIN"),
        "grace": (7.0, "config.toml"),
        "lease": (15.0, "default"),
    }


def test_running_server_that_has_something_else(zato: Zato, running: Environment) -> None:
    """What a restart keeps is in force; what it changes is pending."""
    found = shown(zato, running, "workers", "lease", "grace")
    assert {
        name: (item["value"], item["source"], item["running"], item["pending"]) for name, item in found.items()
    } == {
        "workers": (2, "command line", 2, False),
        "lease": (20.0, "environment variable ZATO_LEASE", 20.0, False),
        "grace": (7.0, "config.toml", 9.0, True),
    }


def test_table(zato: Zato, environment: Environment) -> None:
    """A line a setting, as it would be written in the file."""
    lines = zato("config", "show", environment.path).out.splitlines()
    assert lines[0].split() == ["setting", "value", "from"]
    assert lines[1].split() == ["name", '"server1"', "default"]
    assert len(lines) == len(list(describe())) + 1


def test_table_of_a_running_server(zato: Zato, running: Environment) -> None:
    """What it has otherwise is beside it, with what to do."""
    lines = zato("config", "show", running.path).out.splitlines()
    assert [line.split() for line in lines if line.startswith("grace")] == [["grace", "7.0", "config.toml", "9.0"]]
    assert lines[-1] == f"The running server has other values until: zato restart {running.path}"


def test_explanation(zato: Zato) -> None:
    """Without an environment, the defaults."""
    out = zato("config", "explain", "-", "log_level", "port").out
    assert [line.split(maxsplit=1) for line in out.split("\n\n")[0].splitlines()] == [
        ["setting", "port"],
        ["what", "it is  TCP port the server listens on."],
        ["value", "11223, from: default"],
        ["default", "11223"],
        ["values", "a whole number from 1 to 65535"],
        ["variable", "ZATO_PORT"],
    ]
    assert 'values      "DEBUG", "INFO", "WARNING", "ERROR"' in out


def test_explanation_for_programs(zato: Zato, running: Environment) -> None:
    """Exactly these keys, with the value in the environment."""
    (found,) = json.loads(zato("config", "explain", running.path, "grace", "--json").out)
    assert found == {
        "name": "grace",
        "value": 7.0,
        "source": "config.toml",
        "default": 20.0,
        "running": 9.0,
        "pending": True,
        "help": "Seconds that work in progress has to end at a stop.",
        "type": "float",
        "low": 0,
        "high": None,
        "choices": None,
        "variable": "ZATO_GRACE",
    }
    assert "9.0 in the running server, until 'zato restart'" in zato("config", "explain", running.path, "grace").out


@pytest.mark.parametrize(
    ("name", "hint"), [("prt", "Did you mean 'port'?"), ("xyz", "'zato config explain -' lists all of them.")]
)
def test_unknown_setting(zato: Zato, name: str, hint: str) -> None:
    """The nearest one is named."""
    done = zato("config", "explain", "-", name)
    assert (done.code, done.out, done.err) == (2, "", f"Error: There is no setting {name!r}. {hint}\n")


def test_file_that_is_not_right(zato: Zato, environment: Environment) -> None:
    """The mistake is named, as at a start."""
    environment.config.write_text("prt = 1\n")
    done = zato("config", "show", environment.path)
    assert (done.code, "there is no setting 'prt'. Did you mean 'port'?" in done.err) == (2, True)
