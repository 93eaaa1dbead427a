"""Breaking of servers and of their Redis under load; and whether anything was lost: `make chaos`.

First a server with a file, at each point of a call's way and at random; then clusters on Redis, in every way and as
durable as they may be. With `--seed` the same things are done in the same order, though never at the same instants.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from tests.chaos.breaking import POINTS
from tests.chaos.breakings import GROUPS, HANDLE_POINTS, Row, break_at_each, chaos_environment, row_of, table
from tests.chaos.clusters import DURABILITIES, break_clusters, fail_over_rows
from tests.chaos.history import History, pending
from tests.chaos.load import told_in
from tests.chaos.server import ROOT, BreakableServer
from tests.chaos.traps import SERVER, WORKER, Traps
from tests.chaos.turning import turn_clock
from tests.support.networks import Network, can_make_networks
from tests.support.waiting import wait_until
from zato.core.errors import ServerNotRunning
from zato.environment import Environment

LEASE = 2.0
HOUR = 3600
# Seconds between two breakings, at most.
LONGEST_PEACE = 2.5
# Seconds that everything may take to end once nothing is broken any more.
CALM = 120.0
STORIES_A_MINUTE = 400
MADE_UP = ("tests/contract/test_state_machine.py", "tests/integration/test_fuzz.py")
POINT_NAMES = (*HANDLE_POINTS, *(point.name for point in POINTS if "purge" not in point.name))


class Breaker:
    """Breaks one server, in ways and at times that a random generator chooses.

    Attributes:
        done: how often each way was taken.
    """

    def __init__(self, environment: Environment, rng: random.Random, *, clock: bool) -> None:
        """Start the server."""
        self.done: Counter[str] = Counter()
        self._environment = environment
        self._rng = rng
        self._traps = Traps(environment.path)
        ways: dict[str, tuple[int, Callable[[], None]]] = {
            "worker killed": (6, self._kill_worker),
            "server killed": (2, self._kill_server),
            "worker stopped": (3, self._stop_worker),
            "server stopped": (1, self._stop_server),
            "trap, worker": (5, lambda: self._arm(WORKER)),
            "trap, server": (1, lambda: self._arm(SERVER)),
            "clock set": (1 if clock else 0, self._set_clock),
        }
        self._ways = {name: way for name, (_, way) in ways.items()}
        self._weights = [weight for weight, _ in ways.values()]
        self.server = self._start()

    def break_once(self) -> None:
        """Wait for a while, then break something."""
        pause(self._rng.random() * LONGEST_PEACE)
        self._restart_if_dead()
        (name,) = self._rng.choices(list(self._ways), self._weights)
        self._ways[name]()
        self.done[name] += 1

    def calm(self) -> None:
        """Break nothing any more, and see that the server runs."""
        for point in POINT_NAMES:
            self._traps.disarm(point)
        pause(1.0)
        self._restart_if_dead()

    def _start(self) -> BreakableServer:
        server = BreakableServer(self._environment)
        while True:
            with suppress(AssertionError):
                server.wait_ready()
                return server
            # A trap may have killed it while it started.
            server.kill()
            server = BreakableServer(self._environment)

    def _restart_if_dead(self) -> None:
        if self.server.process.poll() is not None:
            self.server = self._start()

    def _victim(self) -> int | None:
        with suppress(ServerNotRunning):
            workers = self.server.workers()
            return self._rng.choice(workers) if workers else None
        return None

    def _kill_worker(self) -> None:
        send(self._victim(), signal.SIGKILL)

    def _kill_server(self) -> None:
        send(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait()

    def _stop_worker(self) -> None:
        victim = self._victim()
        send(victim, signal.SIGSTOP)
        pause(self._rng.random() * 2 * LEASE)
        send(victim, signal.SIGCONT)

    def _stop_server(self) -> None:
        self.server.stop()

    def _arm(self, victim: str) -> None:
        self._traps.arm(self._rng.choice(POINT_NAMES), victim)

    def _set_clock(self) -> None:
        turn_clock(self._traps.folder, self._rng.randint(-HOUR, HOUR))


def send(pid: int | None, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended."""
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def pause(seconds: float) -> None:
    """Let time pass."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 60)


def chaos(folder: Path, options: argparse.Namespace) -> Row:
    """Break a server under load, and return what became of the calls."""
    settings = {"workers": options.workers, "lease": LEASE, "log_level": "ERROR", "grace": 1.0}
    environment = chaos_environment(folder / "env", **settings)
    rng = random.Random(options.seed)
    breaker = Breaker(environment, rng, clock=options.clock)
    try:
        files = [folder / f"told-{number}" for number in range(options.clients)]
        with ExitStack() as stack:
            for number, file in enumerate(files):
                stack.enter_context(_client(environment, f"{options.seed}-{number}", file))
            end = time.monotonic() + 60 * options.minutes
            while time.monotonic() < end:
                breaker.break_once()
            breaker.calm()
        wait_until(lambda: not pending(environment.path), CALM, what="an outcome of every call")
    finally:
        breaker.server.stop()
    print("  ".join(f"{name}: {count}" for name, count in breaker.done.items()))
    told = [each for file in files for each in told_in(file)]
    if options.clock:
        told = [replace(each, not_before=0.0) for each in told]
    return row_of("random breaking", History.of(environment.path, told))


def _client(environment: Environment, seed: str, file: Path) -> "subprocess.Popen[bytes]":
    """Start a client; leaving its context closes its input, which stops it, and waits for it."""
    command = [sys.executable, "-P", "-m", "tests.chaos.load", str(environment.path), seed, str(file)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})


def each_point(folder: Path) -> list[Row]:
    """Have processes die at each point."""
    rows = []
    for points in GROUPS:
        (folder / points[0]).mkdir()
        rows += break_at_each(points, folder / points[0])
    return rows


def stories(minutes: float, seed: int) -> bool:
    """Run the long version of the tests that make things up, and tell whether they passed."""
    number = str(round(minutes * STORIES_A_MINUTE))
    variables = {"STORIES": number, "ZATO_FUZZ_EXAMPLES": number}
    command = [sys.executable, "-m", "pytest", "-q", f"--hypothesis-seed={seed}", "--timeout=0", *MADE_UP]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False).returncode == 0


def on_redis(folder: Path, options: argparse.Namespace) -> list[Row]:
    """Break clusters on Redis, as durable as they may be, and print what became of the calls as soon as it is known."""
    rows: list[Row] = []
    seconds = 60 * options.minutes / len(DURABILITIES)
    with Network() if can_make_networks() else nullcontext() as network:
        if network is None:
            print("No server is cut off: that needs root, and the command 'ip'")
        for durability in DURABILITIES:
            own = folder / durability.name
            broken = break_clusters(own, durability, network, str(options.seed), seconds=seconds, only=options.only)
            rows += _shown(broken)
    if options.only in "fail-over to a replica":
        rows += _shown(fail_over_rows(folder / "fail-over", str(options.seed)))
    return rows


def _shown(rows: Iterable[Row]) -> Iterator[Row]:
    """Say of each row that it is done, for who waits."""
    for row in rows:
        print(f"{row.durability}: {row.point}", flush=True)
        yield row


def main(arguments: Sequence[str]) -> int:
    """Do it all, and return the exit status."""
    options = _options(arguments)
    options.seed = random.SystemRandom().randrange(1_000_000) if options.seed is None else options.seed
    print(f"seed {options.seed}", flush=True)
    # What is ended by a signal, as by Ctrl-C, is cleaned up after.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="zato-chaos-") as folder:
        rows = [] if options.on == "redis" else [*each_point(Path(folder)), chaos(Path(folder), options)]
        rows += [] if options.on == "file" else on_redis(Path(folder), options)
    print(table(rows))
    faults = [f"{row.point}, {row.durability}: {dict(row.faults)}" for row in rows if row.faults]
    print("\n".join(["FAULTS", *faults]) if faults else f"longest wait for a start: {longest_wait(rows):.1f} s")
    told_stories = options.no_stories or stories(options.minutes, options.seed)
    return 0 if not faults and told_stories else 1


def longest_wait(rows: Iterable[Row]) -> float:
    """Return the seconds that the longest wait for a start took."""
    return max(row.verdict.late for row in rows)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long to break at random, on each store")
    parser.add_argument("--seed", type=int, default=None, help="what chance begins with")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of the server with a file")
    parser.add_argument("--clients", type=int, default=6, help="processes that make calls of that server")
    parser.add_argument("--clock", action="store_true", help="set its clock too; then delays are not judged")
    parser.add_argument("--on", choices=("both", "file", "redis"), default="both", help="which store to break")
    parser.add_argument("--only", default="", help="on Redis, break only in ways that have this in their name")
    parser.add_argument("--no-stories", action="store_true", help="leave out the state machine and the fuzzing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
