"""What a supervisor tells a worker process, and what that one says back: lines of JSON."""

import json
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from zato.core.envelope import ADMIN_USER, API_USER
from zato.core.invocation import Holder
from zato.core.masks import spellings
from zato.core.settings import Settings
from zato.environment import Credentials, Environment
from zato.server.logs.root import Logs, Outlets, logging_to

__all__ = ["FROM_TERMINALS", "Importing", "Orders", "Report", "receive_orders", "said_in", "say"]

# They reach every process of a terminal; what follows from them is the supervisor's decision.
FROM_TERMINALS = frozenset({signal.SIGINT, signal.SIGHUP})
END = b"\n"
# Characters. Below, a broker's password is masked in addresses alone.
SHORT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Everything a worker process is started with.

    It is decided once for all workers, at the start of the server: one that replaces another later must
    not have other settings or passwords because a file was changed meanwhile.

    Attributes:
        path: the environment's folder.
        worker: which process, from 1.
        run: tells this start of the server from all others.
        parent: number of the supervisor's process.
        lock: descriptor of the environment's lock.
        replaces: the process takes the place of one that died.
        to_stream: log to standard error too, not only to the file.
        ended_by: files of services that ended an earlier process while it imported them, and how.
    """

    path: str
    settings: Settings
    credentials: Credentials
    worker: int
    run: str
    parent: int
    lock: int
    replaces: bool = False
    to_stream: bool = True
    ended_by: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Environment:
        """The environment."""
        return Environment(Path(self.path))

    def logging(self) -> AbstractContextManager[Logs]:
        """Return a context in which a process of the server logs."""
        environment, settings = self.environment, self.settings
        # The supervisor, worker 0, answers no requests.
        has_access = settings.access_log and self.worker > 0
        return logging_to(
            Outlets(
                file=environment.logs / "server.log",
                level=settings.log_level,
                style=settings.log_format,
                stream=sys.stderr if self.to_stream else None,
                access=environment.logs / "access.log" if has_access else None,
                levels=environment.levels,
                secrets=self.secrets(),
            )
        )

    def secrets(self) -> frozenset[str]:
        """Return what is masked in logs and reports; a password so short that it is part of many a word is not."""
        known = self.credentials
        secrets = spellings(ADMIN_USER, known.admin_invoke) | spellings(API_USER, known.pubapi)
        secrets |= frozenset((*known.encryption_key.split(), known.first_user_hash)) - {""}
        if len(known.broker_password) < SHORT:
            return secrets
        return secrets | spellings("default", known.broker_password)

    @property
    def holder(self) -> Holder:
        """The process as it holds leases."""
        return Holder(self.settings.name, self.run, self.worker)

    def to_line(self) -> bytes:
        """Return this as a line of JSON."""
        return json.dumps(asdict(self)).encode() + END

    @classmethod
    def from_line(cls, line: bytes) -> "Orders":
        """Return what a line says."""
        values = json.loads(line)
        settings, credentials = Settings(**values.pop("settings")), Credentials(**values.pop("credentials"))
        return cls(settings=settings, credentials=credentials, **values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a worker process says once: that it answers requests, or why it cannot.

    Attributes:
        services: how many of the environment's were loaded.
        errors: what was not loaded, and why.
        fault: why the process cannot work, or an empty text.
    """

    services: int = 0
    errors: tuple[str, ...] = ()
    fault: str = ""

    def to_line(self) -> bytes:
        """Return this as a line of JSON."""
        return json.dumps(asdict(self)).encode() + END


@dataclass(frozen=True, slots=True)
class Importing:
    """What a worker process says before it reports: which file it imports now, or "" for none any more."""

    file: str

    def to_line(self) -> bytes:
        """Return this as a line of JSON."""
        return json.dumps(asdict(self)).encode() + END


def said_in(line: bytes) -> Report | Importing:
    """Return what a line of a worker process says."""
    values = json.loads(line)
    if "file" in values:
        return Importing(values["file"])
    return Report(services=values["services"], errors=tuple(values["errors"]), fault=values["fault"])


def receive_orders(line: socket.socket) -> Orders:
    """Return what a worker process is told; without a supervisor there is nothing to do."""
    received = bytearray()
    while not received.endswith(END):
        part = line.recv(65_536)
        if not part:
            sys.exit(1)
        received += part
    return Orders.from_line(bytes(received))


def say(line: socket.socket, what: Report | Importing) -> None:
    """Tell the supervisor. One that has ended needs to know nothing."""
    try:
        line.sendall(what.to_line())
    except OSError:
        return
