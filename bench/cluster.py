"""Servers that share a Redis: what they do together, what a million waiting calls cost, and who takes over."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import processes
from bench.durable import MAIN, WAYS
from bench.figures import Row, below, quantile, ratio_row
from bench.installation import require_program
from bench.marks import interrupted, make_sleepers, marks_of
from bench.million import TARGETS, beside_waiting
from bench.runs import WARM_UP, Broker, Run, from_services
from bench.servers import ZatoServer, redis_server, zato_cluster
from bench.store import Store, outcomes
from bench.work import Redis
from zato.broker.open import Location
from zato.core.settings import Settings

__all__ = ["cluster_rows"]

LIMIT = 90.0
CALLS = 10_000
SERVERS = (1, 2, 4)
QUICK_SERVERS = (1,)
PACE, PACED = 50, 250
SLEEPERS, NAP = 200, 0.5
QUICK_LEASE = 2.0
# Seconds that the others may take once a lease has ended.
NOTICED = 1.0
MS = "{:.2f} ms"
BESIDE = "while 1,000,000 wait, beside none"


def cluster_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure several times over, with a Redis that syncs once a second."""
    program = require_program("redis-server", install=not quick)
    with redis_server(program) as (port, pid):
        redis = Broker(port, pid)
        rows = [
            *_rates(redis, pairs=pairs, quick=quick),
            *_latencies(redis, pairs=pairs, quick=quick),
            *_take_overs(redis, pairs=pairs, quick=quick),
            *_waiting(redis, pairs=pairs, quick=quick),
        ]
        redis.close()
    return rows


def _rates(redis: Broker, *, pairs: int, quick: bool) -> list[Row]:
    producer, target, in_flight = WAYS[MAIN]
    runs: dict[int, list[Run]] = {servers: [] for servers in (QUICK_SERVERS if quick else SERVERS)}
    for _ in range(pairs):
        for servers, some in runs.items():
            redis.reset()
            with zato_cluster(redis.port, servers) as running:
                made = [
                    from_services(running, redis, calls, producer=producer, target=target, in_flight=in_flight)
                    for calls in ((WARM_UP,) if quick else (WARM_UP, CALLS))
                ]
                some.append(made[-1])
    return _rate_rows(runs)


def _rate_rows(runs: Mapping[int, Sequence[Run]]) -> list[Row]:
    rates = {servers: [run.rate for run in some] for servers, some in runs.items()}
    rows = [
        ratio_row(f"Redis, durable calls/s: {servers} servers beside one", rates[servers], rates[1], "{:,.0f}")
        for servers in rates
        if servers > 1
    ]
    for servers, some in runs.items():
        rate, cpu = quantile(rates[servers], 0.5), quantile([run.cpu_per_1000 for run in some], 0.5)
        rows.append(Row(name=f"Redis, durable: {_named(servers)}", ours=f"{rate:,.0f}/s, {cpu:.3f} s CPU"))
    return rows


def _named(servers: int) -> str:
    return "one server" if servers == 1 else f"{servers} servers"


def _latencies(redis: Broker, *, pairs: int, quick: bool) -> list[Row]:
    redis.reset()
    with zato_cluster(redis.port, 1) as (server,):
        _started(server, 10)
        runs = [_started(server, 20 if quick else PACED) for _ in range(pairs)]
    return [
        Row(
            name=f"Redis, idle invoke_async to first line, {name}",
            ours=MS.format(quantile([quantile(run, share) for run in runs], 0.5)),
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _started(server: ZatoServer, calls: int) -> list[float]:
    """Return in how many ms each of some calls started."""
    cids = server.ask("bench.paced", {"n": calls, "rate": PACE})
    with server.client() as client:
        return [1000 * float(client.result(cid, wait=LIMIT).data) for cid in cids]


def _take_overs(redis: Broker, *, pairs: int, quick: bool) -> list[Row]:
    lease = QUICK_LEASE if quick else Settings().lease
    seconds = [_taken_over(redis, lease, SLEEPERS // 2 if quick else SLEEPERS) for _ in range(pairs)]
    name = "Redis, kill -9 of one of two servers: all it ran is run again, after"
    return [below(name, seconds, "{:.2f} s", lease + NOTICED, of=max)]


def _taken_over(redis: Broker, lease: float, calls: int) -> float:
    """Return the seconds from the death of a server to the moment when the other has begun all that it ran.

    Raises:
        RuntimeError: a call was lost.
    """
    redis.reset()
    with zato_cluster(redis.port, 2, settings={"lease": lease}) as (victim, other), outcomes(other) as store:
        file = Path(victim.path.parent, "marks.txt")
        make_sleepers(other, file, calls, seconds=NAP)
        theirs = set(victim.workers().values())
        processes.wait_for(lambda: any(mark.pid in theirs for mark in marks_of(file)), LIMIT, "both to run calls")
        victim.kill()
        died = time.monotonic()
        processes.wait_for(lambda: not store.is_pending(), LIMIT, "an outcome of every call")
        if store.done() != calls:
            raise RuntimeError(f"{calls} calls were accepted, {store.done()} are done")
        return max((mark.time for mark in interrupted(marks_of(file))), default=died) - died


def _waiting(redis: Broker, *, pairs: int, quick: bool) -> list[Row]:
    redis.reset()
    url, nowhere = f"redis://127.0.0.1:{redis.port}/0", Path(os.devnull)
    full, empty = (Store(Location(url, nowhere, cluster=name)) for name in ("full", "empty"))
    rates = beside_waiting(full, empty, pairs=pairs, quick=quick)
    used = _memory(redis.port)
    full.close()
    empty.close()
    return [
        *(
            ratio_row(
                f"Redis, {what}, calls/s, while 1,000,000 wait, beside none", mine, other, "{:,.0f}", TARGETS.get(what)
            )
            for what, (mine, other) in rates.items()
        ),
        Row(name="Redis, memory with 1,000,000 waiting calls", ours=f"{used / 2**20:,.0f} MB"),
    ]


def _memory(port: int) -> int:
    """Return the bytes that Redis has in use."""
    redis = Redis(port)
    reply = redis.ask("EVAL", "return tonumber(redis.call('INFO', 'memory'):match('used_memory:(%d+)'))", 0)
    redis.close()
    return int(reply[1:])
