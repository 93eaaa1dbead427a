"""`zato user …`: the people who may log in to the web admin."""

from pathlib import Path
from typing import Any

import click

from zato.cli.completion import people_names
from zato.cli.door import ask
from zato.cli.parameters import FOLDER, Choice
from zato.cli.password import from_stdin
from zato.cli.tables import Column, print_items
from zato.core.people import Role
from zato.hashing import random_password

__all__ = ["create", "delete", "list_users", "password", "role"]

ROLES = tuple(role.value for role in Role)
COLUMNS = (
    Column("name", whole=True),
    Column("role", whole=True),
    Column("made (UTC)", whole=True),
    Column("last log-in (UTC)", whole=True),
)
password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from stdin instead of making one."
)
a_person = click.argument("name", shell_complete=people_names)


@click.command
@click.argument("path", type=FOLDER)
@click.argument("name")
@click.option("--role", type=Choice(ROLES), help="What they may do.  [default: viewer; of the first person, admin]")
@password_stdin
def create(path: Path, name: str, *, role: str | None, password_stdin: bool) -> None:
    """Have NAME log in to the web admin of the server in PATH, with a random password that is printed once.

    A viewer sees everything but passwords, people and who did what; an operator also invokes services, cancels and
    replays calls, pauses queues and drains servers; an admin does all that and says who the others are.
    """
    new = from_stdin() if password_stdin else random_password()
    given = {} if role is None else {"role": role}
    made = ask(path, "zato.user.create", {"name": name, "password": new, **given})
    click.echo(f"Made: {made['name']}, {made['role']}")
    _show(made, new, hidden=password_stdin)


@click.command
@click.argument("path", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def list_users(path: Path, as_json: bool) -> None:
    """List who may log in to the web admin of the server in PATH."""
    print_items(COLUMNS, _as_row, ask(path, "zato.user.get-list")["items"], as_json=as_json)


@click.command
@click.argument("path", type=FOLDER)
@a_person
def delete(path: Path, name: str) -> None:
    """Delete NAME, who is logged out at once."""
    click.echo(f"Deleted: {ask(path, 'zato.user.delete', {'name': name})['name']}")


@click.command
@click.argument("path", type=FOLDER)
@a_person
@password_stdin
def password(path: Path, name: str, *, password_stdin: bool) -> None:
    """Give NAME a new random password, which is printed once. Whoever is logged in as NAME is logged out."""
    new = from_stdin() if password_stdin else random_password()
    changed = ask(path, "zato.user.set-password", {"name": name, "password": new})
    click.echo(f"Changed: the password of {changed['name']}")
    _show(changed, new, hidden=password_stdin)


@click.command
@click.argument("path", type=FOLDER)
@a_person
@click.argument("role", type=Choice(ROLES))
def role(path: Path, name: str, role: str) -> None:
    """Make NAME a viewer, an operator or an admin. Whoever is logged in as NAME is logged out."""
    changed = ask(path, "zato.user.set-role", {"name": name, "role": role})
    click.echo(f"Changed: {changed['name']}, {changed['role']}")


def _show(user: dict[str, Any], password: str, *, hidden: bool) -> None:
    if not hidden:
        click.echo(f"  log in as {user['name']} with {password}")


def _as_row(item: dict[str, Any]) -> tuple[str, ...]:
    return (item["name"], item["role"], *(_minute(item[key]) for key in ("created", "last_login")))


def _minute(time: str | None) -> str:
    return "" if time is None else time[:16].replace("T", " ")
