"""`zato migrate check`: what of old services works here, what changes, and what is missing."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from zato.cli.tables import Column, print_json, print_table
from zato.core.printable import on_one_line
from zato.migrate.findings import Checked, Finding, Severity
from zato.migrate.report import Report, check

__all__ = ["check_services"]

STYLES = {Severity.CHANGED: "yellow", Severity.MISSING: "red", Severity.PYTHON: "magenta"}
# How many lines are named of one finding.
MOST_LINES = 4
COLUMNS = (
    Column("line", right=True),
    Column("kind", whole=True, style=lambda kind: STYLES[Severity(kind)]),
    Column("what"),
    Column("what to do"),
)


@click.command
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def check_services(folder: Path, *, as_json: bool) -> None:
    """Check the old services in FOLDER, or in one file, and say what to do so that they run here.

    Each file is read, and never run or changed. Of each, this names the services, what they use that works
    here, and by line what is `changed`: it runs, and does something else; `missing`: it is not here; `python`:
    it was written for an older Python. Exit status 1 if anything is missing or for an older Python.
    """
    report = check(folder)
    if as_json:
        print_json(report.described())
    else:
        _print(report)
    sys.exit(0 if report.ok else 1)


def _print(report: Report) -> None:
    for checked in report.files:
        _print_file(checked)
    counted = [f"{report.count(severity):,} {severity.value}" for severity in Severity]
    files, services = _counted(len(report.files), "file"), _counted(report.services, "service")
    click.echo(f"{files}, {services}: {', '.join(counted)}.")


def _print_file(checked: Checked) -> None:
    click.echo(on_one_line(str(checked.file)))
    for service in checked.services:
        name = service.name or "(a name that only running it would tell)"
        click.echo(on_one_line(f"  service  {name}, class {service.class_name}"))
    if checked.works:
        click.echo(on_one_line(f"  works    {', '.join(checked.works)}"))
    if checked.findings:
        print_table(COLUMNS, list(_rows(checked.findings)))
    else:
        click.echo("  nothing to do")
    click.echo()


def _rows(findings: Iterable[Finding]) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for all findings that say the same, with their lines."""
    lines: dict[tuple[str, str, str], list[int]] = {}
    for finding in findings:
        lines.setdefault((finding.severity.value, finding.what, finding.remedy), []).append(finding.line)
    for (severity, what, remedy), numbers in lines.items():
        yield _shown(numbers), severity, what, remedy


def _shown(numbers: list[int]) -> str:
    named = ", ".join(str(number) for number in numbers[:MOST_LINES] if number)
    more = len(numbers) - MOST_LINES
    return f"{named} and {more} more" if more > 0 else named


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
