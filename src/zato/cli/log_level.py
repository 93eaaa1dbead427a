"""`zato log-level`."""

from pathlib import Path

import click

from zato.cli.door import ask, print_value
from zato.cli.parameters import FOLDER, Choice
from zato.cli.tables import print_table

__all__ = ["log_level"]

LEVEL = Choice(("debug", "info", "warning", "error", "default"), case_sensitive=False)


@click.command("log-level")
@click.argument("path", type=FOLDER)
@click.argument("level", type=LEVEL, metavar="[LEVEL]", required=False)
@click.option("--logger", help="Name of one logger; without it, all that have no level of their own.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects.")
def log_level(path: Path, level: str | None, logger: str | None, as_json: bool) -> None:
    """Show what the server in PATH logs, or have it log from LEVEL on: DEBUG, INFO, WARNING or ERROR.

    This holds for all of its processes within a second, until the server stops. LEVEL 'default' undoes it.
    """
    if level is None and logger is not None:
        raise click.UsageError(f"Say which level {logger!r} is to have: zato log-level {path} LEVEL --logger {logger}")
    if level is None:
        items = ask(path, "zato.log.get-levels")["items"]
    else:
        fields = {"level": level} if logger is None else {"level": level, "logger": logger}
        items = ask(path, "zato.log.set-level", fields)["items"]
    if as_json:
        print_value(items, as_json=True)
    else:
        rows = [(item["logger"], item["level"], "" if item["is_default"] else "set while it runs") for item in items]
        print_table(("logger", "level", ""), rows)
