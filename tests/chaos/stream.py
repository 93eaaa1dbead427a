"""Clients of several servers at once, on threads, for as long as something is being broken."""

import random
import threading
import time
from collections.abc import Sequence
from typing import Self

from tests.chaos.caller import DOOMED, SERVICES, Caller
from tests.chaos.history import ACCEPTED, REFUSED, Told
from tests.support.waiting import wait_until
from zato.environment import Environment

__all__ = ["Stream"]

# One call in so many is delayed, has to start in time, has no key to be repeated with, or is looked up afterwards.
DELAYED = 8
EXPIRING = 8
UNKEYED = 2
LOOKED_UP = 2
LONGEST_DELAY = 1.5
EXPIRATION = 60.0
REPEATS = 3
# Seconds.
LONGEST_WORK = 0.5
PAUSE = 0.08
READ_TIMEOUT = 12.0
PATIENCE = 60.0


class Stream:
    """The clients; those of one server stay with it. Use it in a `with`; leaving stops them."""

    def __init__(self, environments: Sequence[Environment], seed: str, *, clients: int = 2) -> None:
        """Take the servers, what chance begins with, and how many clients each server has."""
        self._stopped = threading.Event()
        self._servers = len(environments)
        self._told: list[list[Told]] = [[] for _ in range(clients * len(environments))]
        self._threads = [
            threading.Thread(target=self._run, args=(environments, number, random.Random(f"{seed}-{number}")))
            for number in range(clients * len(environments))
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    @property
    def told(self) -> list[Told]:
        """What callers were told so far."""
        return [told for part in self._told for told in list(part)]

    def go_on(self, more: int, *, server: int | None = None) -> None:
        """Return when so many calls more have been accepted, by that server or by any."""
        enough = self._count(ACCEPTED, server) + more
        wait_until(lambda: self._count(ACCEPTED, server) >= enough, PATIENCE, what=f"{more} calls more accepted")

    def wait_refused(self) -> None:
        """Return when one more call has been refused."""
        enough = self._count(REFUSED) + 1
        wait_until(lambda: self._count(REFUSED) >= enough, PATIENCE, what="a refusal")

    def _count(self, verdict: str, server: int | None = None) -> int:
        parts = self._told if server is None else self._told[server :: self._servers]
        return sum(told.verdict == verdict and told.seen is None for part in parts for told in list(part))

    def _run(self, environments: Sequence[Environment], number: int, rng: random.Random) -> None:
        mine = environments[number % len(environments)]
        with Caller(mine, read_timeout=READ_TIMEOUT) as caller:
            caller.told = self._told[number]
            while not self._stopped.wait(rng.random() * 2 * PAUSE):
                _step(caller, rng)


def _step(caller: Caller, rng: random.Random) -> None:
    keyed = bool(rng.randrange(UNKEYED))
    caller.call(
        rng.choice((*SERVICES, DOOMED)),
        seconds=rng.random() * LONGEST_WORK,
        delay=0.0 if rng.randrange(DELAYED) else rng.random() * LONGEST_DELAY,
        repeats=REPEATS if keyed and rng.randrange(2) else 1,
        keyed=keyed,
        expiration=None if rng.randrange(EXPIRING) else EXPIRATION,
    )
    earlier = rng.choice(caller.told)
    is_old = time.monotonic() - earlier.at > LONGEST_WORK
    if earlier.verdict == ACCEPTED and is_old and not rng.randrange(LOOKED_UP):
        caller.look(earlier)
