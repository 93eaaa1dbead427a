"""`zato create`."""

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from zato.cli.invitations import read_invitation
from zato.cli.parameters import FOLDER
from zato.core.errors import BadRequest, EnvironmentFault, InvalidSetting
from zato.core.names import check_server_name
from zato.core.people import FIRST_USER, check_password, password_bytes
from zato.core.urls import EMBEDDED, split, without_password
from zato.environment import Credentials, Environment
from zato.hashing import hash_of, random_password

__all__ = ["create"]

Given = Mapping[str, object]


@click.command
@click.argument("path", type=FOLDER)
@click.option("--port", type=int, help="TCP port of the server.  [default: 11223]")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--name", help="Name of the server.  [default: server1; with --join, the folder's]")
@click.option("--broker", metavar="URL", help="The Redis that keeps background calls, such as redis://host:6379/0.")
@click.option("--cluster", help="With --broker: servers with the same of both are one cluster.  [default: default]")
@click.option("--join", metavar="FILE", help="Join the cluster of an invitation; '-' is stdin.")
@click.option("--admin-invoke-password", help="Password of the user admin.invoke.  [default: random]")
@click.option("--pubapi-password", help="Password of the user pubapi.  [default: random]")
@click.option("--web-admin-password", help="Password of admin, the first person in the web admin.  [default: random]")
def create(
    *,
    path: Path,
    join: str | None,
    broker: str | None,
    cluster: str | None,
    admin_invoke_password: str | None,
    pubapi_password: str | None,
    web_admin_password: str | None,
    **given: object,
) -> None:
    """Make an environment: a folder for a server, its settings and its services.

    PATH is a folder that is empty or does not exist yet. A password in the URL is kept in secrets.toml. Write
    invitations with 'zato cluster invite'.
    """
    environment = Environment(path)
    own = {setting: value for setting, value in given.items() if value is not None}
    users = (admin_invoke_password, pubapi_password)
    first_password = ""
    if join is None:
        settings, credentials = _alone(broker, cluster, users)
        first_password = _first_password(web_admin_password)
        credentials = replace(credentials, first_user_hash=hash_of(password_bytes(first_password)))
    else:
        _check_alone([broker, cluster, *users, web_admin_password])
        settings, credentials = _joined(join)
        own = own if "name" in own else {"name": _name_of(environment), **own}
    environment.create({**settings, **own}, credentials)
    click.echo(f"Environment made: {environment.path}")
    click.echo(f"  services go to  {environment.services}")
    click.echo(
        f"  settings are in {environment.path / 'config.toml'}, passwords in {environment.path / 'secrets.toml'}"
    )
    if "broker" in settings:
        click.echo(f"  cluster         {settings.get('cluster', 'default')}, by {settings['broker']}")
    if first_password:
        shown = first_password if web_admin_password is None else "the password that was given"
        click.echo(f"  web admin       log in as {FIRST_USER} with {shown}")
    click.echo(f"Start its server with: zato start {shlex.quote(str(path))}")


def _alone(broker: str | None, cluster: str | None, users: tuple[str | None, str | None]) -> tuple[Given, Credentials]:
    """Return settings and passwords of a server that is the first of its cluster, or alone."""
    credentials = Credentials.make(*users)
    if broker in (None, EMBEDDED):
        if cluster is not None:
            raise click.UsageError("--cluster is of servers that share a Redis; add --broker redis://host:6379/0.")
        return {}, credentials
    try:
        password = split(str(broker)).password
    except InvalidSetting as error:
        raise InvalidSetting(f"command line: {error}") from error
    named = {} if cluster is None else {"cluster": cluster}
    return {"broker": without_password(str(broker)), **named}, replace(credentials, broker_password=password)


def _first_password(given: str | None) -> str:
    """Return the password of the first person: what is given, or a random one, which is shown once."""
    try:
        return random_password() if given is None else check_password(given)
    except BadRequest as error:
        raise EnvironmentFault(str(error)) from error


def _check_alone(options: list[str | None]) -> None:
    if any(option is not None for option in options):
        raise click.UsageError(
            "With --join, broker, cluster and passwords are those of the invitation; leave them out."
        )


def _joined(file: str) -> tuple[Given, Credentials]:
    """Return settings and passwords of a server that joins others."""
    invitation = read_invitation(file)
    passwords = invitation.passwords
    try:
        credentials = Credentials.of(passwords, "[passwords]")
        password = split(str(invitation.settings["broker"])).password or passwords.get("broker_password", "")
    except (EnvironmentFault, InvalidSetting) as error:
        raise EnvironmentFault(f"{file} is no invitation that can be used: {error}") from error
    broker = without_password(str(invitation.settings["broker"]))
    return {**invitation.settings, "broker": broker}, replace(credentials, broker_password=password)


def _name_of(environment: Environment) -> str:
    try:
        return check_server_name(environment.path.name)
    except InvalidSetting as error:
        raise InvalidSetting(f"{error} The folder's is taken if there is no --name: give one.") from error
