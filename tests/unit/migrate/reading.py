"""What the check finds in files that a test writes."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from zato.migrate.report import Report, check

__all__ = ["Found", "found_in", "in_handle", "report_on"]

Found = list[tuple[int, str, str]]

SERVICE = "from zato.server.service import Service\nclass A(Service):\n    def handle(self):\n"


def report_on(folder: Path, files: Mapping[str, str]) -> Report:
    """Write files into a folder, and check it."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), "utf-8")
    return check(folder)


def found_in(folder: Path, text: str) -> Found:
    """Return line, severity and name of everything that is found in one file."""
    [checked] = report_on(folder, {"crm.py": text}).files
    return [(finding.line, finding.severity.value, finding.what) for finding in checked.findings]


def in_handle(folder: Path, *lines: str) -> Found:
    """Return what is found in the `handle` of a service, whose first line is counted as 1."""
    text = SERVICE + "".join(f"        {line}\n" for line in lines)
    return [(line - 3, severity, what) for line, severity, what in found_in(folder, text)]
