"""What `zato doctor` asks a Redis that keeps the calls of a cluster. It is asked alone; nothing in it is changed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zato.broker.open import FILE
from zato.broker.survey import survey
from zato.cli.stores import location_of
from zato.core.errors import EnvironmentFault
from zato.core.settings import Settings
from zato.core.urls import split, without_password
from zato.environment import Environment

__all__ = ["check_redis", "judged"]

# Name, state, message and remedy, as `zato.cli.checks.Check` has them.
Found = tuple[str, str, str, str]

REDIS = (6, 2)
# The first ones with WAITAOF, of Redis and of Valkey, which names itself a Redis of 7.2.
WAITAOF = (7, 2)
# Of the memory that Redis may have: from when on there is little left.
NEARLY_FULL = 0.8
HOWTO = "See docs/howto/redis.md."


def check_redis(environment: Environment, settings: Settings) -> Iterator[Found]:
    """Yield what is found: whether it answers, how sure it keeps what it has, and whether it has room."""
    from zato.broker.redis.survey import look_at

    yield from _left_in_file(environment.data)
    yield from _open_password(environment)
    location = location_of(environment, settings)
    try:
        report = look_at(location)
    except EnvironmentFault as error:
        yield "store", "problem", str(error), "Nothing is accepted or run until it answers."
        return
    where = f"at {split(location.broker).place}; cluster {settings.cluster!r}"
    yield "store", "ok", f"Redis {report.version} answers {where}.", ""
    yield from judged(report, settings)


def judged(report: Any, settings: Settings) -> Iterator[Found]:
    """Yield what to think of what a Redis says of itself.

    Args:
        report: a `zato.broker.redis.survey.RedisReport`, which is imported only where there is a Redis.
        settings: what is asked of it.
    """
    for problem in report.problems:
        yield "store", "problem", problem, HOWTO
    if report.replicas < settings.replicas:
        message = f"Redis has {report.replicas} replicas, and {settings.replicas} have to have each call (replicas)."
        yield "store", "problem", message, "Nothing is accepted until it has: start them, or lower the setting."
    if report.appendonly:
        yield _durability(report.appendfsync)
    yield _memory(report.used_memory, report.maxmemory)
    yield _version(report.version, settings)


def _left_in_file(data: Path) -> Iterator[Found]:
    """Yield what is still in the file that kept the calls before."""
    if not (data / FILE).exists():
        return
    try:
        found = survey(data)
    except EnvironmentFault:
        return
    left = found.waiting + found.delayed + found.running + found.stranded
    if left:
        message = (
            f"{data / FILE} has {left} calls without outcome, from before the broker was a Redis: nobody runs them."
        )
        yield "calls", "warning", message, "Set broker = 'sqlite' in another environment, and restore a backup there."


def _open_password(environment: Environment) -> Iterator[Found]:
    """Yield that others can read the broker's password, which somebody wrote to the file of settings."""
    broker = str(environment.given().get("broker", ""))
    if without_password(broker) != broker and environment.config.stat().st_mode & 0o077:
        message = f"{environment.config} has the password of the broker in it, and others can read it."
        remedy = f"Write it to {environment.secrets} as broker_password, and leave it out of the address."
        yield "rights", "problem", message, remedy


def _version(version: str, settings: Settings) -> Found:
    numbers = tuple(int(number) for number in re.findall("[0-9]+", version)[:2])
    if numbers and numbers < REDIS:
        return "versions", "problem", f"Redis is {version}.", "Install 6.2 or newer, or Valkey."
    if settings.redis_fsync and numbers and numbers < WAITAOF:
        message = f"Redis is {version}, which has no WAITAOF (setting redis_fsync)."
        return "versions", "problem", message, "Install 7.2 or newer, or set redis_fsync = false."
    return "versions", "ok", f"Redis is {version}.", ""


def _durability(appendfsync: str) -> Found:
    if appendfsync == "always":
        return "store", "ok", "Redis has each call on its disk before it is acknowledged.", ""
    message = f"Redis has appendfsync {appendfsync}: what it accepted in the last seconds is gone if it is killed."
    return "store", "warning", message, "Set 'appendfsync always', or accept that."


def _memory(used: int, limit: int) -> Found:
    if not limit:
        return "memory", "ok", f"Redis uses {_megabytes(used)} of memory, without a limit of its own.", ""
    message = f"Redis uses {_megabytes(used)} of {_megabytes(limit)}."
    if used < limit * NEARLY_FULL:
        return "memory", "ok", message, ""
    state = "warning" if used < limit else "problem"
    return "memory", state, message, "Raise maxmemory, or keep outcomes for a shorter time (retention)."


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
