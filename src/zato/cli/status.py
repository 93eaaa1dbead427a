"""`zato status`."""

from pathlib import Path
from typing import Any

import click

from zato.cli.parameters import FOLDER
from zato.cli.readiness import probe
from zato.cli.stores import counted_by_server, counts_shown, shared_place
from zato.cli.tables import print_json
from zato.core.printable import on_one_line
from zato.core.urls import EMBEDDED
from zato.environment import Environment

__all__ = ["status"]


@click.command
@click.argument("path", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def status(path: Path, as_json: bool) -> None:
    """Show the running server of the environment in PATH: where it answers, and its processes.

    Exit status 3 if none runs. The process that is named first is the one to send signals to.
    """
    environment = Environment(path).check()
    server = environment.running()
    readiness = probe(server)
    broker, cluster = shared_place(server.settings) or (EMBEDDED, None)
    state = {
        "name": server.name,
        "pid": server.pid,
        "address": server.address,
        "ready": readiness.ready,
        "reason": readiness.reason,
        "workers": [{"number": worker.number, "pid": worker.pid, "deaths": worker.deaths} for worker in server.workers],
        "broker": broker,
        "cluster": cluster,
        "calls": counted_by_server(path) if cluster is not None else None,
    }
    if as_json:
        print_json(state)
    else:
        _print(state)


def _print(state: dict[str, Any]) -> None:
    ready = "ready" if state["ready"] else f"not ready: {on_one_line(str(state['reason']))}"
    click.echo(f"Server {state['name']} runs at {state['address']} (process {state['pid']}), {ready}")
    for worker in state["workers"]:
        process = "being replaced" if worker["pid"] is None else f"process {worker['pid']}"
        deaths = worker["deaths"]
        replaced = "" if not deaths else ", replaced once" if deaths == 1 else f", replaced {deaths} times"
        click.echo(f"  worker {worker['number']}  {process}{replaced}")
    if state["cluster"] is not None:
        click.echo(f"  cluster   {state['cluster']}, by {state['broker']}")
        click.echo(f"  calls     {counts_shown(state['calls'])}")
