"""What happens inside a server: `self.invoke`, and how soon a background call starts on an idle one."""

from bench import processes
from bench.figures import Row, below, quantile
from bench.servers import ZatoServer, zato_server
from bench.store import is_pending, reading, responses

__all__ = ["inside_rows"]

NESTED_LIMIT = 10.0
P50_LIMIT, P99_LIMIT = 1.5, 6.0
PACE = 50
LIMIT = 30.0


def inside_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure both, several times over, the second one on two workers too."""
    loops, calls = (2_000, 25) if quick else (50_000, 500)
    nested: list[float] = []
    started: dict[str, list[list[float]]] = {"": [], ", two workers": []}
    with zato_server() as one, zato_server(workers=2) as two:
        for server in (one, two):
            server.ask("bench.nested", {"n": 1000})
            _started(server, 10)
        for _ in range(pairs):
            nested.append(float(one.ask("bench.nested", {"n": loops})))
        for _ in range(1 if quick else max(1, pairs // 2)):
            for name, server in zip(started, (one, two), strict=True):
                started[name].append(_started(server, calls))
    return [
        below("self.invoke of an empty service", nested, "{:.1f} us", NESTED_LIMIT),
        *(row for name, runs in started.items() for row in _idle_rows(name, runs)),
    ]


def _idle_rows(name: str, runs: list[list[float]]) -> list[Row]:
    what = f"idle{name}: invoke_async to first line"
    return [
        below(f"{what}, {shown}", [quantile(run, share) for run in runs], "{:.2f} ms", limit)
        for shown, share, limit in (("p50", 0.5, P50_LIMIT), ("p99", 0.99, P99_LIMIT))
    ]


def _started(server: ZatoServer, calls: int) -> list[float]:
    """Return in how many ms each of some calls started, in whichever process."""
    with reading(server.store) as store:
        before = len(responses(store, "bench.arrive"))
        server.ask("bench.paced", {"n": calls, "rate": PACE})
        processes.wait_for(lambda: not is_pending(store), LIMIT, "an outcome of every call")
        seconds = [float(one) for one in responses(store, "bench.arrive")[before:] if one is not None]
    if len(seconds) != calls:
        raise RuntimeError(f"{len(seconds)} of {calls} calls started")
    return [1000 * one for one in seconds]
