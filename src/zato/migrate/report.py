"""The check as a whole: files are read, their classes are brought together, and each file is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zato.migrate.findings import Checked, Finding, Severity
from zato.migrate.leftovers import divisions_of, leftovers_of
from zato.migrate.modules import Module
from zato.migrate.services import Family, name_findings
from zato.migrate.sources import Source, files_below, source_of
from zato.migrate.syntax import read
from zato.migrate.uses import findings_of, works_of

__all__ = ["Report", "check"]


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a folder."""

    files: tuple[Checked, ...]

    @property
    def ok(self) -> bool:
        """Whether every file can run here as it is."""
        return not (self.count(Severity.MISSING) or self.count(Severity.PYTHON))

    def count(self, severity: Severity) -> int:
        """Return how many findings are of a severity."""
        return sum(1 for file in self.files for _ in file.of(severity))

    @property
    def services(self) -> int:
        """How many services the files define."""
        return sum(len(file.services) for file in self.files)

    def described(self) -> dict[str, Any]:
        """Return the report in the form of JSON."""
        return {
            "ok": self.ok,
            "services": self.services,
            **{severity.value: self.count(severity) for severity in Severity},
            "files": [_described(file) for file in self.files],
        }


def _described(checked: Checked) -> dict[str, Any]:
    return {
        "file": str(checked.file),
        "services": [
            {"name": service.name or None, "class": service.class_name, "line": service.line}
            for service in checked.services
        ],
        "works": list(checked.works),
        "findings": [
            {
                "line": finding.line or None,
                "severity": finding.severity.value,
                "what": finding.what,
                "remedy": finding.remedy,
            }
            for finding in checked.findings
        ],
    }


def check(path: Path) -> Report:
    """Read a folder of services, or one file, and say of each file what works here and what does not.

    Nothing of it is run or imported, and nothing is written.
    """
    top = path if path.is_dir() else path.parent
    reads = [_read(source_of(file), top) for file in files_below(path)]
    family = Family.of(module for module, _ in reads)
    taken: dict[str, str] = {}
    return Report(tuple(_checked(module, findings, family, taken) for module, findings in reads))


def _read(source: Source, top: Path) -> tuple[Module, Sequence[Finding]]:
    tree, findings = read(source.text)
    module = Module(source.file, tree, is_top=source.file.parent == top, text=source.text)
    return module, [*source.findings, *findings]


def _checked(module: Module, findings: Sequence[Finding], family: Family, taken: dict[str, str]) -> Checked:
    found = {*findings, *name_findings(module, family, taken), *findings_of(module, family), *leftovers_of(module)}
    if any(finding.severity is Severity.PYTHON for finding in found):
        found |= set(divisions_of(module))
    services = tuple(service for _, service in family.deployed(module))
    return Checked(module.file, services, tuple(sorted({*works_of(module, family)})), tuple(sorted(found)))
