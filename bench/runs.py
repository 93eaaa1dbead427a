"""One run of N durable calls: from the first one made to the last one done, ours and a peer's."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench import processes
from bench.http_load import load, request_for
from bench.servers import ROOT, ZatoServer
from bench.store import outcomes
from bench.work import COUNTER_DB, Redis, payload

__all__ = ["Broker", "PeerRun", "Run", "from_clients", "from_service", "from_services", "peer_run"]

LIMIT = 120.0
SETTLE = 0.3
WARM_UP = 200


@dataclass(frozen=True, slots=True)
class Run:
    """What N calls took: seconds from the first one made to the last one recorded, and seconds of CPU.

    The CPU is that of every process that had a part: producer, workers or server, and Redis.
    """

    calls: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds

    @property
    def cpu_per_1000(self) -> float:
        """Seconds of CPU for 1,000 calls."""
        return self.cpu / self.calls * 1000


class Broker:
    """The Redis that peers keep their calls in, and that all of the work counts in."""

    def __init__(self, port: int, pid: int) -> None:
        """Connect."""
        self.port = port
        self.pid = pid
        self._redis = Redis(port)
        self._redis.ask("SELECT", COUNTER_DB)

    def reset(self) -> None:
        """Forget everything."""
        self._redis.ask("FLUSHALL")

    def count(self) -> int:
        """Return how often the work was done."""
        words = self._redis.ask("GET", "n").split(b"\r\n")
        return int(words[1]) if len(words) > 2 else 0

    def zero(self) -> None:
        """Count from 0 again."""
        self._redis.ask("DEL", "n")

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()

    def until(self, calls: int) -> float:
        """Return when the work was seen done that often.

        Raises:
            RuntimeError: it was done more often.
        """
        end = processes.wait_for(lambda: self.count() >= calls, LIMIT, f"{calls} calls", step=0.01)
        time.sleep(SETTLE)
        if self.count() != calls:
            raise RuntimeError(f"{calls} calls were made, {self.count()} ran")
        return end


def from_service(server: ZatoServer, redis: Broker, calls: int, *, producer: str, target: str, in_flight: int) -> Run:
    """Have a service of the server make calls of another one.

    Raises:
        RuntimeError: not every call ran and ended exactly once.
    """
    asked = {"n": calls, "in_flight": in_flight, "target": target}

    return _ours([server], redis, lambda: float(server.ask(producer, asked)))


def from_services(
    servers: Sequence[ZatoServer], redis: Broker, calls: int, *, producer: str, target: str, in_flight: int
) -> Run:
    """Have a service of each server of a cluster make its share of the calls.

    Raises:
        RuntimeError: not every call ran and ended exactly once.
    """
    asked = {"n": calls // len(servers), "in_flight": in_flight, "target": target}

    def produce() -> float:
        with ThreadPoolExecutor(len(servers)) as together:
            return min(map(float, together.map(lambda server: server.ask(producer, asked), servers)))

    return _ours(servers, redis, produce)


def from_clients(server: ZatoServer, redis: Broker, wrk: str, seconds: int, *, target: str) -> Run:
    """Have 64 HTTP clients make calls for some time."""
    body = request_for(target, payload(1), is_async=True)

    def produce() -> float:
        start = time.monotonic()
        load(wrk, server.port, body, seconds)
        return start

    return _ours([server], redis, produce)


def _ours(servers: Sequence[ZatoServer], redis: Broker, produce: Callable[[], float]) -> Run:
    redis.zero()
    pids = [*(server.process.pid for server in servers), redis.pid]
    with outcomes(servers[0]) as store:
        before, already = processes.cpu(pids) + processes.children_cpu(), store.done()
        start = produce()
        end = processes.wait_for(lambda: not store.is_pending(), LIMIT, "an outcome of every call")
        used = processes.cpu(pids) + processes.children_cpu() - before
        calls = store.done() - already
    redis.until(calls)
    return Run(calls, end - start, used)


class PeerRun:
    """A peer with its workers running and its producer ready."""

    def __init__(self, peer: str, python: str, redis: Broker) -> None:
        """Start both."""
        self._redis = redis
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "BENCH_REDIS_PORT": str(redis.port)}
        imported = f"import bench.peers.{peer}_peer as peer; print(peer.WORKER)"
        found = subprocess.run([python, "-c", imported], env=variables, check=True, capture_output=True, text=True)
        self._workers = subprocess.Popen(
            found.stdout.split(), env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._producer = subprocess.Popen(
            [python, "-m", "bench.peers.produce", peer],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._line()

    def run(self, calls: int) -> Run:
        """Make calls and wait until all of them ran."""
        self._redis.zero()
        pids = [self._workers.pid, self._producer.pid, self._redis.pid]
        before = processes.cpu(pids)
        self._send(calls)
        start = float(json.loads(self._line())["start"])
        end = processes.wait_for(lambda: self._redis.count() >= calls, LIMIT, f"{calls} calls", step=0.01)
        used = processes.cpu(pids) - before
        self._redis.until(calls)
        return Run(calls, end - start, used)

    def stop(self) -> None:
        """End both."""
        if self._producer.stdin and self._producer.stdout:
            self._producer.stdin.close()
            self._producer.stdout.close()
        processes.end(self._producer)
        processes.end(self._workers)

    def _send(self, calls: int) -> None:
        assert self._producer.stdin
        self._producer.stdin.write(b"%d\n" % calls)
        self._producer.stdin.flush()

    def _line(self) -> bytes:
        assert self._producer.stdout
        line = self._producer.stdout.readline()
        if not line:
            raise ChildProcessError("The producer ended")
        return line


def peer_run(peer: str, python: str, redis: Broker, calls: int) -> Run:
    """Start a peer, warm it up, run N calls and stop it."""
    redis.reset()
    running = PeerRun(peer, python, redis)
    try:
        running.run(WARM_UP)
        time.sleep(1)
        running.run(WARM_UP)
        return running.run(calls)
    finally:
        running.stop()
