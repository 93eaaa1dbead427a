"""What a service knows of the server that it runs on."""

from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

from zato.core.errors import hint_for

__all__ = ["ServerInfo"]


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """What `self.server` is.

    Attributes:
        name: the setting of that name.
        cluster: the setting of that name.
        broker: what keeps background calls; an address has no password in it.
        host: the address that the server listens on.
        port: the port that it listens on.
        address: where others reach it, as `http://host:port`.
        pid: number of the process that runs the service.
        worker: which process of the server that is, from 1.
        workers: how many it has.
        version: of this package.
        python: version of Python.
        started: when the process started, in UTC.
        environment: the environment's folder.
    """

    name: str
    cluster: str
    broker: str
    host: str
    port: int
    address: str
    pid: int
    worker: int
    workers: int
    version: str
    python: str
    started: datetime
    environment: Path

    def __getattr__(self, name: str) -> object:
        """Refuse what is not there, and say what is."""
        known = [field.name for field in fields(self)]
        hint = hint_for(name, known)
        raise AttributeError(f"self.server has no {name!r}. {f'{hint} ' if hint else ''}It has {', '.join(known)}.")
