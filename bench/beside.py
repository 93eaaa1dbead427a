"""Celery, dramatiq and taskiq beside us on the same work and the same Redis: `make bench BENCH='--only peers'`.

One server of ours with one worker process, the peers with two, as each comes.
"""

from collections.abc import Sequence

from bench.durable import MAIN, PEER_CALLS, WAYS, pythons_of
from bench.figures import Row, median, ratio_row
from bench.installation import require_program
from bench.runs import WARM_UP, Broker, Run, from_clients, from_service, peer_run
from bench.servers import ZatoServer, redis_server, zato_cluster, zato_server

__all__ = ["peers_rows"]

PEERS = ("celery", "dramatiq", "taskiq")
QUICK_PEERS = ("dramatiq",)
CALLS = 10_000
SECONDS = 2
ON_REDIS, EMBEDDED = "Redis, from a service", "embedded, from a service"


def peers_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure ours and each peer that is there, in turns."""
    program, wrk = (require_program(name, install=not quick) for name in ("redis-server", "wrk"))
    pythons, skipped = pythons_of(QUICK_PEERS if quick else PEERS, install=not quick)
    runs: dict[str, list[Run]] = {}
    with redis_server(program) as (port, pid):
        redis = Broker(port, pid)
        for _ in range(pairs):
            found = _ours(redis, wrk, quick=quick)
            for peer, python in pythons.items():
                found[peer] = peer_run(peer, python, redis, WARM_UP if quick else PEER_CALLS[peer])
            for name, run in found.items():
                runs.setdefault(name, []).append(run)
        redis.close()
    return [*_rows(runs, list(pythons)), *skipped]


def _ours(redis: Broker, wrk: str, *, quick: bool) -> dict[str, Run]:
    redis.reset()
    with zato_cluster(redis.port, 1) as (server,):
        runs = _both_ways("Redis", server, redis, wrk, quick=quick)
    if quick:
        return runs
    redis.reset()
    with zato_server(redis.port) as server:
        return runs | _both_ways("embedded", server, redis, wrk, quick=quick)


def _both_ways(broker: str, server: ZatoServer, redis: Broker, wrk: str, *, quick: bool) -> dict[str, Run]:
    producer, target, in_flight = WAYS[MAIN]
    inside = [
        from_service(server, redis, calls, producer=producer, target=target, in_flight=in_flight)
        for calls in ((WARM_UP,) if quick else (WARM_UP, CALLS))
    ]
    outside = from_clients(server, redis, wrk, 1 if quick else SECONDS, target=target)
    return {f"{broker}, from a service": inside[-1], f"{broker}, from 64 HTTP clients": outside}


def _rows(runs: dict[str, list[Run]], peers: Sequence[str]) -> list[Row]:
    rows = [
        ratio_row(f"{what}, {ours}, beside {peer}", figures(runs[ours]), figures(runs[peer]), show)
        for peer in peers
        for ours in (ON_REDIS, EMBEDDED)
        if ours in runs
        for what, figures, show in (("calls/s", _rates, "{:,.0f}"), ("CPU s for 1,000 calls", _cpu, "{:.3f}"))
    ]
    for name, some in runs.items():
        shown = f"{median(_rates(some)):,.0f}/s, {median(_cpu(some)):.3f} s CPU"
        theirs = name in peers
        rows.append(Row(name=f"side by side: {name}", ours="" if theirs else shown, theirs=shown if theirs else ""))
    return rows


def _rates(runs: Sequence[Run]) -> list[float]:
    return [run.rate for run in runs]


def _cpu(runs: Sequence[Run]) -> list[float]:
    return [run.cpu_per_1000 for run in runs]
