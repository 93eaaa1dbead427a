"""Accepting, leasing and recording in a file in which 1,000,000 calls wait, beside one in which none does."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bench.figures import Row, ratio_row
from bench.store import Store

__all__ = ["million_rows"]

WAITING = 1_000_000
QUICK_WAITING = 20_000
ROUND = 5_000
FILL_BATCH = 2_000
TARGETS = {"accept": 0.8, "lease": 0.8}

Result = TypeVar("Result")


def million_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure rounds on both files in turns."""
    waiting, calls = (QUICK_WAITING, 500) if quick else (WAITING, ROUND)
    rates: dict[str, tuple[list[float], list[float]]] = {"accept": ([], []), "lease": ([], []), "record": ([], [])}
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        full, empty = (Store(Path(folder) / name) for name in ("full.db", "empty.db"))
        print(f"Accepting {waiting:,} calls ...", file=sys.stderr)
        _fill(full, waiting)
        for _ in range(pairs):
            for side, store in enumerate((full, empty)):
                for what, rate in _round(store, calls).items():
                    rates[what][side].append(rate)
        full.close()
        empty.close()
    return [
        ratio_row(f"{what}, calls/s, while 1,000,000 wait, beside none", mine, other, "{:,.0f}", TARGETS.get(what))
        for what, (mine, other) in rates.items()
    ]


def _fill(store: Store, calls: int) -> None:
    usual, store.batch = store.batch, FILL_BATCH
    store.accept(calls)
    store.batch = usual


def _round(store: Store, calls: int) -> dict[str, float]:
    """Accept, lease and record as many calls, and return how many a second it were."""
    _, accepting = _timed(lambda: store.accept(calls))
    deliveries, leasing = _timed(lambda: store.lease(calls))
    _, recording = _timed(lambda: store.finish(deliveries))
    return {"accept": calls / accepting, "lease": calls / leasing, "record": calls / recording}


def _timed(work: Callable[[], Result]) -> tuple[Result, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start
