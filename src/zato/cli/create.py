"""`zato create`."""

import shlex
from pathlib import Path

import click

from zato.cli.parameters import FOLDER
from zato.environment import Credentials, Environment

__all__ = ["create"]


@click.command
@click.argument("path", type=FOLDER)
@click.option("--port", type=int, help="TCP port of the server.  [default: 11223]")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--name", help="Name of the server.  [default: server1]")
@click.option("--admin-invoke-password", help="Password of the user admin.invoke.  [default: random]")
@click.option("--pubapi-password", help="Password of the user pubapi.  [default: random]")
def create(
    *,
    path: Path,
    port: int | None,
    host: str | None,
    name: str | None,
    admin_invoke_password: str | None,
    pubapi_password: str | None,
) -> None:
    """Make an environment: a folder for a server, its settings and its services.

    PATH is a folder that is empty or does not exist yet.
    """
    environment = Environment(path)
    given = {"port": port, "host": host, "name": name}
    environment.create(
        {setting: value for setting, value in given.items() if value is not None},
        Credentials.make(admin_invoke_password, pubapi_password),
    )
    click.echo(f"Environment made: {environment.path}")
    click.echo(f"  services go to  {environment.services}")
    click.echo(
        f"  settings are in {environment.path / 'config.toml'}, passwords in {environment.path / 'secrets.toml'}"
    )
    click.echo(f"Start its server with: zato start {shlex.quote(str(path))}")
