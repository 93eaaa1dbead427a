"""`zato server …`: the servers of a cluster, and having one take no new work."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from zato.cli.door import ask, print_value
from zato.cli.parameters import FOLDER, Seconds
from zato.cli.tables import Column, print_table
from zato.core.errors import InvocationTimeout

__all__ = ["drain", "list_servers"]

POLL = 0.25
# Seconds between two lines that say how far it has come, where nobody can see a line change.
SAY_EVERY = 10.0
# Seconds that a server on which nothing runs has to say that it has understood.
NOTICED_WITHIN = 3.0

Server = Mapping[str, Any]


@click.command("list")
@click.argument("path", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def list_servers(path: Path, as_json: bool) -> None:
    """List the servers of the cluster that the server in PATH is one of.

    One that ended in good order is not among them; one that was killed or cut off is, for a day.
    """
    items = ask(path, "zato.cluster.get-servers")["items"]
    if as_json:
        print_value(items, as_json=True)
        return
    columns: list[Column | str] = [
        "server",
        "state",
        "address",
        "host",
        "version",
        Column("workers", right=True),
        Column("services", right=True),
        Column("running", right=True),
        Column("seen", right=True),
    ]
    print_table(columns, [_row(item) for item in items])


@click.command
@click.argument("path", type=FOLDER)
@click.option("--server", "name", metavar="NAME", help="Another server of the cluster.  [default: that in PATH]")
@click.option("--undo", is_flag=True, help="Have it take work again.")
@click.option(
    "--wait", type=Seconds(), default=300.0, show_default=True, help="How long to wait at most; 0 does not wait."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def drain(path: Path, *, name: str | None, undo: bool, wait: float, as_json: bool) -> None:
    """Have the server in PATH take no new background calls, and wait until none runs there any more.

    Meanwhile /zato/ready says no, so that balancers look elsewhere, while requests are still answered. It holds
    until --undo, or until the server starts again. Exit status 8 if calls still run after --wait.
    """
    asked = {} if name is None else {"name": name}
    server: Server = ask(path, "zato.server.drain", {**asked, "undo": undo})
    if not undo and wait:
        server = _drained(path, server, wait)
    if as_json:
        print_value(server, as_json=True)
    else:
        click.echo(_summary(server))


def _drained(path: Path, server: Server, wait: float) -> Server:
    """Return a server once nothing runs there any more.

    Raises:
        InvocationTimeout: something still does.
    """
    deadline = time.monotonic() + wait
    progress = _Progress(server["name"])
    try:
        # What is known at first may be from before it was asked to.
        while True:
            time.sleep(max(min(POLL, deadline - time.monotonic()), 0.01))
            server = _server_now(path, server)
            if server["drained"] or not (server["alive"] and server["draining"]):
                return server
            progress.show(server["running"])
            if time.monotonic() > deadline:
                raise InvocationTimeout(
                    f"{server['name']} still runs {_calls(server['running'])} after {wait:g} s. It takes no new work: "
                    "wait for it with the same command, or undo that with --undo."
                )
    finally:
        progress.end()


def _server_now(path: Path, server: Server) -> Server:
    items = ask(path, "zato.cluster.get-servers")["items"]
    return next((item for item in items if item["name"] == server["name"]), {**server, "alive": False})


class _Progress:
    """How far it has come, on stderr: one line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self, name: str) -> None:
        """Take the server's name."""
        self._name = name
        self._began = time.monotonic()
        self._told: tuple[int, float] | None = None

    def show(self, running: int) -> None:
        """Say how many calls run, unless that was said just now."""
        now = time.monotonic()
        if not running and now - self._began < NOTICED_WITHIN:
            return
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{self._line(running)}", err=True, nl=False, color=True)
        elif self._told is None or (running != self._told[0] and now - self._told[1] > 1) or self._is_long_ago(now):
            click.echo(self._line(running), err=True)
        else:
            return
        self._told = (running, now)

    def end(self) -> None:
        """Leave the line, if there is one that changes."""
        if self._told is not None and sys.stderr.isatty():
            click.echo("\r\x1b[K", err=True, nl=False, color=True)

    def _is_long_ago(self, now: float) -> bool:
        return self._told is not None and now - self._told[1] > SAY_EVERY

    def _line(self, running: int) -> str:
        return f"{self._name} drains: {_calls(running)} run{'s' if running == 1 else ''} there"


def _row(server: Server) -> list[str]:
    return [
        server["name"],
        _state(server),
        server["address"],
        server["host"],
        server["version"],
        str(len(server["workers"])),
        str(server["services"]),
        str(server["running"]),
        f"{server['ago']:.1f} s ago",
    ]


def _state(server: Server) -> str:
    if not server["alive"]:
        return "gone"
    return ("drained" if server["drained"] else "draining") if server["draining"] else "up"


def _summary(server: Server) -> str:
    name = server["name"]
    if not server["alive"]:
        return f"{name} does not run any more."
    if not server["draining"]:
        return f"{name} takes work again."
    what = "nothing runs there any more" if server["drained"] else f"{_calls(server['running'])} may still run there"
    return f"{name} takes no new work, and {what}."


def _calls(count: int) -> str:
    return f"{count:,} call{'' if count == 1 else 's'}"
