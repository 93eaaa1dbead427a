"""What happens to calls when a cluster on Redis is broken: the stories that make the rows of the table."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.chaos import faults
from tests.chaos.arena import LEASE, Arena, Durability
from tests.chaos.breakings import Row
from tests.chaos.faults import Breaking, Moment
from tests.chaos.history import ACCEPTED, REFUSED, History, Told, Verdict
from tests.chaos.stream import Stream
from tests.support.networks import Network
from tests.support.redis import RedisServer
from tests.support.relay import Relay
from tests.support.sentinel import RedisSentinel

__all__ = ["DURABILITIES", "FAULTS", "Fault", "arena_of", "break_cluster", "break_clusters", "fail_over_rows"]

# Calls before and after something is broken.
CALLS = 40
# Seconds before it was killed that a Redis may forget, and between a kill and the last answer that it gave.
FORGOTTEN = 2.0
LAST_ANSWER = 0.5
# Seconds that a call of a killed server may wait for another one beyond the lease.
BEYOND_LEASE = 1.0
# Characters of what went wrong with a server itself.
MOST_SAID = 2000

APPENDS = {"appendonly": "yes", "appendfsync": "everysec"}
ALWAYS = Durability("always", redis={**APPENDS, "appendfsync": "always"})
EVERYSEC = Durability("everysec", redis=APPENDS, forgets=True)
# By default a master waits for 5 s whether more replicas come to be copied to.
COPIED_AT_ONCE = {**APPENDS, "repl_diskless_sync_delay": 0}
COPIED = Durability("replicas=1", redis=COPIED_AT_ONCE, settings={"replicas": 1}, is_copied=True, forgets=True)
SYNCED = Durability("redis_fsync", program="valkey-server", redis=APPENDS, settings={"redis_fsync": True})
DURABILITIES = (ALWAYS, EVERYSEC, COPIED, SYNCED)


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to break a cluster, and what is promised all the same.

    Attributes:
        name: in the table.
        breaking: does it.
        takes_over: others take over the work of the victims within the lease and a second.
        kills_redis: where its durability allows that, Redis may forget its last seconds.
        applies: tells where it makes sense.
        on_time: seconds within which every call started, or None.
        accepts: calls are accepted afterwards.
    """

    name: str
    breaking: Breaking
    takes_over: bool = False
    kills_redis: bool = False
    applies: Callable[[Arena, Durability], bool] = lambda arena, durability: True
    on_time: float | None = None
    accepts: bool = True


FAULTS = (
    Fault("server killed", faults.kill_server, takes_over=True),
    Fault("server stopped for two leases", faults.stop_server, takes_over=True),
    Fault(
        "server cut off for two leases",
        faults.cut_off,
        takes_over=True,
        applies=lambda arena, durability: arena.network is not None,
    ),
    Fault(
        "server cut off from Redis only",
        faults.cut_off_from_redis,
        takes_over=True,
        applies=lambda arena, durability: arena.network is not None,
    ),
    Fault("servers killed at random", faults.kill_at_random),
    Fault("worker killed at each point", faults.kill_workers_at_points),
    Fault("server killed at each point", faults.kill_servers_at_points),
    Fault("worker stopped before it records", faults.stop_before_finish, takes_over=True),
    Fault("clocks an hour wrong", faults.turn_clocks, on_time=5.0),
    Fault("scripts forgotten", faults.flush_scripts),
    Fault("answers of Redis lost", faults.lose_answers),
    Fault("CLIENT KILL", faults.kill_clients),
    Fault("CLIENT PAUSE 5 s", faults.pause_clients),
    Fault("Redis stands still for 5 s", faults.freeze_redis),
    Fault("Redis full", faults.fill_redis),
    Fault("Redis restarted", faults.restart_redis),
    Fault("Redis killed", faults.kill_redis, kills_redis=True),
    Fault(
        "power of Redis cut",
        faults.cut_power,
        kills_redis=True,
        applies=lambda arena, durability: durability is EVERYSEC,
    ),
)


@contextmanager
def arena_of(
    folder: Path, durability: Durability, network: Network | None = None, *, servers: int = 3
) -> Iterator[Arena]:
    """Run servers on a Redis that is as durable as that; the last of them in a namespace, if there is one."""
    bind = f"127.0.0.1 {network.back.here}" if network else "127.0.0.1"
    open_to: dict[str, Any] = {"bind": bind, "protected_mode": "no" if network else "yes"}
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer(program=durability.program, **{**open_to, **durability.redis}))
        if durability.is_copied:
            stack.enter_context(RedisServer(replica_of=redis, **durability.redis))
        relay = stack.enter_context(Relay(redis.port))
        yield stack.enter_context(
            Arena(folder, redis, servers=servers, network=network, relay=relay, **durability.settings)
        )


