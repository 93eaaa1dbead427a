"""What happens inside one server: `self.invoke`, and how soon a background call starts on an idle server."""

from typing import Any

from bench.figures import Row, below, quantile
from bench.servers import ZatoServer, zato_server

__all__ = ["inside_rows"]

NESTED_LIMIT = 10.0
P50_LIMIT, P99_LIMIT = 1.5, 6.0
PACE = 50


def inside_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure both, several times over."""
    nested, p50, p99 = [], [], []
    with zato_server() as server:
        _ask(server, "bench.nested", {"n": 1000})
        for _ in range(pairs):
            nested.append(float(_ask(server, "bench.nested", {"n": 2_000 if quick else 50_000})))
        _ask(server, "bench.paced", {"n": 10, "rate": PACE})
        for _ in range(1 if quick else max(1, pairs // 2)):
            started = _started(server, 25 if quick else 500)
            p50.append(quantile(started, 0.5))
            p99.append(quantile(started, 0.99))
    return [
        below("self.invoke of an empty service", nested, "{:.1f} us", NESTED_LIMIT),
        below("idle invoke_async to first line, p50", p50, "{:.2f} ms", P50_LIMIT),
        below("idle invoke_async to first line, p99", p99, "{:.2f} ms", P99_LIMIT),
    ]


def _started(server: ZatoServer, calls: int) -> list[float]:
    """Return in how many ms each of some calls started."""
    seconds = _ask(server, "bench.paced", {"n": calls, "rate": PACE})
    if len(seconds) != calls:
        raise RuntimeError(f"{len(seconds)} of {calls} calls started")
    return [1000 * one for one in seconds]


def _ask(server: ZatoServer, service: str, payload: dict[str, Any]) -> Any:
    with server.client() as client:
        response = client.invoke(service, payload)
    if not response.ok:
        raise RuntimeError(f"{service} failed: {response.details}")
    return response.data
