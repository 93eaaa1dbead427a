"""The nouns of delivery: what is accepted, what is leased, and how it ended.

Times are Unix milliseconds; payloads and responses are JSON as `zato.core.payload` writes it. What is
made for every call is a msgspec struct, which is made five times faster than a frozen dataclass.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import msgspec

from zato.core.payload import unicode_text
from zato.core.retry import Retry

__all__ = [
    "DEFAULT_QUEUE",
    "ONCE",
    "OUTCOMES",
    "PENDING",
    "Delivery",
    "ErrorInfo",
    "Failure",
    "Holder",
    "Invocation",
    "Lane",
    "Outcome",
    "Priority",
    "Record",
    "Status",
    "Terms",
]

DEFAULT_QUEUE = "default"
ONCE = Retry()


class Status(StrEnum):
    """Where an invocation stands. The last four are outcomes, and final."""

    WAITING = "waiting"
    DELAYED = "delayed"
    RUNNING = "running"
    STRANDED = "stranded"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OUTCOMES = (Status.DONE, Status.FAILED, Status.EXPIRED, Status.CANCELLED)
PENDING = tuple(status for status in Status if status not in OUTCOMES)


class Priority(IntEnum):
    """Which of several waiting invocations starts first: the one with the lowest number."""

    HIGH = 1
    NORMAL = 5
    LOW = 9


class Lane(StrEnum):
    """What an invocation of a service takes while it runs: a thread, or a task of the event loop."""

    THREAD = "thread"
    TASK = "task"


class Invocation(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted request to run one service in the background.

    Attributes:
        id: 26 characters, unique, sortable by time.
        parent: CID of the call that made this one, or None.
        in_reply_to: of a callback, the CID of the call it answers.
        replay_of: id of the invocation this one repeats, or None.
        not_before: it must not start earlier, or None.
        expires: it must not start later, or None.
        environ: JSON object handed on by the caller, or None.
        time_limit: seconds that one attempt may take, or None.
    """

    id: str
    cid: str
    service: str
    payload: bytes
    created: int
    channel: str = "invoke-async"
    queue: str = DEFAULT_QUEUE
    priority: int = Priority.NORMAL
    parent: str | None = None
    in_reply_to: str | None = None
    replay_of: str | None = None
    not_before: int | None = None
    expires: int | None = None
    callback: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()
    retry: Retry = ONCE
    time_limit: float | None = None
    data_format: str = "dict"
    transport: str | None = None
    environ: bytes | None = None
    idempotency_key: str | None = None


class Terms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a service's class says of background calls that do not say it themselves.

    Attributes:
        max_concurrency: how many of them may run at once in the whole cluster, or None for any number.
        retry: how often to try, or None.
        time_limit: seconds that one attempt may take, or None.
        priority: when to start them, beside others; None is normal.
        queue: which queue they are in; None is `default`.
    """

    max_concurrency: int | None = None
    retry: Retry | None = None
    time_limit: float | None = None
    priority: int | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds leases: one process of a server.

    Attributes:
        server: the server's name.
        run: tells one start of the server from all others.
        worker: which of the server's processes, from 1; a process that replaces a dead one has its number.
    """

    server: str
    run: str = ""
    worker: int = 1


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """Why an invocation failed, as data that crosses processes."""

    code: str
    type: str
    message: str
    traceback: str = ""

    def __post_init__(self) -> None:
        # Texts of foreign errors may hold what no store and no reply can, above all names of files.
        object.__setattr__(self, "message", unicode_text(self.message))
        object.__setattr__(self, "traceback", unicode_text(self.traceback))

    def public(self) -> dict[str, str]:
        """Return what callers see: everything except the traceback."""
        return {"code": self.code, "type": self.type, "message": self.message}


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt that failed and was followed, or is to be followed, by another.

    Attributes:
        attempt: which one, from 1.
    """

    attempt: int
    started: int
    ended: int
    server: str
    error: ErrorInfo


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an invocation ended. There is exactly one, and it never changes.

    Attributes:
        response: what the service returned, or None if it returned nothing.
        started: when the last attempt began, or None if none did.
    """

    status: Status
    ended: int
    response: bytes | None = None
    error: ErrorInfo | None = None
    attempts: int = 0
    started: int | None = None
    server: str | None = None
    version: str | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One invocation, leased to one server.

    Attributes:
        token: random; whoever does not hold it can record nothing.
        attempts: how often the service was run to an end before, and is to be tried again.
        takeovers: how often a holder vanished before this lease.
    """

    invocation: Invocation
    token: bytes
    attempts: int
    takeovers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything the broker knows of one invocation now.

    Attributes:
        failures: the last attempts that failed and were tried again, oldest first.
    """

    invocation: Invocation
    status: Status
    attempts: int
    takeovers: int
    started: int | None
    server: str | None
    not_before: int | None
    outcome: Outcome | None
    cid_count: int
    failures: tuple[Failure, ...] = ()