def break_cluster(
    arena: Arena,
    fault: Fault,
    durability: Durability,
    seed: str,
    *,
    calls: int = CALLS,
    beyond_lease: float = BEYOND_LEASE,
) -> Row:
    """Break a cluster under load, and return what became of the calls.

    Args:
        arena: the cluster.
        fault: what to break, and how.
        durability: what its Redis promises.
        seed: decides what is left to chance.
        calls: how many there are before and after.
        beyond_lease: seconds that a call of a killed server may wait for another one beyond the lease.
    """
    rng = random.Random(f"{seed}-{fault.name}")
    with Stream(arena.environments, f"{seed}-{fault.name}") as stream:
        moment, stuck = _break(fault, arena, stream, rng, calls)
    waiting = arena.wait_calm()
    history, told = arena.history(stream.told), stream.told
    verdict = history.verdict()
    may_forget = fault.kills_redis and durability.forgets
    excused = _touched(history, moment.at - FORGOTTEN, moment.at + LAST_ANSWER) if may_forget else set()
    faulty = {**verdict.faults, "run for no reason": _run_for_no_reason(history)}
    found = {name: sorted(set(cids) - excused) for name, cids in faulty.items()}
    taken_over = _taken_over(history, verdict, moment)
    found["stuck"] = stuck
    found["without an outcome"] = waiting
    found["kept in Redis"] = arena.leftovers()
    found["late"] = _late(fault, verdict, taken_over, LEASE + beyond_lease)
    keyed = {each.cid for each in told if each.keyed}
    return Row(
        fault.name,
        verdict,
        durability.name,
        faults={name: what for name, what in found.items() if what},
        refused=sum(each.verdict == REFUSED for each in told),
        keyed=len(verdict.refused_ran & keyed),
        refused_for=_refused_for(told, moment),
        taken_over=taken_over,
        forgotten=_forgotten(told, verdict, moment) if may_forget else None,
    )


def _break(fault: Fault, arena: Arena, stream: Stream, rng: random.Random, calls: int) -> tuple[Moment, list[str]]:
    """Break something between so many calls before and after it; return when, and what did not come about."""
    moment = Moment(time.monotonic())
    try:
        stream.go_on(calls)
        moment = fault.breaking(arena, stream, rng)
        stream.go_on(calls if fault.accepts else 0)
    except AssertionError as error:
        with suppress(AssertionError):
            arena.start_dead()
        # What a server said before it died is at the end.
        return moment, [str(error)[-MOST_SAID:]]
    return moment, []


def _touched(history: History, since: float, until: float) -> set[str]:
    """Return the calls, and the callbacks to them, of which something happened within a time."""
    touched = {told.cid for told in history.told if since <= told.at <= until or since <= told.looked <= until}
    touched |= {start.in_reply_to or start.cid for start in history.started if since <= start.at <= until}
    return touched | {start.cid for start in history.started if start.in_reply_to in touched}


def _run_for_no_reason(history: History) -> set[str]:
    """Return what started more often than it ran to an end or lost its holder."""
    starts = Counter(start.cid for start in history.started)
    explained = {record.cid: record.attempts + record.takeovers for record in history.recorded}
    return {cid for cid, count in starts.items() if count > explained.get(cid, count)}


def _taken_over(history: History, verdict: Verdict, moment: Moment) -> float | None:
    """Return how long after the moment the last interrupted call of the victims ran elsewhere."""
    found = []
    for cid in verdict.run_twice:
        starts = [start for start in history.started if start.cid == cid]
        interrupted = any(start.pid in moment.victims and start.at <= moment.at for start in starts)
        again = [start.at for start in starts if start.at > moment.at and start.pid not in moment.victims]
        if interrupted and again:
            found.append(min(again) - moment.at)
    return max(found, default=None)


def _late(fault: Fault, verdict: Verdict, taken_over: float | None, limit: float) -> list[str]:
    late = []
    if fault.takes_over and taken_over is not None and taken_over > limit:
        late.append(f"taken over after {taken_over:.1f} s")
    if fault.on_time is not None and verdict.late > fault.on_time:
        late.append(f"started after {verdict.late:.1f} s")
    return late


def _refused_for(told: Sequence[Told], moment: Moment) -> float:
    times = [each.at for each in told if each.verdict != ACCEPTED and each.at >= moment.at]
    return max(times) - min(times) if times else 0.0


def _forgotten(told: Sequence[Told], verdict: Verdict, moment: Moment) -> float | None:
    """Return how long before the moment the oldest lost call was accepted."""
    return max((moment.at - each.at for each in told if each.cid in verdict.lost), default=None)


def break_clusters(
    folder: Path, durability: Durability, network: Network | None, seed: str, *, seconds: float, only: str = ""
) -> Iterator[Row]:
    """Break a cluster in each way, and yield what became of the calls, way by way.

    Args:
        folder: an empty one.
        durability: of its Redis.
        network: a namespace for one of its servers, if there may be one.
        seed: what chance begins with.
        seconds: how long to kill at random.
        only: do only what has this in its name.
    """
    with arena_of(folder, durability, network) as arena:
        for fault in FAULTS:
            if only in fault.name and fault.applies(arena, durability):
                yield break_cluster(arena, _for(seconds, fault), durability, seed)


def _for(seconds: float, fault: Fault) -> Fault:
    """Return the fault, for so many seconds if it is one that lasts."""
    if fault.breaking is not faults.kill_at_random:
        return fault
    return replace(fault, breaking=partial(faults.kill_at_random, seconds=seconds))


def fail_over_rows(folder: Path, seed: str) -> Iterator[Row]:
    """Kill the master of a replica that sentinels watch, once with calls that have to be on both, once without."""
    for durability in (COPIED, EVERYSEC):
        with RedisSentinel(**durability.redis) as sentinel:
            url, settings = sentinel.url, durability.settings
            (own := folder / durability.name).mkdir(parents=True)
            with Arena(own, sentinel.replica, url, servers=2, **settings) as arena:
                yield break_cluster(arena, _fail_over(sentinel, durability), durability, seed)


def _fail_over(sentinel: RedisSentinel, durability: Durability) -> Fault:
    """Return the fault; where calls have to be on a replica none is accepted any more, because the last one is gone."""
    is_sure = durability.is_copied
    breaking = partial(faults.fail_over, sentinel)
    return Fault("fail-over to a replica", breaking, kills_redis=not is_sure, accepts=not is_sure)
