"""The ways to break a cluster on Redis. Each is a function that breaks something under load, and mends it."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.arena import LEASE, Arena
from tests.chaos.breaking import INSIDE, POINTS
from tests.chaos.breakings import HANDLE_POINTS
from tests.chaos.stream import Stream
from tests.chaos.traps import SERVER, STANDSTILL, WORKER
from tests.chaos.turning import turn_clock
from tests.support.networks import Cable
from tests.support.sentinel import RedisSentinel
from tests.support.waiting import wait_until

__all__ = [
    "POINT_NAMES",
    "Breaking",
    "Moment",
    "cut_off",
    "cut_off_from_redis",
    "cut_power",
    "fail_over",
    "fill_redis",
    "flush_scripts",
    "freeze_redis",
    "kill_at_random",
    "kill_clients",
    "kill_redis",
    "kill_server",
    "kill_servers_at_points",
    "kill_workers_at_points",
    "let_pass",
    "lose_answers",
    "pause_clients",
    "restart_redis",
    "stop_before_finish",
    "stop_server",
    "turn_clocks",
]

HOUR = 3600.0
# Seconds.
HANG = 5.0
FULL = 1.0
PATIENCE = 60.0
# Beyond the lease of a killed server, until it is started again.
TAKEN_OVER_BY = 1.2
# How much of what Redis wrote last a loss of power takes, and how often is noted how much it has written.
POWER_TAKES = 1.0
NOTED_EVERY = 0.02
LONGEST_PEACE = 0.6
# How many answers are lost, and one in how many.
ANSWERS = 60
ONE_ANSWER_IN = 3
# Points in the middle of a transaction name statements of SQL; the purge has nothing to do while outcomes are young.
POINT_NAMES = (
    *HANDLE_POINTS,
    *(point.name for point in POINTS if point.moment != INSIDE and not point.name.startswith("purge")),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was broken, and whose work had to be taken over.

    Attributes:
        at: on the monotonic clock of the machine.
        victims: processes.
    """

    at: float
    victims: frozenset[int] = frozenset()


Breaking = Callable[[Arena, Stream, random.Random], Moment]


