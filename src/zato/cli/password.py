"""`zato password`: another password for a machine user."""

import sys
from pathlib import Path

import click

from zato.cli.completion import users
from zato.cli.parameters import FOLDER
from zato.core.errors import hint_for
from zato.environment import USERS, Environment
from zato.running import how_to_restart

__all__ = ["from_stdin", "password"]

# More than any password has, so that whatever stdin is, reading it ends.
LONGEST_LINE = 10_000


def _user_given(_: click.Context, __: click.Parameter, given: str) -> str:
    if given not in USERS:
        hint = hint_for(given, USERS) or f"Users: {', '.join(USERS)}."
        raise click.BadParameter(f"there is no user {given!r}. {hint}")
    return given


@click.command
@click.argument("path", type=FOLDER)
@click.argument("user", callback=_user_given, shell_complete=users)
@click.option("--password-stdin", is_flag=True, help="Read the new password from stdin instead of making one.")
@click.option("--show", is_flag=True, help="Print the new password; stdout then holds nothing else.")
def password(path: Path, user: str, *, password_stdin: bool, show: bool) -> None:
    """Give USER of the environment in PATH, admin.invoke or pubapi, a new random password.

    It is written to secrets.toml, where comments and the other password stay. A server that runs uses the old
    one until 'zato restart PATH'.
    """
    environment = Environment(path).check()
    new = environment.set_password(user, from_stdin() if password_stdin else None)
    click.echo(f"New password of {user}: in {environment.secrets}", err=show)
    if environment.is_locked():
        restart = how_to_restart(path, environment.running_or_none())
        told = "The running server takes the old one, and refuses the new one, until it is restarted"
        click.echo(f"{told}: {restart}", err=show)
    if show:
        click.echo(new)


def from_stdin() -> str:
    """Return the first line of stdin. It is never an argument, which other users see in lists of processes."""
    if sys.stdin.isatty():
        return str(click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True))
    try:
        line = sys.stdin.readline(LONGEST_LINE).rstrip("\r\n")
        # Where bytes that are no characters are read as halves of some.
        line.encode()
    except UnicodeError:
        # The error would have the text in it.
        raise click.UsageError("The password on stdin is no text in UTF-8.") from None
    return line
