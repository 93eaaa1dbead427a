"""`kill -9` of a whole server, and of one of its two workers: how soon what was interrupted goes on."""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from bench import processes
from bench.figures import Row, below
from bench.marks import Mark, interrupted, make_sleepers, marks_of
from bench.servers import ZatoServer, get_status
from bench.store import done, is_pending, reading

__all__ = ["death_rows", "longest_gap"]

LIMIT = 60.0
# Seconds.
SOON = 2.0
SLOTS = 32
SLEEPERS = 400
NAP = 0.3
WATCHED = 3.0
KNOCK_EVERY = 0.005
S = "{:.2f} s"


def death_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure both several times over."""
    again: dict[int, list[float]] = {1: []} if quick else {1: [], 2: []}
    survivals: list[dict[str, float]] = []
    for _ in range(pairs):
        for workers, seconds in again.items():
            seconds.append(_kill_all(workers))
        survivals.append(_kill_one(SLEEPERS // 4, 0.5) if quick else _kill_one(SLEEPERS, WATCHED))
    return [
        *(
            below(f"kill -9 of all {_named(workers)}, start: first interrupted call, after readiness", seconds, S, SOON)
            for workers, seconds in again.items()
        ),
        *(
            below(f"kill -9 of one of two workers: {name}", [each[name] for each in survivals], S, SOON)
            for name in survivals[0]
        ),
    ]


def _named(workers: int) -> str:
    return "of one worker" if workers == 1 else "of two workers"


def _kill_all(workers: int) -> float:
    """Return the seconds from the second start's readiness to the first call run again; before it is 0."""
    with _server(workers) as (server, file):
        make_sleepers(server, file, workers * SLOTS + 10, seconds=60)
        processes.wait_for(lambda: len(marks_of(file)) >= workers * SLOTS, LIMIT, "the calls to run")
        server.kill()
        ready = server.start()
        processes.wait_for(lambda: bool(interrupted(marks_of(file))), LIMIT, "a call to run again")
        return max(0.0, interrupted(marks_of(file))[0].time - ready)


def _kill_one(calls: int, watched: float) -> dict[str, float]:
    """Return how many seconds after the death of a worker things went on.

    Args:
        calls: how many there are to run.
        watched: seconds, the least time to look for after the death.

    Raises:
        RuntimeError: a call was lost.
    """
    with _server(2) as (server, file), reading(server.store) as store:
        make_sleepers(server, file, calls, seconds=NAP)
        processes.wait_for(lambda: len({mark.pid for mark in marks_of(file)}) == 2, LIMIT, "both workers to run calls")
        victim, other = (pid for pid in server.workers().values() if pid is not None)
        with _knocking(server.port) as answers:
            os.kill(victim, signal.SIGKILL)
            died = time.monotonic()
            replaced = processes.wait_for(_is_replaced(server, victim), LIMIT, "a replacement") - died
            processes.wait_for(lambda: not is_pending(store), LIMIT, "an outcome of every call")
            time.sleep(max(0.0, died + watched - time.monotonic()))
        if done(store) != calls:
            raise RuntimeError(f"{calls} calls were accepted, {done(store)} are done")
        return {
            "longest time without an answer": longest_gap(answers, since=died),
            "the other starts a call, after": _first(marks_of(file), other, died) - died,
            "all interrupted calls run again, after": max(mark.time for mark in interrupted(marks_of(file))) - died,
            "there are two again, after": replaced,
        }


@contextmanager
def _server(workers: int) -> Iterator[tuple[ZatoServer, Path]]:
    """Run a server, and give it with the file that calls note themselves in. Kill it at the end."""
    with tempfile.TemporaryDirectory(prefix="zato-bench-") as folder:
        server = ZatoServer(Path(folder), workers=workers)
        server.start()
        try:
            yield server, Path(folder) / "marks.txt"
        finally:
            server.kill()


@contextmanager
def _knocking(port: int) -> Iterator[list[float]]:
    """Ask for readiness all the time, each time on a new connection, and give the times of the answers."""
    answers: list[float] = []
    over = threading.Event()

    def knock() -> None:
        while not over.wait(KNOCK_EVERY):
            if get_status(port, "/zato/ready") == 200:
                answers.append(time.monotonic())

    thread = threading.Thread(target=knock)
    thread.start()
    try:
        processes.wait_for(lambda: len(answers) > 1, LIMIT, "an answer")
        yield answers
    finally:
        over.set()
        thread.join()


def _is_replaced(server: ZatoServer, victim: int) -> Callable[[], bool]:
    def is_replaced() -> bool:
        pids = server.workers().values()
        return victim not in pids and len(pids) == 2 and None not in pids

    return is_replaced


def longest_gap(answers: Sequence[float], since: float) -> float:
    """Return the longest time between two answers of which the second one came after a moment."""
    return max(after - before for before, after in pairwise(answers) if after > since)


def _first(marks: list[Mark], pid: int, since: float) -> float:
    return min(mark.time for mark in marks if mark.pid == pid and mark.time > since)
