"""`zato queue …`."""

from pathlib import Path
from typing import Any

import click

from zato.cli.completion import queue_names
from zato.cli.door import ask, print_value
from zato.cli.parameters import FOLDER
from zato.cli.tables import Column, print_items
from zato.core.errors import hint_for
from zato.core.invocation import PENDING

__all__ = ["list_queues", "pause", "resume"]

COUNTS = tuple(map(str, PENDING))
COLUMNS = (
    Column("queue", whole=True),
    Column("state", style=lambda state: "yellow" if state == "paused" else ""),
    *(Column(count, right=True) for count in COUNTS),
    Column("oldest waits since (UTC)", whole=True),
)
as_json_object = click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")


@click.command
@click.argument("path", type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def list_queues(path: Path, as_json: bool) -> None:
    """List the queues of the server in PATH that have calls without an outcome, or are paused."""
    print_items(COLUMNS, _as_row, ask(path, "zato.queue.get-list")["items"], as_json=as_json)


@click.command
@click.argument("path", type=FOLDER)
@click.argument("name", shell_complete=queue_names)
@as_json_object
def pause(path: Path, name: str, as_json: bool) -> None:
    """Have no call of the queue NAME started from now on, until it is resumed.

    It holds for all servers that share the broker, whatever restarts. Calls are accepted as before, and what runs
    goes on.
    """
    state = ask(path, "zato.queue.pause", {"name": name})
    if as_json:
        print_value(state, as_json=True)
        return
    click.echo(f"Paused {name}: {_counted(state)}." if state["changed"] else f"{name} is paused already.")
    if not any(state[count] for count in COUNTS):
        others = [item["name"] for item in ask(path, "zato.queue.get-list")["items"] if item["name"] != name]
        hint = hint_for(name, others)
        click.echo(f"No call is in a queue of this name now; those that come will wait. {hint}".rstrip(), err=True)


@click.command
@click.argument("path", type=FOLDER)
@click.argument("name", shell_complete=queue_names)
@as_json_object
def resume(path: Path, name: str, as_json: bool) -> None:
    """Have the calls of the queue NAME started again."""
    state = ask(path, "zato.queue.resume", {"name": name})
    if as_json:
        print_value(state, as_json=True)
        return
    if state["changed"]:
        click.echo(f"Resumed {name}.")
        return
    paused = [item["name"] for item in ask(path, "zato.queue.get-list")["items"] if item["paused"]]
    click.echo(f"{name} was not paused. {hint_for(name, paused)}".rstrip())


def _as_row(item: dict[str, Any]) -> tuple[str, ...]:
    oldest = "" if item["oldest"] is None else item["oldest"][5:19].replace("T", " ")
    state = "paused" if item["paused"] else ""
    return (item["name"], state, *(f"{item[count]:,}" for count in COUNTS), oldest)


def _counted(state: dict[str, Any]) -> str:
    found = [f"{state[count]:,} {count}" for count in COUNTS if state[count]]
    return ", ".join(found) or "no calls"
