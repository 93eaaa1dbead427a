"""`zato stop` and `zato wait`."""

import contextlib
import http.client
import os
import signal
import time
from pathlib import Path

import click

from zato.core.errors import EnvironmentFault, ServerNotRunning
from zato.environment import Environment

__all__ = ["stop", "wait"]

POLL = 0.05
MARGIN = 10.0
PROBE_TIMEOUT = 2.0


@click.command
@click.argument("path", type=click.Path(path_type=Path))
def stop(path: Path) -> None:
    """Stop the server of the environment in PATH: work in progress may end first."""
    environment = Environment(path).check()
    server = environment.running()
    settings = environment.settings()
    with contextlib.suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGTERM)
    deadline = time.monotonic() + settings.drain + settings.grace + MARGIN
    while environment.is_locked():
        if time.monotonic() > deadline:
            raise EnvironmentFault(f"Process {server.pid} has not stopped. End it with 'kill -9 {server.pid}'.")
        time.sleep(POLL)
    click.echo(f"Stopped (process {server.pid}).")


@click.command
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--timeout", type=float, default=60.0, show_default=True, help="Seconds to wait at most.")
def wait(path: Path, timeout: float) -> None:
    """Wait until the server of the environment in PATH is ready."""
    environment = Environment(path).check()
    deadline = time.monotonic() + timeout
    while not _is_ready(environment):
        if time.monotonic() > deadline:
            raise ServerNotRunning(f"The server of {environment.path} was not ready within {timeout:g} s.")
        time.sleep(POLL)


def _is_ready(environment: Environment) -> bool:
    try:
        server = environment.running()
    except ServerNotRunning:
        return False
    connection = http.client.HTTPConnection(server.reachable_host, server.port, timeout=PROBE_TIMEOUT)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/zato/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