def kill_server(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Kill a server, and start it again when others must have taken over its work."""
    moment = _strike(arena, rng.randrange(len(arena.servers)), signal.SIGKILL)
    let_pass(LEASE + TAKEN_OVER_BY)
    arena.start_dead()
    return moment


def stop_server(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Let a server stand still for twice its lease."""
    number = rng.randrange(len(arena.servers))
    moment = _strike(arena, number, signal.SIGSTOP)
    let_pass(2 * LEASE)
    arena.send(number, signal.SIGCONT)
    return moment


def stop_before_finish(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Let a worker stand still for two leases when it is about to record an outcome, which it then does too late."""
    number = rng.randrange(len(arena.servers))
    (pid,) = arena.servers[number].workers()
    traps = arena.traps(number)
    traps.arm("after the response", STANDSTILL)
    wait_until(lambda: not traps.is_armed("after the response"), PATIENCE, what="a worker that stands still")
    moment = Moment(time.monotonic(), frozenset({pid}))
    let_pass(2 * LEASE)
    os.kill(pid, signal.SIGCONT)
    stream.go_on(3, server=number)
    return moment


def kill_at_random(arena: Arena, stream: Stream, rng: random.Random, *, seconds: float = 5.0) -> Moment:
    """Kill workers and whole servers at random, and start servers again at once."""
    begun = time.monotonic()
    while time.monotonic() < begun + seconds:
        let_pass(rng.random() * LONGEST_PEACE)
        number = rng.randrange(len(arena.servers))
        if workers := rng.randrange(2) and arena.servers[number].workers():
            with suppress(ProcessLookupError):
                os.kill(rng.choice(workers), signal.SIGKILL)
        else:
            arena.servers[number].kill()
        arena.start_dead()
    return Moment(begun)


def kill_workers_at_points(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Have a worker kill itself at each point."""
    return _kill_at_points(arena, rng, WORKER)


def kill_servers_at_points(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Have a worker kill its server and itself at each point."""
    return _kill_at_points(arena, rng, SERVER)


def turn_clocks(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Have the clock of one server be an hour ahead, and that of another an hour behind, from start to stop."""
    moment = Moment(time.monotonic())
    _set_clocks(arena, HOUR, -HOUR)
    stream.go_on(60)
    let_pass(2 * LEASE)
    _set_clocks(arena, 0.0, 0.0)
    return moment


def _set_clocks(arena: Arena, *seconds: float) -> None:
    """Set the clocks of the first servers while they are stopped."""
    for number, offset in enumerate(seconds[: len(arena.servers)]):
        arena.servers[number].stop()
        turn_clock(arena.traps(number).folder, offset)
    arena.start_dead()


def cut_off(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Pull both cables of the last server for longer than its lease."""
    assert arena.network is not None
    return _cut(arena, stream, arena.network.front, arena.network.back)


def cut_off_from_redis(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Pull the cable between the last server and Redis for longer than its lease; its clients still reach it."""
    assert arena.network is not None
    return _cut(arena, stream, arena.network.back)


def _cut(arena: Arena, stream: Stream, *cables: Cable) -> Moment:
    assert arena.network is not None
    last = len(arena.servers) - 1
    victims = arena.pids(last)
    arena.wait_busy(last)
    moment = Moment(time.monotonic(), victims)
    arena.network.cut(*cables)
    let_pass(2 * LEASE + 1)
    arena.network.join()
    stream.go_on(3, server=last)
    return moment


def kill_redis(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Kill Redis, and start it again."""
    moment = Moment(time.monotonic())
    arena.redis.kill()
    arena.redis.start()
    return moment


def cut_power(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Kill Redis, and take from its file what the system would have kept in memory only; start it again."""
    with _noted_sizes(arena.redis.folder) as size_at:
        let_pass(2 * POWER_TAKES)
        moment = Moment(time.monotonic())
        arena.redis.kill()
    os.truncate(_written(arena.redis.folder), size_at(moment.at - POWER_TAKES))
    arena.redis.start()
    return moment


def restart_redis(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Stop Redis as an operator does, and start it again."""
    moment = Moment(time.monotonic())
    arena.redis.restart()
    return moment


def kill_clients(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Close all connections to Redis, several times."""
    moment = Moment(time.monotonic())
    with arena.redis.client() as client:
        for kind in ("normal", "normal", "pubsub", "normal", "normal"):
            client.client_kill_filter(_type=kind)
            let_pass(rng.random() * LONGEST_PEACE)
    return moment


def lose_answers(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Have the first server lose many answers of Redis, each with its connection."""
    assert arena.relay is not None
    moment = Moment(time.monotonic())
    enough = arena.relay.lost + ANSWERS
    arena.relay.lose(ONE_ANSWER_IN)
    relay = arena.relay
    wait_until(lambda: relay.lost >= enough, PATIENCE, what=f"{ANSWERS} lost answers")
    relay.lose(0)
    return moment


def pause_clients(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Have Redis answer nobody for a while."""
    moment = Moment(time.monotonic())
    with arena.redis.client() as client:
        client.client_pause(round(HANG * 1000))
    let_pass(HANG)
    return moment


def freeze_redis(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Have Redis stand still for a while; what it is sent meanwhile it does afterwards."""
    moment = Moment(time.monotonic())
    arena.redis.pause()
    let_pass(HANG)
    arena.redis.resume()
    return moment


def fill_redis(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Have Redis be full for a while, and see that calls are refused, and that what it has ends all the same."""
    moment = Moment(time.monotonic())
    arena.redis.fill()
    try:
        stream.wait_refused()
        let_pass(FULL)
        wait_until(lambda: not arena.open(), PATIENCE, what="an outcome of every call while Redis is full")
    finally:
        arena.redis.empty()
    return moment


def flush_scripts(arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Have Redis forget its scripts, several times."""
    moment = Moment(time.monotonic())
    with arena.redis.client() as client:
        for _ in range(5):
            client.script_flush()
            let_pass(rng.random() * LONGEST_PEACE)
    return moment


def fail_over(sentinel: RedisSentinel, arena: Arena, stream: Stream, rng: random.Random) -> Moment:
    """Kill the master, and go on with its replica; the master stays away, for it has no more than the replica had."""
    moment = Moment(time.monotonic())
    sentinel.master.kill()
    sentinel.wait_promoted()
    let_pass(LEASE)
    return moment


def let_pass(seconds: float) -> None:
    """Let time pass; nothing else is waited for."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, seconds + 60)


def _strike(arena: Arena, number: int, what: signal.Signals) -> Moment:
    victims = arena.pids(number)
    arena.wait_busy(number)
    moment = Moment(time.monotonic(), victims)
    arena.send(number, what)
    return moment


def _kill_at_points(arena: Arena, rng: random.Random, victim: str) -> Moment:
    begun = time.monotonic()
    for point in POINT_NAMES:
        number = rng.randrange(len(arena.servers))
        arena.traps(number).arm(point, victim)
        _wait_dead(arena, number, point, victim)
        arena.start_dead()
    return Moment(begun)


def _wait_dead(arena: Arena, number: int, point: str, victim: str) -> None:
    traps, process = arena.traps(number), arena.servers[number].process
    wait_until(lambda: not traps.is_armed(point), PATIENCE, what=f"a death at {point!r}")
    if victim == SERVER:
        process.wait(PATIENCE)


def _written(folder: Path) -> Path:
    """Return the file that Redis appends to."""
    return max((folder / "appendonlydir").glob("*.incr.aof"), key=lambda file: file.stat().st_mtime)


@contextmanager
def _noted_sizes(folder: Path) -> Iterator[Callable[[float], int]]:
    """Note how much Redis has written; give what tells how much it was at a moment."""
    noted: list[tuple[float, int]] = [(0.0, 0)]
    ended = threading.Event()

    def note() -> None:
        while not ended.wait(NOTED_EVERY):
            noted.append((time.monotonic(), _written(folder).stat().st_size))

    thread = threading.Thread(target=note)
    thread.start()
    try:
        yield lambda at: max(size for when, size in noted if when <= at)
    finally:
        ended.set()
        thread.join()
