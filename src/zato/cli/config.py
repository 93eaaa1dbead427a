"""`zato config …`: each setting, its value, where that comes from, and what it does."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from zato.cli.completion import setting_names
from zato.cli.layers import layers_at_restart, layers_at_start, variable_of
from zato.cli.parameters import FOLDER
from zato.cli.tables import Column, print_fields, print_json, print_table
from zato.core.errors import InvalidSetting, ServerNotRunning, hint_for
from zato.core.settings import CHOICES, Setting, describe
from zato.core.urls import shown
from zato.environment import Environment, toml_of
from zato.running import Layer, RunningServer

__all__ = ["explain", "show"]

NO_FOLDER = Path("-")


@click.command
@click.argument("path", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.pass_obj
def show(variables: Mapping[str, str], path: Path, *, as_json: bool) -> None:
    """Show every setting of the environment in PATH: its value, and where that comes from.

    It is what the server has after its next start. If one runs that has something else now, this is shown
    too. An option that the running server was started with stays in force at 'zato restart'.
    """
    environment = Environment(path).check()
    server = _running(environment)
    settings = _listed(environment, server, variables)
    if as_json:
        print_json({"path": str(environment.path), "running": server is not None, "settings": settings})
        return
    columns: list[Column | str] = ["setting", "value", "from", Column("running", style=_striking)]
    rows = [[item["name"], toml_of(item["value"]), item["source"], _now(item)] for item in settings]
    if any(item["pending"] for item in settings):
        print_table(columns, rows)
        click.echo(f"The running server has other values until: zato restart {shlex.quote(str(path))}")
    else:
        print_table(columns[:-1], [row[:-1] for row in rows])


@click.command
@click.argument("path", type=FOLDER)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=setting_names)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
@click.pass_obj
def explain(variables: Mapping[str, str], path: Path, *, names: tuple[str, ...], as_json: bool) -> None:
    """Explain settings, all or those that are named: what each does, its type, values, default and variable.

    With the value in the environment in PATH, and where it comes from. If PATH is '-', the defaults.
    """
    _check(names)
    known = {setting.name: setting for setting in describe()}
    if path == NO_FOLDER:
        listed = [_item(setting, setting.default, "default", None) for setting in known.values()]
    else:
        environment = Environment(path).check()
        listed = _listed(environment, _running(environment), variables)
    wanted = [item for item in listed if not names or item["name"] in names]
    explained = [{**item, **_explained(known[item["name"]])} for item in wanted]
    if as_json:
        print_json(explained)
        return
    for number, item in enumerate(explained):
        if number:
            click.echo()
        print_fields(_shown(item))


def _check(names: Sequence[str]) -> None:
    known = [setting.name for setting in describe()]
    for name in names:
        if name not in known:
            hint = hint_for(name, known) or "'zato config explain -' lists all of them."
            raise InvalidSetting(f"There is no setting {name!r}. {hint}")


def _running(environment: Environment) -> RunningServer | None:
    try:
        return environment.running()
    except ServerNotRunning:
        return None


def _listed(
    environment: Environment, server: RunningServer | None, variables: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the objects that `--json` prints, one a setting."""
    layers = layers_at_start(variables, {}) if server is None else layers_at_restart(server, variables, {})
    values = shown(asdict(environment.settings(*layers)))
    sources = _sources(environment, layers)
    now = server.settings if server else {}
    return [
        _item(setting, values[setting.name], sources.get(setting.name, "default"), now.get(setting.name))
        for setting in describe()
    ]


def _sources(environment: Environment, layers: Sequence[Layer]) -> dict[str, str]:
    """Return where each setting comes from that is not the default."""
    given: list[Layer] = [("config.toml", environment.given()), *layers]
    return {name: source for source, layer in given for name in layer}


def _item(setting: Setting, value: object, source: str, now: object) -> dict[str, Any]:
    """Return what is told of a setting; `running` is null if no server runs, or it has not said."""
    return {
        "name": setting.name,
        "value": value,
        "source": source,
        "default": setting.default,
        "running": now,
        "pending": now is not None and now != value,
    }


def _explained(setting: Setting) -> dict[str, Any]:
    return {
        "help": setting.help,
        "type": setting.type.__name__,
        "low": setting.low,
        "high": setting.high,
        "choices": list(CHOICES.get(setting.name, ())) or None,
        "variable": variable_of(setting.name),
    }


def _shown(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "setting", item["name"]
    yield "what it is", item["help"]
    yield "value", f"{toml_of(item['value'])}, from: {item['source']}"
    if item["pending"]:
        yield "running", f"{_now(item)} in the running server, until 'zato restart'"
    yield "default", toml_of(item["default"])
    yield "values", _values(item)
    yield "variable", item["variable"]


def _values(item: Mapping[str, Any]) -> str:
    """Return in words what is legal."""
    if item["choices"]:
        return ", ".join(toml_of(choice) for choice in item["choices"])
    kind = {"bool": "true or false", "int": "a whole number", "float": "a number", "str": "text"}[item["type"]]
    if item["low"] is None:
        return kind
    return f"{kind} from {item['low']}" + ("" if item["high"] is None else f" to {item['high']}")


def _now(item: Mapping[str, Any]) -> str:
    """Return what the running server has, if that is something else."""
    return toml_of(item["running"]) if item["pending"] else ""


def _striking(cell: str) -> str:
    return "yellow" if cell else ""
