"""Where an environment keeps its calls, as commands need to know it: in a file of its own, or in a Redis."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zato.broker.open import Location
from zato.cli.layers import layers_at_restart, layers_at_start
from zato.core.errors import EnvironmentFault, ZatoError
from zato.core.invocation import PENDING
from zato.core.settings import Settings
from zato.core.urls import EMBEDDED, masked, split
from zato.environment import Environment

__all__ = ["counted_by_server", "counts_shown", "location_of", "refuse_if_shared", "settings_in_force", "shared_place"]

COUNTED = tuple(map(str, PENDING))


def settings_in_force(environment: Environment, variables: Mapping[str, str]) -> Settings:
    """Return the settings of the running server's next start, or of the next start if none runs.

    Raises:
        EnvironmentFault: `config.toml` cannot be read.
        InvalidSetting: a setting is unknown or not legal.
    """
    server = environment.running_or_none()
    layers = layers_at_start(variables, {}) if server is None else layers_at_restart(server, variables, {})
    return environment.settings(*layers)


def location_of(environment: Environment, settings: Settings) -> Location:
    """Return where the broker is.

    Raises:
        EnvironmentFault: `secrets.toml` cannot be used.
        InvalidSetting: the broker's address has no password but what stands for one.
    """
    apart, credentials = environment.broker_access(settings)
    return Location(
        broker=apart.broker,
        data=environment.data,
        cluster=apart.cluster,
        password=credentials.broker_password,
        replicas=apart.replicas,
        fsync=apart.redis_fsync,
    )


def refuse_if_shared(environment: Environment, variables: Mapping[str, str], what: str) -> None:
    """Return if the environment's calls are in a file of its own.

    Args:
        environment: the folder.
        variables: those of this process.
        what: which command is refused else, such as `backup`.

    Raises:
        EnvironmentFault: they are in Redis.
    """
    try:
        settings = settings_in_force(environment, variables)
    except ZatoError:
        # Copies are wanted above all of what is broken.
        return
    if settings.broker != EMBEDDED:
        raise EnvironmentFault(
            f"What {environment.path} has accepted and recorded is in Redis at {split(settings.broker).place}, cluster "
            f"{settings.cluster!r}, and 'zato {what}' is for files. It is backed up and restored there: "
            "docs/howto/redis.md says how."
        )


def shared_place(settings: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return address and cluster of a broker that servers share, as they may be shown, or None if it is a file."""
    broker = str(settings.get("broker", EMBEDDED))
    return None if broker == EMBEDDED else (masked(broker), str(settings.get("cluster", "")))


def counted_by_server(path: Path) -> dict[str, int] | None:
    """Return how many background calls have no outcome yet, as the running server says, or None if it does not."""
    from zato.cli.door import ask

    try:
        queues = ask(path, "zato.queue.get-list")["items"]
    except ZatoError:
        return None
    return {status: sum(queue[status] for queue in queues) for status in COUNTED}


def counts_shown(counts: Mapping[str, int] | None) -> str:
    """Return counts of calls as people read them."""
    if counts is None:
        return "not known: the server does not say"
    return ", ".join(f"{count:,} {status}" for status, count in counts.items())
