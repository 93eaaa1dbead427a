"""How soon an outcome that one worker process records reaches whoever waits for it at another one."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from bench.figures import Row, below, quantile
from bench.servers import ZatoServer, zato_server
from zato.client import AnyServiceInvoker

__all__ = ["wake_rows"]

LIMIT = 50.0
SECONDS = 0.02
WORKERS = (1, 2)


def wake_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure several times over."""
    calls = 20 if quick else 300
    with zato_server(workers=len(WORKERS)) as server:
        _woken(server, 20)
        runs = [_woken(server, calls) for _ in range(pairs)]
    what = "outcome made in another process, to the answer of a waiter"
    return [
        below(f"{what}, {name}", [quantile(run, share) for run in runs], "{:.1f} ms", LIMIT)
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _woken(server: ZatoServer, calls: int) -> list[float]:
    """Return how many ms after its end each call was known in the process that did not run it.

    Somebody waits in both processes, because either of them may run it.
    """
    with ExitStack() as opened:
        clients = [opened.enter_context(server.client_of(worker)) for worker in WORKERS]
        waiting = opened.enter_context(ThreadPoolExecutor(len(WORKERS)))
        pids = [server.workers()[worker] for worker in WORKERS]
        return [_once(clients, pids, waiting) for _ in range(calls)]


def _once(clients: Sequence[AnyServiceInvoker], pids: Sequence[int | None], waiting: ThreadPoolExecutor) -> float:
    cid = clients[0].invoke_async("bench.moment", {"seconds": SECONDS}).data
    answers = list(waiting.map(lambda client: _known(client, cid), clients))
    ((known, ended),) = (
        (known, ended["ended"]) for pid, (known, ended) in zip(pids, answers, strict=True) if pid != ended["pid"]
    )
    return 1000 * (known - float(ended))


def _known(client: AnyServiceInvoker, cid: str) -> tuple[float, dict[str, Any]]:
    """Wait for the outcome of a call, and return when it was known and what the service has returned."""
    record = client.invoke("zato.invocation.get", {"cid": cid, "wait": 10}).data
    return time.monotonic(), record["response"]
