"""Durable calls, from being made to their recorded outcome: ours beside Python task queues, in turns."""

from collections.abc import Iterable, Sequence

from bench.figures import Row, Skipped, median, ratio_row
from bench.installation import PEERS, python_of, require_program
from bench.runs import WARM_UP, Broker, Run, from_clients, from_service, peer_run
from bench.servers import redis_server, zato_server

__all__ = ["MAIN", "PEER_CALLS", "WAYS", "durable_rows", "pythons_of"]

CELERY_RATIO = 8.0
FASTEST_RATIO = 1.3
PEER_CALLS = {"celery": 4000, "huey": 8000, "taskiq": 8000, "dramatiq": 8000}
CALLS = 20_000
QUICK_PEERS = ("huey",)

# What is compared with peers; the others are printed for orientation.
MAIN = "AsyncService, 128 in flight"
WAYS = {
    MAIN: ("bench.produce", "bench.job-async", 128),
    "AsyncService, 32 in flight": ("bench.produce", "bench.job-async", 32),
    "128 in flight, target blocks": ("bench.produce", "bench.job", 128),
    "blocking service, one at a time": ("bench.produce-blocking", "bench.job-async", 1),
}
CLIENTS = "64 HTTP clients"
# What is repeated with two workers: their name, and that of the same with one.
ON_TWO = {f"{name}, two workers": name for name in (MAIN, "128 in flight, target blocks", CLIENTS)}


def durable_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure every way of making calls, and every peer that is there."""
    install = not quick
    program = require_program("redis-server", install=install)
    wrk = require_program("wrk", install=install)
    pythons, skipped = pythons_of(QUICK_PEERS if quick else PEERS, install=install)
    runs: dict[str, list[Run]] = {}
    with redis_server(program) as (port, pid):
        redis = Broker(port, pid)
        for _ in range(pairs):
            for name, run in _ours(redis, wrk, quick=quick).items():
                runs.setdefault(name, []).append(run)
            for peer, python in pythons.items():
                calls = WARM_UP if quick else PEER_CALLS[peer]
                runs.setdefault(peer, []).append(peer_run(peer, python, redis, calls))
        redis.close()
    return [*_rows(runs, [peer for peer in PEERS if peer in runs]), *skipped]


def pythons_of(peers: Iterable[str], *, install: bool) -> tuple[dict[str, str], list[Row]]:
    pythons, skipped = {}, []
    for peer in peers:
        try:
            pythons[peer] = python_of(peer, install=install)
        except Skipped as reason:
            skipped.append(Row(name=f"durable: {peer}", ours=f"skipped: {reason}"))
    return pythons, skipped


def _ours(redis: Broker, wrk: str, *, quick: bool) -> dict[str, Run]:
    runs = _on(1, [*WAYS, CLIENTS], redis, wrk, quick=quick)
    repeated = {name: way for name, way in ON_TWO.items() if way == MAIN or not quick}
    on_two = _on(2, list(repeated.values()), redis, wrk, quick=quick)
    return runs | {name: on_two[way] for name, way in repeated.items()}


def _on(workers: int, names: Sequence[str], redis: Broker, wrk: str, *, quick: bool) -> dict[str, Run]:
    calls, seconds = (200, 1) if quick else (CALLS, 2)
    redis.reset()
    runs = {}
    with zato_server(redis.port, workers=workers) as server:
        for name in names:
            if name == CLIENTS:
                runs[name] = from_clients(server, redis, wrk, seconds, target="bench.job-async")
                continue
            producer, target, in_flight = WAYS[name]
            for count in (calls,) if quick else (WARM_UP, calls):
                runs[name] = from_service(server, redis, count, producer=producer, target=target, in_flight=in_flight)
    return runs


def _rows(runs: dict[str, list[Run]], peers: Sequence[str]) -> list[Row]:
    rows = []
    if "celery" in peers:
        rows.append(_rate_row("durable calls/s, beside Celery", runs[MAIN], runs["celery"], CELERY_RATIO))
    if peers:
        fastest = max(peers, key=lambda peer: median(_rates(runs[peer])))
        rows.append(
            _rate_row(f"durable calls/s, beside the fastest ({fastest})", runs[MAIN], runs[fastest], FASTEST_RATIO)
        )
    if "huey" in peers:
        rows.append(_cpu_row("CPU s for 1,000 durable calls, beside huey", runs[MAIN], runs["huey"]))
    rows += [
        ratio_row(f"durable calls/s, two workers beside one: {way}", _rates(runs[name]), _rates(runs[way]), "{:,.0f}")
        for name, way in ON_TWO.items()
        if name in runs
    ]
    return [*rows, *(_plain_row(name, some, ours=name not in peers) for name, some in runs.items())]


def _plain_row(name: str, runs: Sequence[Run], *, ours: bool) -> Row:
    rate, cpu = median(_rates(runs)), median([run.cpu_per_1000 for run in runs])
    shown = f"{rate:,.0f}/s, {cpu:.3f} s CPU"
    return Row(name=f"durable: {name}", ours=shown if ours else "", theirs="" if ours else shown)


def _rates(runs: Sequence[Run]) -> list[float]:
    return [run.rate for run in runs]


def _rate_row(name: str, ours: Sequence[Run], theirs: Sequence[Run], target: float) -> Row:
    return ratio_row(name, _rates(ours), _rates(theirs), "{:,.0f}", target)


def _cpu_row(name: str, ours: Sequence[Run], theirs: Sequence[Run]) -> Row:
    mine, other = ([run.cpu_per_1000 for run in runs] for runs in (ours, theirs))
    ratio = median([one / two for one, two in zip(mine, other, strict=True)])
    return Row(
        name=name,
        ours=f"{median(mine):.3f}",
        theirs=f"{median(other):.3f}",
        ratio=ratio,
        target="under theirs",
        reached=ratio < 1,
    )
