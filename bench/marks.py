"""The file in which `bench.sleep` notes that a call runs: which one, when, and in which process."""

from dataclasses import dataclass
from pathlib import Path

from bench.servers import ZatoServer

__all__ = ["Mark", "interrupted", "make_sleepers", "marks_of"]


@dataclass(frozen=True, slots=True)
class Mark:
    """That a call began.

    Attributes:
        call: its number.
        time: monotonic.
        pid: the process that ran it.
    """

    call: int
    time: float
    pid: int


def make_sleepers(server: ZatoServer, file: Path, calls: int, *, seconds: float) -> None:
    """Accept a number of calls that note in a file that they run, and then block for some seconds."""
    with server.client() as client:
        for number in range(calls):
            accepted = client.invoke_async("bench.sleep", {"file": str(file), "id": number, "seconds": seconds})
            if not accepted.ok:
                raise RuntimeError(f"bench.sleep was not accepted: {accepted.details}")


def marks_of(file: Path) -> list[Mark]:
    """Return what has begun so far, in that order."""
    lines = file.read_text().splitlines() if file.exists() else []
    parts = (line.split() for line in lines)
    return [Mark(int(call), float(time), int(pid)) for call, time, pid in parts]


def interrupted(marks: list[Mark]) -> list[Mark]:
    """Return the marks of calls that had begun before."""
    seen: set[int] = set()
    again = []
    for mark in marks:
        if mark.call in seen:
            again.append(mark)
        seen.add(mark.call)
    return again
