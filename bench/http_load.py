"""Requests over HTTP: `zato.ping` and a user's `def handle`, beside a bare granian handler."""

import base64
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.figures import Row, median, ratio_row
from bench.servers import PASSWORD, ROOT, bare_server, zato_server

__all__ = ["Load", "http_rows", "load", "request_for"]

CONNECTIONS = 64
PATH = "/zato/admin/invoke"
P99_LIMIT = 0.010
P99_RATIO = 3.0
BARE = "bare"
WARM_UP = 1
# What the rows of a server are called, and how many workers it has.
SERVERS = {"": 1, "two workers, ": 2}
QUICK_SERVERS = {"": 1}


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw. Times in seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    failed: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def request_for(service: str, payload: object = "", *, is_async: bool = False) -> str:
    """Return the body that our client sends for a call."""
    fields = {
        "name": service,
        "payload": base64.b64encode(json.dumps(payload).encode()).decode(),
        "channel": "invoke",
        "data_format": "json",
        "transport": None,
        "is_async": is_async,
        "async": is_async,
        "pid": None,
        "all_pids": False,
        "timeout": None,
        "skip_response_elem": True,
    }
    return json.dumps(fields)


def load(wrk: str, port: int, body: str, seconds: int, *, connections: int = CONNECTIONS) -> Load:
    """Load one address; each connection sends the next request when the one before was answered.

    Raises:
        ConnectionError: a request failed.
    """
    auth = base64.b64encode(f"admin.invoke:{PASSWORD}".encode()).decode()
    variables: Mapping[str, str] = {**os.environ, "BENCH_AUTH": f"Basic {auth}", "BENCH_BODY": body}
    address = f"http://127.0.0.1:{port}{PATH}"
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(ROOT / "bench" / "invoke.lua"), address]
    done = subprocess.run([wrk, *options], env=variables, capture_output=True, text=True, check=True)
    result = Load(**json.loads(done.stdout.partition("RESULT ")[2]))
    if result.failed:
        raise ConnectionError(f"{result.failed} of {result.requests} requests failed")
    return result


def http_rows(wrk: str, *, pairs: int, quick: bool) -> list[Row]:
    """Measure both services, on one worker and, unless in a hurry, on two, and the bare handler in turns."""
    servers, seconds = (QUICK_SERVERS, 1) if quick else (SERVERS, 3)
    services = {"zato.ping": request_for("zato.ping"), "def handle": request_for("bench.handle")}
    loads: dict[str, list[Load]] = {}
    with ExitStack() as stack:
        targets = {BARE: (stack.enter_context(bare_server()), services["zato.ping"])}
        for prefix, workers in servers.items():
            port = stack.enter_context(zato_server(workers=workers)).port
            targets |= {prefix + name: (port, body) for name, body in services.items()}
        if seconds > WARM_UP:
            for port, body in targets.values():
                load(wrk, port, body, WARM_UP)
        for _ in range(pairs):
            for name, (port, body) in targets.items():
                loads.setdefault(name, []).append(load(wrk, port, body, seconds))
    return _rows(loads, list(servers))


def _rows(loads: Mapping[str, list[Load]], prefixes: Sequence[str]) -> list[Row]:
    bare = loads[BARE]
    rows = []
    for prefix in prefixes:
        ping, handle = f"{prefix}zato.ping", f"{prefix}def handle"
        rows += [
            _rate_row(f"HTTP: {ping}, requests/s", loads[ping], bare, 0.5),
            _rate_row(f"HTTP: {handle}, requests/s", loads[handle], bare, 0.35),
            _p99_row(f"HTTP: {ping}, p99", loads[ping], bare),
            _p99_row(f"HTTP: {handle}, p99", loads[handle], bare),
        ]
    return rows


def _rate_row(name: str, ours: list[Load], bare: list[Load], target: float) -> Row:
    return ratio_row(name, [one.rate for one in ours], [one.rate for one in bare], "{:,.0f}", target)


def _p99_row(name: str, ours: list[Load], bare: list[Load]) -> Row:
    mine, theirs = median([one.p99 for one in ours]), median([one.p99 for one in bare])
    ratio = median([one.p99 / other.p99 for one, other in zip(ours, bare, strict=True)])
    return Row(
        name=name,
        ours=f"{mine * 1000:.1f} ms",
        theirs=f"{theirs * 1000:.1f} ms",
        ratio=ratio,
        target=f"under {P99_LIMIT * 1000:g} ms, or {P99_RATIO:g} times theirs",
        reached=mine < P99_LIMIT or ratio <= P99_RATIO,
    )
