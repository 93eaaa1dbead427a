"""How soon a call is accepted while every worker has all of its background slots full."""

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import processes
from bench.figures import Row, below, median
from bench.http_load import load, request_for
from bench.servers import ZatoServer, zato_server
from bench.store import reading

__all__ = ["busy_rows"]

LIMIT = 60.0
P99_LIMIT = 25.0
WORKERS, SLOTS = 2, 32
CONNECTIONS = 8
ACCEPT = request_for("bench.empty", is_async=True)
# Seconds in turns.
BLOCKS = {"compute": 0.0, "block": 0.1}
COMPUTES = {"compute": 1.0, "block": 0.0}
RUNNING = "SELECT count(*) FROM pending WHERE token IS NOT NULL"


def busy_rows(wrk: str, *, pairs: int, quick: bool) -> list[Row]:
    """Measure several times over: with services that block, and with one in each process that only computes."""
    rows = []
    for computing in (1,) if quick else (0, 1):
        loads = []
        with _full_server(computing) as server:
            load(wrk, server.port, ACCEPT, 1, connections=CONNECTIONS)
            for _ in range(pairs):
                loads.append(load(wrk, server.port, ACCEPT, 1 if quick else 3, connections=CONNECTIONS))
        what = f"accepting while every slot blocks{' and a thread of each process computes' * computing}"
        p50, rate = median([each.p50 for each in loads]) * 1000, median([each.rate for each in loads])
        rows += [
            below(f"{what}, p99", [1000 * each.p99 for each in loads], "{:.1f} ms", P99_LIMIT),
            Row(name=f"{what}, p50", ours=f"{p50:.1f} ms, {rate:,.0f}/s"),
        ]
    return rows


@contextmanager
def _full_server(computing: int) -> Iterator[ZatoServer]:
    """Run a server all of whose background slots are taken, and so many threads of each process compute."""
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder, zato_server(workers=WORKERS) as server:
        until = Path(folder) / "end"
        threads = [
            threading.Thread(target=_invoke, args=(server, worker, {**COMPUTES, "until": str(until)}))
            for worker in range(1, WORKERS + 1)
            for _ in range(computing)
        ]
        try:
            _fill(server, {**BLOCKS, "until": str(until)})
            for thread in threads:
                thread.start()
            yield server
        finally:
            until.touch()
            for thread in threads:
                if thread.is_alive():
                    thread.join()


def _fill(server: ZatoServer, busy: dict[str, Any]) -> None:
    """Make calls until every slot of every worker runs one."""
    full = WORKERS * SLOTS
    with server.client() as client:
        for _ in range(full):
            client.invoke_async("bench.busy", busy)
    with reading(server.store) as store:
        processes.wait_for(lambda: store.execute(RUNNING).get == full, LIMIT, "every slot to be taken", step=0.05)


def _invoke(server: ZatoServer, worker: int, busy: dict[str, Any]) -> None:
    with server.client_of(worker) as client:
        client.invoke("bench.busy", busy)
