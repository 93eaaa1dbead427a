"""Start, `kill -9` and start again, memory, the client's import, and one call from the command line."""

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
INTERRUPTED = 32
ACCEPTED = 50
MIXED_CALLS = 5_000


def footprint_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure everything in turns, except memory, which does not vary."""
    starts, restarts, imports, commands = [], [], [], []
    for _ in range(pairs):
        start, again = _start_and_kill()
        starts.append(start)
        restarts.append(again)
        imports.append(_import_time())
    with zato_server() as server:
        for _ in range(pairs):
            commands.append(_command_time(server))
    return [
        below("zato start to its first 200", starts, "{:.2f} s", 1.0),
        below("kill -9, start: first interrupted call again, after readiness", restarts, "{:.2f} s", 2.0),
        _memory_row(quick=quick),
        below("import zato.client", imports, "{:.0f} ms", 150.0),
        below("zato service invoke zato.ping, to its end", commands, "{:.2f} s", 0.5),
    ]


def _start_and_kill() -> tuple[float, float]:
    """Return the seconds a start takes, and those from a second one's readiness to the first call run again.

    A call that runs again before readiness counts as 0.
    """
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        marks = Path(folder) / "marks.txt"
        server = ZatoServer(Path(folder))
        try:
            began = time.monotonic()
            start = server.start() - began
            _make_sleepers(server, marks)
            processes.wait_for(lambda: len(_marks(marks)) >= INTERRUPTED, 30, "the calls to run")
            server.kill()
            before = len(_marks(marks))
            ready = server.start()
            processes.wait_for(lambda: len(_marks(marks)) > before, 30, "a call to run again")
        finally:
            server.kill()
        return start, max(0.0, _marks(marks)[before] - ready)


def _make_sleepers(server: ZatoServer, marks: Path) -> None:
    with server.client() as client:
        for number in range(ACCEPTED):
            client.invoke_async("bench.sleep", {"file": str(marks), "id": number, "seconds": 60})


def _marks(file: Path) -> list[float]:
    """Return when calls began, in the order in which they did."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [float(line.split()[1]) for line in lines]


def _memory_row(*, quick: bool) -> Row:
    name = "PSS of the server after 10,000 calls, half of them durable"
    try:
        wrk = require_program("wrk", install=not quick)
    except Skipped as reason:
        return Row(name=name, ours=f"skipped: {reason}")
    calls = 200 if quick else MIXED_CALLS
    with zato_server() as server:
        with server.client() as client:
            made_durably = client.invoke("bench.produce", {"n": calls, "in_flight": 32, "target": "bench.empty"})
        if not made_durably.ok:
            raise RuntimeError(f"bench.produce failed: {made_durably.details}")
        made = 0
        while made < calls:
            made += load(wrk, server.port, request_for("bench.handle"), 1).requests
        return below(name, [processes.pss(server.process.pid)], "{:.0f} MB", 80.0)


def _import_time() -> float:
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    return float(done.stdout) * 1000


def _command_time(server: ZatoServer) -> float:
    start = time.monotonic()
    subprocess.run([ZATO, "service", "invoke", str(server.path), "zato.ping"], check=True, capture_output=True)
    return time.monotonic() - start
