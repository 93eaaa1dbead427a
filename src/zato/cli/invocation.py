"""`zato invocation …`."""

from pathlib import Path
from typing import Any

import click

from zato.cli.door import ask, print_value

__all__ = ["show"]

SHOWN = (
    ("service", "service"),
    ("status", "status"),
    ("id", "id"),
    ("channel", "channel"),
    ("parent", "called by"),
    ("in_reply_to", "in reply to"),
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
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("cid")
@click.option("--wait", type=click.FloatRange(0, 60), default=0.0, help="Seconds to wait for an outcome, at most 60.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as a JSON object.")
def show(path: Path, cid: str, wait: float, as_json: bool) -> None:
    """Show the record of a background call of the server in PATH: the newest one with the CID."""
    record = ask(path, "zato.invocation.get", {"cid": cid, "wait": wait})
    if as_json:
        print_value(record, as_json=True)
    else:
        _print_record(record)


def _print_record(record: dict[str, Any]) -> None:
    click.echo(f"{'CID':<12}{record['cid']}")
    for key, label in SHOWN:
        value = record[key]
        if value not in (None, []):
            click.echo(f"{label:<12}", nl=False)
            print_value(", ".join(value) if isinstance(value, list) and key in ("callback", "on_failure") else value)
    if record["cid_count"] > 1:
        click.echo(f"{'':<12}({record['cid_count']} calls carry this CID; this is the newest)")
    if record["error"]:
        click.echo(f"{'error':<12}{record['error']['type']}: {record['error']['message']}")
