"""Requests while 100,000 old records are deleted, beside the same requests when they are gone."""

import tempfile
import time
from pathlib import Path

from bench import processes
from bench.figures import Row, median
from bench.http_load import Load, load, request_for
from bench.servers import zato_server
from bench.store import Store, done, reading

__all__ = ["purge_rows"]

RECORDS = 100_000
QUICK_RECORDS = 30_000
BATCH = 2_000
# Seconds: older than the retention that a server is shipped with.
AGE = 3 * 86_400.0
LIMIT = 120.0
RATIO = 1.5
SERVICES = {"zato.ping": request_for("zato.ping"), "def handle": request_for("bench.handle")}


def purge_rows(wrk: str, *, pairs: int, quick: bool) -> list[Row]:
    """Measure each pair on a new server with a copy of one prepared file."""
    during: dict[str, list[Load]] = {name: [] for name in SERVICES}
    after: dict[str, list[Load]] = {name: [] for name in SERVICES}
    took = []
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        file = Path(folder) / "old.db"
        _prepare(file, QUICK_RECORDS if quick else RECORDS)
        for _ in range(pairs):
            took.append(_pair(wrk, file, during, after, seconds=1 if quick else 3))
    return [
        *(_row(name, during[name], after[name]) for name in SERVICES),
        Row(name="deleting them, under that load", ours=f"{median(took):.1f} s"),
    ]


def _prepare(file: Path, records: int) -> None:
    store = Store(file, behind=AGE, batch=BATCH)
    for _ in range(0, records, BATCH):
        store.accept(BATCH)
        store.finish(store.lease(BATCH))
    store.close()


def _pair(wrk: str, file: Path, during: dict[str, list[Load]], after: dict[str, list[Load]], *, seconds: int) -> float:
    """Measure once with and once without, and return how many seconds the deletion took.

    Raises:
        RuntimeError: it was over before the requests.
    """
    with zato_server(store=file) as server, reading(server.store) as store:
        start = time.monotonic()
        load(wrk, server.port, SERVICES["zato.ping"], 1)
        for name, body in SERVICES.items():
            during[name].append(load(wrk, server.port, body, seconds))
        if not done(store):
            raise RuntimeError("The records were deleted before the requests were made")
        end = processes.wait_for(lambda: not done(store), LIMIT, "the end of the purge", step=0.05)
        for name, body in SERVICES.items():
            after[name].append(load(wrk, server.port, body, seconds))
        return end - start


def _row(name: str, during: list[Load], after: list[Load]) -> Row:
    ratio = median([one.p99 / other.p99 for one, other in zip(during, after, strict=True)])
    return Row(
        name=f"purge of 100,000 records: p99 of {name} during and after",
        ours=f"{median([one.p99 for one in during]) * 1000:.1f} ms",
        theirs=f"{median([one.p99 for one in after]) * 1000:.1f} ms",
        ratio=ratio,
        target=f"at most {RATIO:g} times that after",
        reached=ratio <= RATIO,
    )
