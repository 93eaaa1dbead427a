"""One of the clients of a long run: makes calls until it is told to stop, and writes down what it was told.

Arguments: the environment's folder, a seed, and the file to write to. Its standard input ends when it is to stop.
"""

import json
import random
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from tests.chaos.caller import SERVICES, Caller
from tests.chaos.history import ACCEPTED, REFUSED, Told
from zato.environment import Environment

__all__ = ["told_in"]

# One call in so many is looked up, is delayed, or is repeated when nothing is known of it.
LOOKED_UP = 10
DELAYED = 10
LONGEST_DELAY = 2.0
REPEATED = 2
REPEATS = 30
# Seconds that services work at most, and that the client gives a server which refuses.
LONGEST_WORK = 0.2
BREATH = 0.1
READ_TIMEOUT = 10.0


def told_in(file: Path) -> list[Told]:
    """Return what a client was told."""
    return [Told(**json.loads(line)) for line in file.read_text("utf-8").splitlines()]


def run(path: Path, seed: str, file: Path) -> None:
    """Make calls until the standard input ends."""
    stopped = threading.Event()
    threading.Thread(target=_wait_for_end, args=(stopped,), daemon=True).start()
    rng = random.Random(seed)
    with Caller(Environment(path), read_timeout=READ_TIMEOUT) as caller:
        while not stopped.is_set():
            _step(caller, rng, stopped)
    file.write_text("".join(f"{json.dumps(asdict(told))}\n" for told in caller.told), "utf-8")


def _wait_for_end(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()


def _step(caller: Caller, rng: random.Random, stopped: threading.Event) -> None:
    delay = 0.0 if rng.randrange(DELAYED) else rng.random() * LONGEST_DELAY
    told = caller.call(
        rng.choice(SERVICES),
        seconds=rng.random() * LONGEST_WORK,
        delay=delay,
        repeats=1 if rng.randrange(REPEATED) else REPEATS,
    )
    if told.verdict == REFUSED:
        stopped.wait(BREATH)
    earlier = rng.choice(caller.told)
    if earlier.verdict == ACCEPTED and not rng.randrange(LOOKED_UP):
        caller.look(earlier)


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
