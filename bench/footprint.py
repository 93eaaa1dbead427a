"""Start, memory, the client's import, and one call from the command line."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import processes
from bench.figures import Row, Skipped, below
from bench.http_load import load, request_for
from bench.installation import require_program
from bench.servers import ZATO, ZatoServer, zato_server

__all__ = ["footprint_rows"]

IMPORT = "import time; start = time.perf_counter(); import zato.client; print(time.perf_counter() - start)"
MIXED_CALLS = 5_000
MEMORY_LIMIT = 80.0


def footprint_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure everything in turns, except memory, which does not vary."""
    starts: dict[int, list[float]] = {1: [], 2: []}
    imports, commands, helps = [], [], []
    for _ in range(pairs):
        for workers, seconds in starts.items():
            seconds.append(_start_time(workers))
        imports.append(_import_time())
        helps.append(_command_time("--help"))
    with zato_server() as server:
        for _ in range(pairs):
            commands.append(_command_time("service", "invoke", str(server.path), "zato.ping"))
    return [
        below("zato start to its first 200", starts[1], "{:.2f} s", 1.0),
        below("the same, two workers", starts[2], "{:.2f} s", 1.0),
        *_memory_rows(quick=quick),
        below("import zato.client", imports, "{:.0f} ms", 150.0),
        below("zato service invoke zato.ping, to its end", commands, "{:.2f} s", 0.5),
        below("zato --help, to its end", helps, "{:.2f} s", 0.2),
    ]


def _start_time(workers: int) -> float:
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        server = ZatoServer(Path(folder), workers=workers)
        began = time.monotonic()
        try:
            return server.start() - began
        finally:
            server.kill()


def _memory_rows(*, quick: bool) -> list[Row]:
    name = "PSS of the process tree after 10,000 calls, half of them durable"
    try:
        wrk = require_program("wrk", install=not quick)
    except Skipped as reason:
        return [Row(name=name, ours=f"skipped: {reason}")]
    rows = [below(name, [_memory(wrk, 1, quick=quick)], "{:.0f} MB", MEMORY_LIMIT)]
    if not quick:
        rows.append(Row(name="the same, two workers", ours=f"{_memory(wrk, 2, quick=quick):.0f} MB"))
    return rows


def _memory(wrk: str, workers: int, *, quick: bool) -> float:
    calls = 200 if quick else MIXED_CALLS
    with zato_server(workers=workers) as server:
        server.ask("bench.produce", {"n": calls, "in_flight": 32, "target": "bench.empty"})
        made = 0
        while made < calls:
            made += load(wrk, server.port, request_for("bench.handle"), 1).requests
        return processes.pss(server.process.pid)


def _import_time() -> float:
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    return float(done.stdout) * 1000


def _command_time(*arguments: str) -> float:
    start = time.monotonic()
    subprocess.run([ZATO, *arguments], check=True, capture_output=True)
    return time.monotonic() - start
