"""A rolling restart: three servers behind HAProxy, under load, each restarted in turn, and what clients saw of it.

`python -m tests.cluster.rolling [--broker redis] [--rounds 3] [--clients 8]`
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.docs.proxies import AUTH, Proxy, haproxy
from tests.support.environments import make_environment, run_zato
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until
from zato.environment import Environment

__all__ = ["Load", "Restarted", "rolling_restart", "servers"]

SERVERS = ("one", "two", "three")
SERVICES = Path(__file__).parent / "services" / "rolling_api.py"
# Seconds without an answer that count as an error.
TIMEOUT = 10.0
# Seconds between two requests of a client: what is to be seen is a restart, not a machine without CPU to spare.
PAUSE = 0.01
# Seconds that background work may take to end when nothing is restarted any more.
CALM = 30.0


@dataclass(frozen=True, slots=True)
class Restarted:
    """What became of a load.

    Attributes:
        requests: how many there were.
        errors: every answer but 200, reset, timeout and wrong body, in words.
        accepted: CIDs that were returned.
        ran: how often the work behind each CID ran.
        longest: seconds that the slowest answer took.
    """

    requests: int
    errors: tuple[str, ...]
    accepted: frozenset[str]
    ran: Counter[str]
    longest: float

    @property
    def lost(self) -> frozenset[str]:
        """Accepted, and never run."""
        return self.accepted - set(self.ran)

    @property
    def twice(self) -> frozenset[str]:
        """Run more than once, though nothing was killed."""
        return frozenset(cid for cid, times in self.ran.items() if times > 1)

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.requests} requests, {len(self.errors)} errors, slowest {1000 * self.longest:.0f} ms; "
            f"{len(self.accepted)} calls accepted, {len(self.lost)} lost, {len(self.twice)} run twice"
        )


@dataclass(slots=True)
class _Seen:
    """What one client saw."""

    requests: int = 0
    errors: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    longest: float = 0.0


class Load:
    """Clients that call in turns for an answer and for work in the background, and repeat nothing.

    Every other one keeps its connection; the rest take a new one for each request. Use it in a `with`.
    """

    def __init__(self, proxy: Proxy, clients: int) -> None:
        """Take where to send requests, and how many clients send one after the other each."""
        self._proxy = proxy
        self._stopped = threading.Event()
        self._seen = [_Seen() for _ in range(clients)]
        self._threads = [
            threading.Thread(target=self._run, args=(seen, bool(number % 2))) for number, seen in enumerate(self._seen)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    @property
    def answered(self) -> int:
        """How many requests have been answered so far, or have failed."""
        return sum(seen.requests for seen in self._seen)

    def result(self, ran: Counter[str]) -> Restarted:
        """Return what the clients saw, beside how often the work of each CID ran."""
        return Restarted(
            self.answered,
            tuple(error for seen in self._seen for error in seen.errors),
            frozenset(cid for seen in self._seen for cid in seen.accepted),
            ran,
            max(seen.longest for seen in self._seen),
        )

    def _run(self, seen: _Seen, keeps: bool) -> None:
        with self._session() as kept:
            while not self._stopped.wait(PAUSE):
                if keeps:
                    self._step(kept, seen)
                else:
                    with self._session() as fresh:
                        self._step(fresh, seen)

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env, session.verify, session.auth = False, str(self._proxy.authority), AUTH
        return session

    def _step(self, session: requests.Session, seen: _Seen) -> None:
        url = f"{self._proxy.address}/zato/api/invoke/rolling.{'accept' if seen.requests % 2 else 'answer'}"
        asked = {"number": seen.requests}
        seen.requests += 1
        begun = time.monotonic()
        try:
            reply = session.post(url, json=asked, timeout=TIMEOUT)
            self._judge(reply, asked, seen)
        except (requests.RequestException, ValueError) as error:
            seen.errors.append(repr(error))
        seen.longest = max(seen.longest, time.monotonic() - begun)

    def _judge(self, reply: requests.Response, asked: dict[str, int], seen: _Seen) -> None:
        answer: dict[str, Any] = reply.json() if reply.status_code == 200 else {}
        if answer.get("number") != asked["number"]:
            seen.errors.append(f"{reply.status_code}: {reply.text[:200]}")
        elif "accepted" in answer:
            seen.accepted.append(answer["accepted"])


@contextmanager
def servers(folder: Path, **settings: object) -> Iterator[list[Environment]]:
    """Run three servers with the services of the load; what they write down is in the folder's `ran.txt`."""
    text = SERVICES.read_text("utf-8").replace("RAN", str(folder / "ran.txt"))
    environments = [
        make_environment(folder / name, {SERVICES.name: text}, **{"name": name, "drain": 0.5, **settings})
        for name in SERVERS
    ]
    with ThreadPoolExecutor(len(environments)) as together:
        try:
            list(together.map(lambda environment: _zato("start --detach", environment), environments))
            yield environments
        finally:
            list(together.map(lambda environment: run_zato("stop", str(environment.path)), environments))


def rolling_restart(folder: Path, *, rounds: int = 1, clients: int = 4, **settings: object) -> Restarted:
    """Restart each of three servers in turn, so many times, under load."""
    with servers(folder, **settings) as environments:
        ports = [environment.settings().port for environment in environments]
        (proxy_folder := folder / "proxy").mkdir()
        with haproxy(proxy_folder, *ports) as proxy, Load(proxy, clients) as load:
            for _ in range(rounds):
                for environment in environments:
                    _go_on(load, 10 * clients)
                    _zato("restart", environment)
            _go_on(load, 10 * clients)
        accepted = load.result(Counter()).accepted
        wait_until(lambda: accepted <= set(_ran(folder)), CALM, what="a run of every call")
        return load.result(_ran(folder))


def _go_on(load: Load, more: int) -> None:
    """Let the load send so many requests more."""
    enough = load.answered + more
    wait_until(lambda: load.answered >= enough, 3 * TIMEOUT, what=f"{more} requests more")


def _ran(folder: Path) -> Counter[str]:
    file = folder / "ran.txt"
    return Counter(line.split()[0] for line in file.read_text("utf-8").splitlines()) if file.exists() else Counter()


def _zato(command: str, environment: Environment) -> None:
    done = run_zato(*command.split(), str(environment.path))
    assert done.returncode == 0, done.stdout + done.stderr


def main(arguments: Sequence[str]) -> int:
    """Do it, print what clients saw, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.rolling", description=__doc__)
    parser.add_argument("--broker", choices=["redis", "sqlite"], default="redis", help="one Redis, or a file for each")
    parser.add_argument("--rounds", type=int, default=3, help="how often each server is restarted")
    parser.add_argument("--clients", type=int, default=8, help="how many send requests")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zato-rolling-")))
        settings: dict[str, object] = {}
        if options.broker == "redis":
            settings["broker"] = stack.enter_context(RedisServer(appendonly="yes")).url
        found = rolling_restart(folder, rounds=options.rounds, clients=options.clients, **settings)
    print(found, *found.errors[:20], sep="\n")
    return 1 if found.errors or found.lost or found.twice else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
