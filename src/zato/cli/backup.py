"""`zato backup` and `zato restore`."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from zato.broker.archive import Contents, back_up, inspect
from zato.broker.archive import restore as restore_file
from zato.broker.clock import SystemClock
from zato.cli.parameters import FOLDER
from zato.cli.stores import refuse_if_shared
from zato.environment import Environment

__all__ = ["backup", "restore"]

FILE = click.Path(path_type=Path)


@click.command
@click.argument("path", type=FOLDER)
@click.argument("file", type=FILE)
@click.pass_obj
def backup(variables: Mapping[str, str], path: Path, file: Path) -> None:
    """Copy what the environment in PATH has accepted and recorded to FILE, which must not exist yet.

    The server may run meanwhile. FILE holds payloads and responses; only you can read it. Services,
    settings and passwords are not in it: they are ordinary files, to be copied as such.
    """
    environment = Environment(path).check()
    refuse_if_shared(environment, variables, "backup")
    contents = back_up(environment.data, file)
    click.echo(f"Backed up to {file}: {_counted(contents)}.")
    click.echo(f"Restore it with: zato restore {shlex.quote(str(path))} {shlex.quote(str(file))}")


@click.command
@click.argument("path", type=FOLDER)
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def restore(variables: Mapping[str, str], path: Path, file: Path, *, yes: bool) -> None:
    """Replace what the environment in PATH has accepted and recorded by what is in FILE, a backup.

    The server may run meanwhile. Calls that have run since the backup was made run again; calls that were
    accepted since are gone. What is replaced is kept in a copy beside it.
    """
    environment = Environment(path).check()
    refuse_if_shared(environment, variables, "restore")
    if not yes:
        _confirm(environment, file)
    restored = restore_file(environment.data, file, SystemClock())
    click.echo(f"Restored from {file}: {_counted(restored.contents)}.")
    if restored.kept is not None:
        undo = f"zato restore {shlex.quote(str(path))} {shlex.quote(str(restored.kept))}"
        click.echo(f"What it replaced is in {restored.kept}. Delete that file, or go back with: {undo}")


def _confirm(environment: Environment, file: Path) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("What is there is replaced. Nobody is there to be asked; if that is meant, give --yes.")
    click.echo(f"{file} holds {_counted(inspect(file))}.")
    click.echo("Calls that have run since it was made run again; calls that were accepted since are gone.")
    click.confirm(f"Replace what {environment.path} has accepted and recorded?", abort=True)


def _counted(contents: Contents) -> str:
    pending = f"{contents.pending:,} call{'' if contents.pending == 1 else 's'} without outcome"
    return f"{pending}, {contents.outcomes:,} outcome{'' if contents.outcomes == 1 else 's'}"
