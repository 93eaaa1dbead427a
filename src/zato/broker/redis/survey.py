"""What kind of a Redis a cluster is in, and how durable what it stores is: for people who look after it."""

from dataclasses import dataclass
from typing import Any

from zato.broker.open import Location
from zato.broker.redis.connection import Connection, Lost, Unreachable
from zato.broker.redis.refusals import is_error
from zato.broker.redis.wire import FORMAT_VERSION
from zato.core.errors import EnvironmentFault

__all__ = ["RedisReport", "look_at"]

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisReport:
    """What is known of a Redis. What it does not tell is `unknown`, or 0.

    Attributes:
        place: host and port.
        role: `master` or `replica`.
        appendonly: whether what it stores goes to its disk as it happens.
        appendfsync: how soon that is on the disk: `always`, `everysec` or `no`.
        policy: what it does when it is full: `noeviction` alone keeps what was accepted.
        maxmemory: bytes it may use, or 0 for any number.
        used_memory: bytes it uses.
        replicas: how many copy it now.
        format: of the cluster's data, or None if there is none yet.
        problems: what endangers accepted calls, in words.
    """

    place: str
    version: str
    role: str
    appendonly: bool
    appendfsync: str
    policy: str
    maxmemory: int
    used_memory: int
    replicas: int
    format: int | None
    problems: tuple[str, ...]

    @property
    def durability(self) -> str:
        """Say in one line how durable what it stores is."""
        disk = f"appendfsync {self.appendfsync}" if self.appendonly else "appendonly no"
        return (
            f"Redis {self.version} at {self.place} keeps calls: {disk}, replicas {self.replicas}, "
            f"when full {self.policy}"
        )


def look_at(location: Location) -> RedisReport:
    """Return what is known of the Redis of a location.

    Raises:
        EnvironmentFault: it cannot be reached.
        InvalidSetting: its URL is not understood.
    """
    connection = Connection(location, lambda: None)
    try:
        replies = connection.execute(
            [
                ("INFO",),
                ("CONFIG", "GET", "appendfsync"),
                ("HGET", f"{{zato:{location.cluster}}}:meta", "format"),
            ]
        )
    except (Unreachable, Lost) as error:
        raise EnvironmentFault(f"{error}. Check the setting 'broker'.") from error
    finally:
        connection.close()
    info, fsync, format_ = replies
    if is_error(info):
        raise EnvironmentFault(f"Redis at {connection.place} does not tell of itself: {info}.")
    return _report(connection.place, _fields(info.decode()), fsync, format_, wanted=location.replicas)


def _report(place: str, info: dict[str, str], fsync: Any, format_: Any, *, wanted: int) -> RedisReport:
    appendonly = info.get("aof_enabled") == "1"
    policy = info.get("maxmemory_policy", UNKNOWN)
    maxmemory = int(info.get("maxmemory", 0))
    role = "master" if info.get("role") == "master" else "replica"
    version = info.get("valkey_version") or info.get("redis_version", UNKNOWN)
    appendfsync = UNKNOWN if is_error(fsync) or len(fsync) < 2 else fsync[1].decode()
    replicas = int(info.get("connected_slaves", 0))
    found = None if is_error(format_) or format_ is None or not format_.isdigit() else int(format_)
    problems = _problems(appendonly, appendfsync, policy, role, found)
    if replicas < wanted:
        problems.append(
            f"{wanted} replicas have to have each call (setting replicas), and it has {replicas}: calls are stored, "
            "but not acknowledged. Start replicas, or lower the setting."
        )
    return RedisReport(
        place=place,
        version=version,
        role=role,
        appendonly=appendonly,
        appendfsync=appendfsync,
        policy=policy,
        maxmemory=maxmemory,
        used_memory=int(info.get("used_memory", 0)),
        replicas=replicas,
        format=found,
        problems=tuple(problems),
    )


def _problems(appendonly: bool, appendfsync: str, policy: str, role: str, format_: int | None) -> list[str]:
    problems = []
    if not appendonly:
        problems.append(
            "It keeps calls in memory, and on its disk at most now and then: a restart may lose accepted ones. Set "
            "'appendonly yes'."
        )
    elif appendfsync == "no":
        problems.append(
            "The system decides when calls are on its disk: a crash of the machine may lose half a minute of them. Set "
            "'appendfsync everysec' or 'always'."
        )
    if policy not in {"noeviction", UNKNOWN}:
        problems.append(
            f"When it is full it drops keys (maxmemory-policy {policy}), accepted calls among them. Set "
            "'maxmemory-policy noeviction'."
        )
    if role != "master":
        problems.append("It is a replica, and takes no calls. Name its master, or the sentinels that know it.")
    if format_ is not None and format_ > FORMAT_VERSION:
        problems.append(
            f"Its data is of format {format_}; this version of zato reads up to {FORMAT_VERSION}. Upgrade zato."
        )
    return problems


def _fields(info: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in info.splitlines() if ":" in line)
    return {name: value for name, _, value in pairs}
