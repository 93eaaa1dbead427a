"""What a running server says of itself in its environment, for the command line.

Written by `zato.server.supervisor`, read through `zato.environment`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

__all__ = ["MANAGED", "Layer", "RunningServer", "RunningWorker", "how_to_restart", "reachable", "url_of"]

# Settings by name, with where they come from.
Layer = tuple[str, Mapping[str, object]]

# Dead, and not yet waited for by the parent.
ENDED = frozenset("ZX")
MANAGED = "A service manager keeps this server; restart it there, with 'systemctl restart …' for instance."
WILDCARD_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- translated, not bound


@dataclass(frozen=True, slots=True)
class RunningWorker:
    """One worker process of a server.

    Attributes:
        number: from 1; a process that replaces a dead one has its number.
        pid: None while it is being replaced.
        deaths: how often it has been replaced.
    """

    number: int
    pid: int | None
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """What a running server says of itself in its environment.

    Attributes:
        pid: of the process that all others end with.
        name: the setting of that name.
        stops_within: seconds that its work in progress has to end at a stop.
        started: when its process started, or None where the system does not tell; numbers are given out again.
        workers: the processes that answer requests and run services.
        tls_fingerprint: SHA-256 of its certificate in hex, or None if it speaks plain HTTP.
        since: when it was started, in UTC as ISO 8601, or None if it has not said so.
        settings: those in force, by name; empty if it has not said so.
        layers: which of them overrode `config.toml` at its start, so that `zato restart` can do it again.
        managed: whether a service manager started it, which starts it again.
    """

    pid: int
    name: str
    host: str
    port: int
    stops_within: float
    started: int | None = None
    workers: tuple[RunningWorker, ...] = ()
    tls_fingerprint: str | None = None
    since: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    managed: bool = False

    @classmethod
    def here(
        cls, name: str, host: str, port: int, *, stops_within: float, tls_fingerprint: str | None = None
    ) -> "RunningServer":
        """Return what this process says of itself."""
        started = _start_of(os.getpid())
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return cls(os.getpid(), name, host, port, stops_within, started, tls_fingerprint=tls_fingerprint, since=now)

    @classmethod
    def from_json(cls, text: str) -> "RunningServer":
        """Return what a server has said.

        Raises:
            ValueError: it is not what a server says.
        """
        try:
            values = json.loads(text)
            return cls(
                pid=int(values["pid"]),
                name=str(values["name"]),
                host=str(values["host"]),
                port=int(values["port"]),
                stops_within=float(values["stops_within"]),
                started=None if values["started"] is None else int(values["started"]),
                workers=tuple(RunningWorker(**worker) for worker in values["workers"]),
                tls_fingerprint=values.get("tls_fingerprint"),
                since=values.get("since"),
                settings=values.get("settings", {}),
                layers=tuple((str(source), dict(layer)) for source, layer in values.get("layers", ())),
                managed=bool(values.get("managed", False)),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{text!r:.200} does not say where a server is: {error}.") from error

    def to_json(self) -> str:
        """Return this as one line of JSON."""
        return json.dumps(asdict(self))

    @property
    def has_ended(self) -> bool:
        """Whether its process is no more, even if another one has its number now."""
        return self.started is not None and _start_of(self.pid) != self.started

    @property
    def owner(self) -> int | None:
        """The user whose process it is, or None where the system does not tell."""
        try:
            return Path(f"/proc/{self.pid}").stat().st_uid
        except OSError:
            return None

    @property
    def reachable_host(self) -> str:
        """The address to connect to: this machine's own, for a server that listens on every address."""
        return reachable(self.host)

    @property
    def address(self) -> str:
        """Where it is reached from this machine, as `http://host:port` or `https://host:port`."""
        return url_of(self.host, self.port, tls=bool(self.tls_fingerprint))


def how_to_restart(path: Path, server: RunningServer | None) -> str:
    """Return what to do for a server to take what has changed: a command, or words if it is not that command's.

    Args:
        path: the environment's folder, as it is to be shown.
        server: the one that runs, or None if it has not said yet what it is.
    """
    return MANAGED if server is not None and server.managed else f"zato restart {quote(str(path))}"


def reachable(host: str) -> str:
    """Return the address to connect to from this machine, for a server that listens on `host`."""
    return WILDCARD_HOSTS.get(host, host)


def url_of(host: str, port: int, *, tls: bool) -> str:
    """Return where a server that listens on `host` is reached from this machine."""
    reached = reachable(host)
    return f"{'https' if tls else 'http'}://{f'[{reached}]' if ':' in reached else reached}:{port}"


def _start_of(pid: int) -> int | None:
    """Return when a process started, as Linux counts; None if there is none, or on another system."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    # The name of the program may hold anything; the fields after it are numbered from 3 (man 5 proc).
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ENDED else int(fields[19])
