"""`zato stop` and `zato wait`."""

import os
import signal
import time
from pathlib import Path

import click

from zato.cli.parameters import FOLDER, Seconds
from zato.cli.readiness import probe
from zato.core.errors import EnvironmentFault, ServerNotRunning
from zato.environment import Environment

__all__ = ["stop", "wait"]

POLL = 0.05
# Longer than a server takes to kill what does not stop.
MARGIN = 15.0


@click.command
@click.argument("path", type=FOLDER)
def stop(path: Path) -> None:
    """Stop the server of the environment in PATH.

    Work in progress may end first, for as long as 'grace' in config.toml says. A second 'zato stop'
    meanwhile ends the server at once; its background calls run again when it is started.
    """
    environment = Environment(path).check()
    server = environment.running()
    try:
        os.kill(server.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise EnvironmentFault(
            f"Process {server.pid} belongs to another user, who alone can stop it, or root: {error.strerror}."
        ) from error
    deadline = time.monotonic() + server.stops_within + MARGIN
    while environment.is_locked():
        if time.monotonic() > deadline:
            raise EnvironmentFault(f"Process {server.pid} has not stopped. End it with 'kill -9 {server.pid}'.")
        time.sleep(POLL)
    click.echo(f"Stopped (process {server.pid}).")


@click.command
@click.argument("path", type=FOLDER)
@click.option("--timeout", type=Seconds(), default=60.0, show_default=True, help="How long to wait at most.")
def wait(path: Path, timeout: float) -> None:
    """Wait until the server of the environment in PATH is ready."""
    environment = Environment(path).check()
    deadline = time.monotonic() + timeout
    while not _is_ready(environment):
        if time.monotonic() > deadline:
            raise ServerNotRunning(
                f"The server of {environment.path} was not ready within {timeout:g} s. "
                f"What 'zato start' printed, and {environment.logs / 'server.log'}, may say why."
            )
        time.sleep(POLL)


def _is_ready(environment: Environment) -> bool:
    try:
        return probe(environment.running()).ready
    except ServerNotRunning:
        return False
