"""`zato start`: the only command that loads the server."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from zato.cli.parameters import FOLDER
from zato.core.settings import ENVIRONMENT_PREFIX, describe
from zato.environment import Environment, RunningServer
from zato.server.loader import Loaded
from zato.server.process import run_server

__all__ = ["start"]


@click.command
@click.argument("path", type=FOLDER)
@click.option("--port", type=int, help="TCP port, instead of the one in config.toml.")
@click.option(
    "--fg", is_flag=True, expose_value=False, help="Accepted for old scripts: the server always runs in the foreground."
)
@click.pass_obj
def start(variables: Mapping[str, str], path: Path, port: int | None) -> None:
    """Start the server of the environment in PATH, in the foreground. Ctrl-C stops it."""
    environment = Environment(path).check()
    overrides = {} if port is None else {"port": port}
    settings = environment.settings(*_given_by(variables), ("command line", overrides))

    def ready(server: RunningServer, loaded: Loaded) -> None:
        click.echo(f"Server {settings.name} answers at {server.address} (process {server.pid})")
        click.echo("  users     admin.invoke for /zato/admin/invoke")
        click.echo(f"            passwords are in {environment.path / 'secrets.toml'}")
        click.echo(f"  services  {len(loaded.services)} from {environment.services}")
        for error in loaded.errors:
            click.echo(f"  NOT LOADED {error}", err=True)
        click.echo(f"  stop      Ctrl-C, or: zato stop {shlex.quote(str(path))}")

    run_server(environment, settings, ready)


def _given_by(variables: Mapping[str, str]) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the settings that environment variables give, each with the variable it comes from."""
    for setting in describe():
        variable = f"{ENVIRONMENT_PREFIX}{setting.name.upper()}"
        if variable in variables:
            yield f"environment variable {variable}", {setting.name: variables[variable]}
