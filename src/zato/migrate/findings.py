"""What the check says of a file: services it defines, what works in it, and what does not."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

__all__ = ["Checked", "Finding", "Rule", "Service", "Severity"]


class Severity(StrEnum):
    """How bad it is."""

    CHANGED = "changed"
    """It runs, and does something else than it did."""
    MISSING = "missing"
    """It does not run until something is done."""
    PYTHON = "python"
    """It does not run on the Python of this server: it was written for an older one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is looked for, and what to do about it.

    Attributes:
        remedy: what to do, in sentences.
    """

    severity: Severity
    remedy: str

    def at(self, line: int, what: str) -> "Finding":
        """Return the finding of this rule at a line of a file."""
        return Finding(line, self.severity, what, self.remedy)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is not as it was.

    Attributes:
        line: counted from 1; 0 for what is no matter of one line.
        what: as it stands in the file, or what it is.
        remedy: what to do, in sentences.
    """

    line: int
    severity: Severity
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service that a file defines.

    Attributes:
        name: what it is deployed under here, or an empty text if only running the file would tell.
        line: where its class begins.
    """

    name: str
    class_name: str
    line: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of one file.

    Attributes:
        works: what the file uses of the server that is here, by name.
        findings: by line.
    """

    file: Path
    services: tuple[Service, ...]
    works: tuple[str, ...]
    findings: tuple[Finding, ...]

    def of(self, severity: Severity) -> Iterator[Finding]:
        """Yield the findings of one severity."""
        return (finding for finding in self.findings if finding.severity is severity)
