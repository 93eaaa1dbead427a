"""`zato invocation …`."""

import json
from pathlib import Path
from typing import Any

import click

from zato.cli.door import connect, print_value, refuse
from zato.cli.parameters import FOLDER, Seconds

__all__ = ["show"]

SHOWN = (
    ("service", "service"),
    ("status", "status"),
    ("id", "id"),
    ("channel", "channel"),
    ("parent", "called by"),
    ("in_reply_to", "in reply to"),
    ("replay_of", "replay of"),
    ("attempts", "attempts"),
    ("takeovers", "take-overs"),
    ("created", "accepted"),
    ("not_before", "not before"),
    ("expires", "expires"),
    ("started", "started"),
    ("ended", "ended"),
    ("server", "server"),
    ("callback", "callback"),
    ("on_failure", "on failure"),
    ("payload", "payload"),
    ("response", "response"),
)


@click.command
@click.argument("path", type=FOLDER)
@click.argument("cid")
@click.option("--wait", type=Seconds(), default=0.0, help="How long to wait for an outcome.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as a JSON object.")
def show(path: Path, cid: str, wait: float, as_json: bool) -> None:
    """Show the record of a background call of the server in PATH: the newest one with the CID."""
    with connect(path) as client:
        found = client.result(cid, wait)
    if found.status is None:
        refuse(found)
    record = found.record
    if as_json:
        print_value(record, as_json=True)
    else:
        _print_record(record)


def _print_record(record: dict[str, Any]) -> None:
    click.echo(f"{'CID':<12}{record['cid']}")
    for key, label in SHOWN:
        value = record[key]
        if value not in (None, [], ""):
            click.echo(f"{label:<12}{_shown(key, value)}", color=True)
    if record["cid_count"] > 1:
        click.echo(f"{'':<12}({record['cid_count']} calls carry this CID; this is the newest)")
    if record["error"]:
        click.echo(f"{'error':<12}{record['error']['type']}: {record['error']['message']}")


def _shown(key: str, value: Any) -> str:
    if key in ("callback", "on_failure"):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
