"""Accepting, leasing and recording in a file in which 1,000,000 calls wait, beside one in which none does."""

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from bench.figures import Row, ratio_row
from bench.store import Store

__all__ = ["TARGETS", "beside_waiting", "million_rows"]

WAITING = 1_000_000
QUICK_WAITING = 20_000
ROUND = 5_000
FILL_BATCH = 2_000
TARGETS = {"accept": 0.8, "lease": 0.8}

Result = TypeVar("Result")


def million_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure rounds on both files in turns."""
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        full, empty = (Store(Path(folder) / name) for name in ("full.db", "empty.db"))
        rates = beside_waiting(full, empty, pairs=pairs, quick=quick)
        full.close()
        empty.close()
    return [
        ratio_row(f"{what}, calls/s, while 1,000,000 wait, beside none", mine, other, "{:,.0f}", TARGETS.get(what))
        for what, (mine, other) in rates.items()
    ]


def beside_waiting(
    full: Store, empty: Store, *, pairs: int, quick: bool
) -> Mapping[str, tuple[Sequence[float], Sequence[float]]]:
    """Fill one of two stores, and return how many calls a second each accepts, leases and records, in turns."""
    waiting, calls = (QUICK_WAITING, 500) if quick else (WAITING, ROUND)
    rates: dict[str, tuple[list[float], list[float]]] = {"accept": ([], []), "lease": ([], []), "record": ([], [])}
    print(f"Accepting {waiting:,} calls ...", file=sys.stderr)
    _fill(full, waiting)
    for _ in range(pairs):
        for side, store in enumerate((full, empty)):
            for what, rate in _round(store, calls).items():
                rates[what][side].append(rate)
    return rates


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
