"""`zato doctor`: whether an environment and its machine are fit, each finding with what to do."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from zato.cli.checks import CHECKS, Check, Patient
from zato.cli.layers import layers_at_restart, layers_at_start
from zato.cli.parameters import FOLDER
from zato.cli.tables import paint, print_json, status_style
from zato.core.errors import ZatoError
from zato.core.printable import on_one_line
from zato.environment import Environment

__all__ = ["doctor"]


@click.command
@click.argument("path", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.pass_obj
def doctor(variables: Mapping[str, str], path: Path, *, as_json: bool) -> None:
    """Check the environment in PATH and its machine, and say what to do about what is not right.

    Rights, settings, port, certificate, services, store, disk, clock, versions and limits. Nothing is changed,
    no service is loaded, and a server that runs is not disturbed. Exit status 1 if there is a problem;
    warnings are none.
    """
    found = list(_found(_patient(Environment(path).check(), variables)))
    problems = sum(check.state == "problem" for check in found)
    if as_json:
        print_json({"ok": not problems, "checks": [asdict(check) for check in found]})
    else:
        _print(found, problems)
    sys.exit(1 if problems else 0)


def _patient(environment: Environment, variables: Mapping[str, str]) -> Patient:
    server = environment.running_or_none()
    layers = layers_at_start(variables, {}) if server is None else layers_at_restart(server, variables, {})
    settings, fault = None, ""
    try:
        settings = environment.settings(*layers)
    except ZatoError as error:
        fault = str(error)
    return Patient(environment, settings, fault, layers, server, datetime.now(UTC))


def _found(patient: Patient) -> Iterator[Check]:
    """Yield what each check finds. One that fails itself hides none of the others."""
    for check in CHECKS:
        try:
            yield from check(patient)
        except (OSError, ValueError, ZatoError) as error:
            name, words = check.__name__.strip("_"), str(error) or type(error).__name__
            remedy = "Check that it can be read." if isinstance(error, OSError) else "Correct what it names."
            yield Check(name, "problem", f"This check came to no end: {words.removesuffix('.')}.", remedy)


def _print(found: list[Check], problems: int) -> None:
    for check in found:
        state = paint(f"{check.state:<8}", status_style(check.state))
        text = on_one_line(f"{check.name:<10} {check.message} {check.remedy}".rstrip())
        click.echo(f"{state} {text}", color=True)
    warnings = sum(check.state == "warning" for check in found)
    click.echo(f"{_counted(problems, 'problem').capitalize()}, {_counted(warnings, 'warning')}.")


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"
