"""`zato start --detach`: a server that goes on after the command has ended."""

import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import click

from zato.core.errors import EnvironmentFault, ServerNotRunning, StartFailed
from zato.environment import Environment

__all__ = ["LAST_LINE", "as_arguments", "start_detached"]

# How the last line begins that a server says to people at its start.
LAST_LINE = "  stop      "
ZATO = (sys.executable, "-P", "-m", "zato.cli.main")
POLL = 0.02
SHOWN = 20
STOP_TIMEOUT = 10.0
# Seconds that a server which answers has to say so in words, too.
WORDS_WITHIN = 2.0


def start_detached(
    path: Path, overrides: Mapping[str, object], timeout: float, variables: Mapping[str, str] | None = None
) -> None:
    """Start a server, and return when it answers.

    Args:
        path: the environment's folder, as it was given.
        overrides: settings given on the command line.
        timeout: how many seconds to wait for it.
        variables: of its environment, or None for those of this process.

    Raises:
        StartFailed: it did not start, or not in time; its last log lines have been shown.
        EnvironmentFault: the folder `logs` cannot be written.
    """
    environment = Environment(path)
    log = environment.logs / "server.log"
    begins = log.stat().st_size if log.exists() else 0
    with _output(environment) as output:
        server = _start(path, overrides, output, variables)
        printed = _Printed(output)
        try:
            reason = _wait_for(server, environment, printed, timeout)
        except BaseException:
            _end(server)
            raise
        if reason:
            for line in [*_lines(log, begins), *printed.lines()][-SHOWN:]:
                click.echo(line, err=True)
            raise StartFailed(f"The server of {environment.path} did not start: {reason}")
        for line in printed.lines() if printed.is_complete() else [f"Server of {environment.path} answers"]:
            click.echo(line)


class _Printed:
    """What a server prints, from its start on."""

    def __init__(self, output: BinaryIO) -> None:
        """Take where it goes, before anything of it is there."""
        self._output = output
        self._begins = output.tell()

    def lines(self) -> list[str]:
        """Return the lines so far."""
        self._output.seek(self._begins)
        return self._output.read().decode("utf-8", "replace").splitlines()

    def is_complete(self) -> bool:
        """Tell whether everything is there that a server says at its start."""
        return any(line.startswith(LAST_LINE) for line in self.lines())


def _output(environment: Environment) -> BinaryIO:
    """Return a new file for what a server prints. One that runs already goes on in its own."""
    file = environment.logs / "start.log"
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        if not environment.is_locked():
            file.unlink(missing_ok=True)
        return file.open("a+b")
    except OSError as error:
        raise EnvironmentFault(f"{error.filename or file} cannot be written: {error.strerror}.") from error


def as_arguments(overrides: Mapping[str, object]) -> list[str]:
    """Return settings as options of `zato start`."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in overrides.items()]


def _start(
    path: Path, overrides: Mapping[str, object], output: BinaryIO, variables: Mapping[str, str] | None
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 -- our own program, with checked settings
        [*ZATO, "start", "--log-file-only", *as_arguments(overrides), "--", str(path)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        env=variables,
    )


def _wait_for(server: "subprocess.Popen[bytes]", environment: Environment, printed: _Printed, timeout: float) -> str:
    """Return an empty text when a server answers, or why it does not. It says so too, unless its words go nowhere."""
    path = shlex.quote(str(environment.path))
    deadline = time.monotonic() + timeout
    answers_since: float | None = None
    while server.poll() is None:
        now = time.monotonic()
        if answers_since is None and _is_ready(environment, server.pid):
            answers_since = now
        if answers_since is not None and (printed.is_complete() or now > answers_since + WORDS_WITHIN):
            return ""
        if answers_since is None and now > deadline:
            _end(server)
            return (
                f"it did not answer within {timeout:g} s, and was stopped. 'zato logs {path}' may say why; "
                "--timeout gives it more seconds."
            )
        time.sleep(POLL)
    if environment.is_locked():
        return f"another command has started it meanwhile. 'zato status {path}' says where it is."
    return f"it ended with status {server.returncode}. 'zato doctor {path}' may say why."


def _is_ready(environment: Environment, pid: int) -> bool:
    """Tell whether the server that this command started answers, and not one that ran before."""
    # Needed by this command alone, not by every start.
    from zato.cli.readiness import probe

    try:
        running = environment.running()
    except ServerNotRunning:
        return False
    return running.pid == pid and probe(running).ready


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _lines(file: Path, begins: int) -> list[str]:
    """Return the lines of a file from a place on; it may have been put aside and begun anew meanwhile."""
    if not file.exists():
        return []
    content = file.read_bytes()
    return content[begins if begins <= len(content) else 0 :].decode("utf-8", "replace").splitlines()
