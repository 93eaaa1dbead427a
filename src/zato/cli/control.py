"""`zato stop`, `zato restart` and `zato wait`."""

import os
import pwd
import shlex
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from zato.cli.detached import as_arguments, start_detached
from zato.cli.layers import layers_at_restart, layers_at_start, options_of, variables_of
from zato.cli.parameters import FOLDER, Seconds
from zato.cli.readiness import probe
from zato.core.errors import EnvironmentFault, ServerNotRunning, ZatoError
from zato.environment import Environment
from zato.running import MANAGED, RunningServer

__all__ = ["restart", "stop", "wait"]

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
    _stop(environment, environment.running())


@click.command
@click.argument("path", type=FOLDER)
@click.option("--port", type=int, help="TCP port, instead of the one it has.")
@click.option("--workers", type=int, help="Worker processes, instead of as many as it has.")
@click.option(
    "--timeout", type=Seconds(), default=60.0, show_default=True, help="How long to wait for the new one to answer."
)
@click.pass_obj
def restart(variables: Mapping[str, str], /, *, path: Path, timeout: float, **given: object) -> None:
    """Stop the server of the environment in PATH, if one runs, and start it detached.

    Options of 'zato start' and environment variables that the running server was given are given again. What a
    start needs is checked first: if config.toml, passwords, certificate or port are not right, the running
    server goes on. So does one that a service manager keeps, or that is another user's: they restart it.
    """
    from zato.cli.start import check_start

    environment = Environment(path).check()
    options = {name: value for name, value in given.items() if value is not None}
    server = environment.running() if environment.is_locked() else None
    if server is None:
        click.echo(f"No server of {environment.path} runs: this is a start.")
        check_start(environment, layers_at_start(variables, options))
        start_detached(path, options, timeout, variables)
        return
    _check_ours(environment, server)
    check_start(environment, layers_at_restart(server, variables, options), server)
    with _remembering(path, server):
        _stop(environment, server)
        known = variables_of(server.layers)
        start_detached(path, {**options_of(server.layers), **options}, timeout, {**known, **variables})


def _check_ours(environment: Environment, server: RunningServer) -> None:
    """Check that a server which this command starts would be what runs now, with the same user and keeper.

    Raises:
        EnvironmentFault: it would not.
    """
    if server.managed:
        raise EnvironmentFault(MANAGED)
    owner = server.owner
    if owner is not None and owner != os.geteuid():
        raise EnvironmentFault(
            f"The server of {environment.path}, process {server.pid}, belongs to user {_name_of(owner)}, and would "
            f"come back as {_name_of(os.geteuid())}. Run 'zato restart' as {_name_of(owner)}."
        )


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


@contextmanager
def _remembering(path: Path, server: RunningServer) -> Iterator[None]:
    """Say how a server was started, if it has been stopped and does not come back."""
    try:
        yield
    except ZatoError as error:
        if Environment(path).is_locked():
            raise
        raise type(error)(f"{error} Start it as it was with: {_start_of(path, server)}") from error
    except KeyboardInterrupt:
        click.echo(f"It was started with: {_start_of(path, server)}", err=True)
        raise


def _start_of(path: Path, server: RunningServer) -> str:
    """Return the command that starts a server as it was started, for a shell."""
    variables = [f"{name}={shlex.quote(value)}" for name, value in variables_of(server.layers).items()]
    options = as_arguments(options_of(server.layers))
    return " ".join([*variables, shlex.join(["zato", "start", str(path), "--detach", *options])])


def _stop(environment: Environment, server: RunningServer) -> None:
    """Ask a server to stop, and return when it has."""
    try:
        os.kill(server.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise EnvironmentFault(
            f"Process {server.pid} belongs to another user, who alone can stop it, or root: {error.strerror}."
        ) from error
    deadline = time.monotonic() + server.stops_within + MARGIN
    while environment.is_locked() and not _is_followed(environment, server):
        if time.monotonic() > deadline:
            raise EnvironmentFault(f"Process {server.pid} has not stopped. End it with 'kill -9 {server.pid}'.")
        time.sleep(POLL)
    click.echo(f"Stopped (process {server.pid}).")


def _is_followed(environment: Environment, server: RunningServer) -> bool:
    """Tell whether another command has started another server since."""
    now = environment.running_or_none()
    return now is not None and (now.pid, now.started) != (server.pid, server.started)


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
