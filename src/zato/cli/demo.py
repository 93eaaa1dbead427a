"""`zato demo`: a tour in a temporary environment. What it shows as typed is really run."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import click

from zato.core.errors import ZatoError
from zato.environment import Environment

__all__ = ["demo"]

FOLDER = "tour"
FILE = "letters.py"
SERVICES = """\
import time

from zato.server.service import Service


class Greet(Service):
    name = "letters.greet"

    def handle(self):
        return f"Hello, {self.request.payload['name']}!"


class Write(Service):
    name = "letters.write"

    def handle(self):
        time.sleep(3)  # writing takes a while
        return self.invoke("letters.greet", self.request.payload)


class Sent(Service):
    name = "letters.sent"

    def handle(self):
        return f"Sent: {self.request.payload}"
"""
ADA = '{"name": "Ada"}'
NEXT = """\
The folder and its server are gone again. To make one that stays:

  zato create myenv
  zato start myenv

The files in myenv/services are its services.
"""
# Seconds that one command may take.
LIMIT = 90.0
POLL = 0.05


class _TourEnded(ZatoError):
    """A command of the tour did not do what it shows."""

    code = "tour_ended"


@click.command
def demo() -> None:
    """Show in half a minute what this is: a call now, a call in the background, and a server killed meanwhile.

    Everything happens in a temporary folder, which is removed at the end, or when you press Ctrl-C.
    """
    with _on_signals(), tempfile.TemporaryDirectory(prefix="zato-demo-") as folder:
        tour = _Tour(Path(folder))
        try:
            _walk(tour)
        finally:
            tour.clean_up()
    click.echo(f"\n{NEXT}", nl=False)


class _Tour:
    """Types commands, and shows what comes back."""

    def __init__(self, folder: Path) -> None:
        """Take the folder to work in."""
        self._folder = folder
        self._environment = Environment(folder / FOLDER)

    def say(self, text: str) -> None:
        """Say what comes next."""
        click.secho(f"\n{text}", bold=True)

    def type(self, *arguments: str) -> str:
        """Run a command of ours, and return what it printed."""
        click.secho(f"\n$ {shlex.join(('zato', *arguments))}", fg="cyan")
        done = subprocess.run(  # noqa: S603 -- the tour's own words
            [sys.executable, "-m", "zato.cli.main", *arguments],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        click.echo(done.stdout, nl=False)
        if done.returncode:
            raise _TourEnded(f"The tour ends here: {done.stderr.strip()}")
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        """Show a file, and put it among the services."""
        click.secho(f"\n{FOLDER}/services/{name}", fg="cyan")
        click.echo("".join(f"  {line}".rstrip() + "\n" for line in text.splitlines()), nl=False)
        (self._environment.services / name).write_text(text, "utf-8")

    def kill(self) -> None:
        """Kill the server, as a power cut would."""
        pid = self._environment.running().pid
        click.secho(f"\n$ kill -9 {pid}", fg="cyan")
        self.clean_up()

    def clean_up(self) -> None:
        """End the server if one runs, or is about to. The folder goes by itself."""
        give_up = time.monotonic() + LIMIT
        while self._environment.run.is_dir() and self._environment.is_locked() and time.monotonic() < give_up:
            with suppress(ZatoError, ProcessLookupError):
                os.kill(self._environment.running().pid, signal.SIGKILL)
            time.sleep(POLL)


def _walk(tour: _Tour) -> None:
    tour.say("1. One file to start. An environment is a folder, and services are classes in files in it.")
    tour.type("create", FOLDER, "--port", str(_free_port()))
    tour.write(FILE, SERVICES)
    tour.type("start", FOLDER, "--detach")

    tour.say("2. Invoke a service now: the response comes back.")
    tour.type("service", "invoke", FOLDER, "letters.greet", "--payload", ADA)

    tour.say("3. Invoke one in the background: its CID comes back at once. Another service gets the response.")
    in_background = ("service", "invoke", FOLDER, "letters.write", "--payload", ADA, "--async")
    cid = tour.type(*in_background, "--callback", "letters.sent")
    tour.type("invocation", "wait", FOLDER, cid)
    tour.type("invocation", "list", FOLDER, "--parent", cid)

    tour.say("4. Nothing accepted is lost. A call is running; the server is killed, and started again.")
    cid = tour.type(*in_background)
    tour.kill()
    tour.type("start", FOLDER, "--detach")

    tour.say("Whoever has the CID can ask how it ended. It lost its process once, and ran again.")
    tour.type("invocation", "wait", FOLDER, cid)
    tour.type("invocation", "show", FOLDER, cid)
    tour.type("stop", FOLDER)


@contextmanager
def _on_signals() -> Iterator[None]:
    """Have SIGTERM and SIGHUP end the tour as Ctrl-C does, so that nothing is left behind."""

    def end(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
