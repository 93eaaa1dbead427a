"""`zato start`: the only command that loads the server."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from zato.broker.known import check_known
from zato.cli.detached import LAST_LINE, start_detached
from zato.cli.layers import layers_at_start
from zato.cli.notify import SOCKET_VARIABLE, say_ready
from zato.cli.parameters import FOLDER, Seconds
from zato.core.settings import Settings
from zato.environment import Environment
from zato.ports import reserve
from zato.running import Layer, RunningServer, url_of
from zato.server.orders import Report
from zato.server.supervisor import run_server
from zato.tls import tls_files

__all__ = ["check_address", "check_start", "check_tls", "start"]

# Named from here, as every command takes files; in config.toml a path begins at the environment's folder.
FILE = click.Path(resolve_path=True)

logger = logging.getLogger("zato.server")


@click.command
@click.argument("path", type=FOLDER)
@click.option("--port", type=int, help="TCP port, instead of the one in config.toml.")
@click.option("--workers", type=int, help="Worker processes, instead of the number in config.toml.")
@click.option("--tls-cert", type=FILE, help="Certificate chain in PEM, to serve HTTPS; needs --tls-key.")
@click.option("--tls-key", type=FILE, help="Its private key in PEM.")
@click.option("--detach", is_flag=True, help="Return when the server answers, and leave it running.")
@click.option(
    "--timeout", type=Seconds(), default=60.0, show_default=True, help="With --detach: how long to wait for that."
)
@click.option("--log-file-only", is_flag=True, hidden=True)
@click.option(
    "--fg", is_flag=True, expose_value=False, help="Accepted for old scripts: this is what happens without --detach."
)
@click.pass_obj
def start(
    variables: Mapping[str, str],
    /,
    *,
    path: Path,
    detach: bool,
    timeout: float,
    log_file_only: bool,
    **given: object,
) -> None:
    """Start the server of the environment in PATH. Ctrl-C stops it, unless it was detached."""
    environment = Environment(path).check()
    overrides = {name: value for name, value in given.items() if value is not None}
    if detach:
        start_detached(path, overrides, timeout)
        return
    layers = layers_at_start(variables, overrides)
    settings = environment.settings(*layers)

    def ready(server: RunningServer, report: Report) -> None:
        say_ready(variables)
        try:
            _say(path, server, report, detached=log_file_only)
        except OSError as error:
            logger.warning("What a server says at its start cannot be printed: %s", error.strerror)

    # A detached one may have the variable from a manager that keeps something else.
    managed = bool(variables.get(SOCKET_VARIABLE)) and not log_file_only
    run_server(environment, settings, ready, to_stream=not log_file_only, layers=layers, managed=managed)


def check_start(environment: Environment, layers: Sequence[Layer], running: RunningServer | None = None) -> Settings:
    """Check all that can be checked before a start, and return the settings that the server will have.

    Args:
        environment: the folder.
        layers: what overrides `config.toml`.
        running: the server that will have stopped by then, and whose address will be free.

    Raises:
        EnvironmentFault: settings, passwords, certificate or key cannot be read or used, or the address is taken.
        InvalidSetting: a setting is unknown or not legal.
    """
    settings = environment.settings(*layers)
    environment.broker_access(settings)
    check_tls(environment, settings)
    check_known(settings.broker)
    if running is None or (running.host, running.port) != (settings.host, settings.port):
        check_address(settings)
    return settings


def check_address(settings: Settings) -> None:
    """Check that a server can have its address.

    Raises:
        EnvironmentFault: it is taken, or cannot be used; the message says by whom, or why.
    """
    reserve(settings.host, settings.port).close()


def check_tls(environment: Environment, settings: Settings) -> str | None:
    """Check that certificate and key can be used, and return the fingerprint; None for plain HTTP.

    Raises:
        EnvironmentFault: they cannot.
    """
    found = tls_files(settings, environment.path)
    return None if found is None else found.fingerprint


def _say(path: Path, server: RunningServer, report: Report, *, detached: bool) -> None:
    environment = Environment(path)
    workers = f", {len(server.workers)} workers" if len(server.workers) > 1 else ""
    click.echo(f"Server {server.name} answers at {server.address} (process {server.pid}{workers})")
    click.echo("  users     admin.invoke for /zato/admin/invoke")
    click.echo(f"            passwords are in {environment.path / 'secrets.toml'}")
    click.echo(f"  services  {report.services} from {environment.services}")
    if server.settings.get("web_admin"):
        click.echo(f"  web admin {_web_admin(server)}")
    for error in report.errors:
        click.echo(f"  NOT LOADED {error}", err=True)
    by_key = "" if detached else "Ctrl-C, or: "
    click.echo(f"{LAST_LINE}{by_key}zato stop {shlex.quote(str(path))}")


def _web_admin(server: RunningServer) -> str:
    host, port = str(server.settings["web_admin_host"]), int(str(server.settings["web_admin_port"]))
    return url_of(host, port, tls=bool(server.tls_fingerprint))
