"""Loading a thousand services, and what hooks, declared input and declared output cost a call."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import processes
from bench.figures import Row, below, median
from bench.servers import ROOT, ZatoServer, zato_server

__all__ = ["services_rows"]

SERVICES = 1000
LOAD_LIMIT = 2.0
DECLARED_LIMIT = 10.0
INPUT = {
    "name": "Jane Doe",
    "city": "Anytown",
    "note": "",
    "is_new": True,
    "order_count": 12,
    "age": 47,
    "vip": False,
    "rate": 1.5,
    "x": [1, 2],
    "y": None,
}
HEAD = "from zato.server.service import Service\n"
CLASS = """
class Number{number}(Service):
    def handle(self):
        return {number}
"""
# In a process of its own: what was imported once is not imported again. What a server has imported by then does not
# count, and its own imports are part of its start.
LOAD = """
import pathlib, sys, time
import zato.server.wiring
from zato.server.loader import Loading, load_folder
start = time.perf_counter()
loaded = load_folder(pathlib.Path(sys.argv[1]), Loading(limit=30.0))
seconds = time.perf_counter() - start
assert not loaded.errors, loaded.errors
print(len(loaded.services), seconds)
"""


def services_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Load services from many files and from few, start a server with them, and invoke some in turns."""
    return [
        below("1,000 services in 1,000 files, loaded in", _load_times(SERVICES, pairs), "{:.2f} s", LOAD_LIMIT),
        below("1,000 services in 10 files, loaded in", _load_times(10, pairs), "{:.2f} s", LOAD_LIMIT),
        *([] if quick else [_start_row("one file", 1), _start_row("1,000 files", SERVICES)]),
        *_call_rows(pairs=pairs, calls=2_000 if quick else 20_000),
    ]


def _start_row(what: str, files: int) -> Row:
    name = f"zato start with 1,000 services in {what}, to its first 200"
    return Row(name=name, ours=f"{median([_start_time(files) for _ in range(2)]):.2f} s")


def _write(folder: Path, files: int) -> None:
    """Write a thousand services, in some files."""
    each = SERVICES // files
    for file in range(files):
        classes = "".join(CLASS.format(number=number) for number in range(file * each, (file + 1) * each))
        (folder / f"file{file:04}.py").write_text(HEAD + classes)


def _load_times(files: int, times: int) -> list[float]:
    """Return the seconds in which new processes load a thousand services, each from files that were never loaded."""
    return [_load_time(files) for _ in range(times)]


def _load_time(files: int) -> float:
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        _write(Path(folder), files)
        command = [sys.executable, "-P", "-c", LOAD, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    services, seconds = done.stdout.split()
    if int(services) != SERVICES:
        raise RuntimeError(f"{services} of {SERVICES} services were loaded")
    return float(seconds)


def _start_time(files: int) -> float:
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        server = ZatoServer(Path(folder))
        _write(server.path / "services", files)
        began = time.monotonic()
        try:
            return server.start() - began
        finally:
            processes.end(server.process)


def _call_rows(*, pairs: int, calls: int) -> list[Row]:
    """Invoke services in turns, and tell what theirs takes more than one that has nothing."""
    times: dict[str, list[float]] = {name: [] for name in ("empty", "hooked", "undeclared", "declared")}
    with zato_server() as server:
        for _ in range(pairs):
            for name, values in times.items():
                given = INPUT if name.endswith("declared") else ""
                asked = {"n": calls, "target": f"bench.{name}", "payload": given}
                values.append(float(server.ask("bench.nested", asked)))
    more = [with_it - without for with_it, without in zip(times["declared"], times["undeclared"], strict=True)]
    return [
        Row(name="self.invoke of a service without hooks", ours=f"{median(times['empty']):.1f} us"),
        Row(name="self.invoke of a service with six empty hooks", ours=f"{median(times['hooked']):.1f} us"),
        below("declared input and output of ten elements each, more than without", more, "{:.1f} us", DECLARED_LIMIT),
    ]
