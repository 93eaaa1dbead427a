"""`zato cluster invite`, and what `zato create --join` reads of it."""

import shlex
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from zato.cli.parameters import FOLDER
from zato.cli.stores import settings_in_force
from zato.core.errors import EnvironmentFault
from zato.core.invitation import PASSWORDS, SHARED_SETTINGS, Invitation
from zato.core.urls import EMBEDDED, split
from zato.environment import Environment
from zato.writing import write_new

__all__ = ["invite", "read_invitation"]

FILE = click.Path(path_type=Path)
STDIN = "-"
# Characters. An invitation has a thousand.
LONGEST = 100_000
HERE = ("localhost", "127.", "::1")


@click.command
@click.argument("path", type=FOLDER)
@click.option("--output", type=FILE, help="Write to a new file, which only you can read, instead of stdout.")
@click.pass_obj
def invite(variables: Mapping[str, str], path: Path, *, output: Path | None) -> None:
    """Write down what another server has to know to join the cluster of the environment in PATH.

    It holds the passwords: whoever has it can do whatever the servers of the cluster can. Nothing is changed, and
    the server need not run.
    """
    environment = Environment(path).check()
    invitation = _invitation(environment, variables)
    place = split(str(invitation.settings["broker"]))
    if any(host.startswith(HERE) for host, _ in place.hosts):
        click.echo(f"Note: on another machine, {place.place} is that machine itself.", err=True)
    if output is None:
        click.echo(invitation.to_toml(), nl=False)
        return
    _write(output, invitation.to_toml())
    click.echo(f"Invitation written: {output}, which only you can read. Delete it after use.")
    click.echo(f"On each new server: zato create PATH --join {shlex.quote(output.name)}")


def read_invitation(file: str) -> Invitation:
    """Return the invitation in a file, or that on stdin if it is `-`.

    Raises:
        EnvironmentFault: it cannot be read, or is none.
    """
    if file == STDIN:
        return Invitation.from_toml(sys.stdin.read(LONGEST), "stdin")
    try:
        with Path(file).open(encoding="utf-8") as opened:
            text = opened.read(LONGEST)
            mode = stat.S_IMODE(Path(file).stat().st_mode)
    except OSError as error:
        raise EnvironmentFault(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise EnvironmentFault(f"{file} is no invitation: it is not UTF-8.") from error
    invitation = Invitation.from_toml(text, file)
    if mode & 0o077:
        click.echo(f"Warning: {file} has mode {mode:o}: others can read the passwords in it. Delete it.", err=True)
    return invitation


def _invitation(environment: Environment, variables: Mapping[str, str]) -> Invitation:
    settings = settings_in_force(environment, variables)
    if settings.broker == EMBEDDED:
        raise EnvironmentFault(
            f"The broker of {environment.path} is a file of its own, which servers cannot share. Make an environment "
            "with 'zato create PATH --broker redis://host:6379/0', and invite to that."
        )
    settings, credentials = environment.broker_access(settings)
    passwords = {name: str(getattr(credentials, name)) for name in PASSWORDS}
    return Invitation(
        {name: getattr(settings, name) for name in SHARED_SETTINGS},
        {name: password for name, password in passwords.items() if password},
    )


def _write(file: Path, text: str) -> None:
    try:
        write_new(file, text)
    except FileExistsError as error:
        raise EnvironmentFault(f"{file} exists already. Name a file that does not.") from error
    except OSError as error:
        raise EnvironmentFault(f"{file} cannot be written: {error.strerror}.") from error
