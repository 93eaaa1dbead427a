"""What a broker promises, and the operations it is asked for.

A backend is one blocking object: `apply(batch)` carries out a batch of operations in order and
returns when what they changed is durable. `zato.broker.batcher` calls it, on one thread a process.

The promises; each has one test with its number, run against every backend:

1.  Accepted means durable: an accepted invocation survives `kill -9` of every process of ours.
2.  Every accepted invocation ends in exactly one recorded outcome; none waits for ever for a reason of ours.
3.  It runs at least once. Whoever does not hold the current token records nothing.
4.  The work of a vanished holder is leased again once its lease has ended, and counted as a take-over.
5.  Outcome, acknowledgement and follow-ups are one atomic step.
6.  A delayed invocation is not leased before its time.
7.  An invocation that did not start before its expiry never starts; its outcome is `expired`.
8.  One idempotency key, one invocation: a repeat within the retention gets the first one's CID.
9.  Space is bounded: outcomes go after their retention, in slices.
10. A store that cannot store raises: refused, not lost.
11. An invocation without an outcome can be cancelled; whoever runs it then records nothing.

Leases are measured on a clock that no operator can set; delays, expiry and retention on the wall clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, Self, TypeVar

from zato.core.errors import BrokerUnavailable, Conflict, ZatoError
from zato.core.invocation import Delivery, Failure, Holder, Invocation, Lane, Outcome, Record, Status, Terms

__all__ = [
    "Accept",
    "AcceptAll",
    "Accepted",
    "Announce",
    "Applied",
    "Backend",
    "Beat",
    "Cancel",
    "Clock",
    "Count",
    "Find",
    "Finish",
    "Found",
    "Lease",
    "Leased",
    "Look",
    "Operation",
    "Postpone",
    "Purge",
    "Purged",
    "Reclaim",
    "Release",
    "Unconfirmed",
    "Unstorable",
    "conflict_with",
]


Result_co = TypeVar("Result_co", covariant=True)


class Operation(Generic[Result_co]):
    """One thing a backend is asked to do; the parameter is the type of its result."""

    __slots__ = ()


class Unstorable(ZatoError):
    """Something is too large for the store, or has no stored form: to ask again does not help.

    Store what is large elsewhere, and pass on where.
    """

    code = "unstorable"

    @classmethod
    def because(cls, error: Exception) -> Self:
        """Return the refusal of what has no stored form, whether it was to be stored or looked for."""
        refusal = cls(f"This cannot be stored, now or later: {type(error).__name__}: {error}.")
        refusal.__cause__ = error
        return refusal


class Unconfirmed(BrokerUnavailable):
    """A call was stored, but not as surely as the settings `replicas` and `redis_fsync` want it. It may run.

    Repeat it with the same idempotency key: it runs once.
    """

    code = "unconfirmed"


def conflict_with(call: Invocation, cid: str) -> Conflict:
    """Return the refusal of a call whose key was used for something else, under that CID."""
    return Conflict(
        f"The idempotency key {call.idempotency_key!r} was used before, for another service or payload (CID {cid}). "
        "Use a new key for a new call."
    )


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was stored: the id and CID of the call, or of the first one with the same idempotency key."""

    id: str
    cid: str


@dataclass(frozen=True, slots=True)
class Leased:
    """Deliveries to run, and the seconds until there may be another for a reason of time, or None."""

    deliveries: list[Delivery]
    next_in: float | None


@dataclass(frozen=True, slots=True)
class Accept(Operation[Accepted]):
    """Store an invocation. Result: `Accepted`. Raises `Conflict` if its key was used for another payload."""

    invocation: Invocation


@dataclass(frozen=True, slots=True)
class AcceptAll(Operation[list[Accepted]]):
    """Store invocations, all of them or none. Result: one `Accepted` for each, in order. Raises as `Accept` does."""

    invocations: tuple[Invocation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease(Operation[Leased]):
    """Take over what has no holder, and what the holder's server can run. Result: `Leased`.

    What has the lowest number for a priority comes first, and of that what was accepted first. Left alone is
    what is in a paused queue, and what is of a service that runs `max_concurrency` times by now.

    First moves on whatever time has moved on: delayed calls that are due, calls that expired, leases
    that ended; at most 100 of each. If any lease has ended, what the holder has itself is prolonged
    before: one that stood still for longer than its leases does not take over from itself what nobody
    else has leased. However many it asks for, it gets no more at once than a process can hold in memory.

    Attributes:
        limits: how many deliveries each lane has room for.
        token: 8 random bytes, the fence of all deliveries in the result.
        seconds: how long the lease lasts without a `Beat`.
        holdings: what the holder has, as pairs of id and token.
    """

    holder: Holder
    limits: Mapping[Lane, int]
    token: bytes
    seconds: float
    holdings: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Beat(Operation[list[str]]):
    """Prolong leases, given as pairs of id and token. Result: the ids that are held no more."""

    holdings: tuple[tuple[str, bytes], ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Finish(Operation[bool]):
    """Record an outcome, acknowledge, store the follow-ups. Result: False if the token is not the current one."""

    id: str
    token: bytes
    outcome: Outcome
    follow_ups: tuple[Invocation, ...] = ()


@dataclass(frozen=True, slots=True)
class Postpone(Operation[bool]):
    """Give a delivery back to be tried again at `not_before`. Result: False if the token is not the current one.

    Attributes:
        attempts: how often the service was run to an end by now.
        started: False if it was not run under this lease: then it expires as before, and the attempts
            stay what they were.
        failure: why it is tried again; the last 10 of a call are kept until its outcome goes.
    """

    id: str
    token: bytes
    not_before: int
    attempts: int
    started: bool = True
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Release(Operation[bool]):
    """Give a delivery back, to be leased again at once. Result: False if the token is not the current one.

    It counts neither as an attempt nor as a take-over, but the call has started: it expires no more.
    """

    id: str
    token: bytes


@dataclass(frozen=True, slots=True)
class Reclaim(Operation[int]):
    """End leases at once whose holders are known to be dead. Result: how many.

    These are the leases of the server's earlier runs, whatever its name was then, and of the process that
    had this one's number in this run. A store that servers share frees nothing of another server.
    """

    holder: Holder


@dataclass(frozen=True, slots=True)
class Announce(Operation[list[str]]):
    """Say which services a server can run, and in which lane; calls of what no live server can run are stranded.

    Result: services that stay announced for the server though they are not among these.

    Attributes:
        only_add: what was announced before stays so, because other processes of the server have it.
        terms: what the classes of some of them say of background calls; it replaces what was said before, by
            whichever server.
        server: the name of the server. In a store that only one server uses it makes no difference.
    """

    services: Mapping[str, Lane]
    only_add: bool = False
    terms: Mapping[str, Terms] = field(default_factory=dict)
    server: str = ""


@dataclass(frozen=True, slots=True)
class Look(Operation[Record | None]):
    """Find an invocation by id, or the newest by CID. Result: its `Record`, or None."""

    id: str | None = None
    cid: str | None = None


@dataclass(frozen=True, slots=True)
class Cancel(Operation[bool]):
    """Record the outcome `cancelled` of a call that has none. Result: whether it was recorded.

    The broker fills in the attempts that were made, and the start and server of the last one. The lease
    of a call that runs ends with it.
    """

    id: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Found:
    """A page of records, newest first, without payloads and responses, and where the next page begins.

    Attributes:
        cursor: what `Find` is given for the next page; None after the last one.
    """

    records: list[Record]
    cursor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Find(Operation[Found]):
    """Find the invocations that have everything that is asked for, newest first. Result: `Found`.

    Attributes:
        since: accepted at this time or later, Unix milliseconds.
        until: accepted before this time.
        parent: CID of the call that made them.
        channel: how they came in, such as `invoke-async`.
        server: the name of the server that runs them now, or where they ended.
        error: a text in the type or the message of the error they ended with; A to Z may be of any case.
        limit: how many at most, in one page.
        cursor: from the page before.
    """

    status: Status | None = None
    service: str | None = None
    since: int | None = None
    until: int | None = None
    parent: str | None = None
    cid: str | None = None
    channel: str | None = None
    server: str | None = None
    error: str | None = None
    limit: int = 50
    cursor: int | None = None


@dataclass(frozen=True, slots=True)
class Count(Operation[int]):
    """Count the invocations that a `Find` would list, on all its pages; its limit and cursor make no difference."""

    find: Find


@dataclass(frozen=True, slots=True)
class Purged:
    """How many outcomes were deleted, and whether there are more that are too old."""

    count: int
    more: bool


@dataclass(frozen=True, slots=True)
class Purge(Operation[Purged]):
    """Delete outcomes older than the retention, at most `limit`, the oldest first. Result: `Purged`.

    Of large ones it deletes fewer at a time, but at least one, so that nobody waits for long meanwhile.
    """

    retention: float
    limit: int = 500


@dataclass(slots=True)
class Applied:
    """What a batch did.

    Attributes:
        results: one for each operation, in order; an exception for one that was refused: `Unstorable`
            or another one that stays, `BrokerUnavailable` for one that may be stored later.
        ready: the batch made an invocation ready to be leased.
        ended: ids of the invocations that got their outcome.
    """

    results: list[object] = field(default_factory=list)
    ready: bool = False
    ended: list[str] = field(default_factory=list)


class Clock(Protocol):
    """The two clocks a backend reads, both in milliseconds."""

    def wall(self) -> int:
        """Return Unix time."""

    def boot(self) -> int:
        """Return the time since the machine started, sleep included; nobody can set it."""

    def boot_id(self) -> str:
        """Return what tells one start of the machine from another."""


class Backend(Protocol):
    """Keeps the promises above. Used from one thread only."""

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        """Carry out operations in order, durably.

        Raises:
            BrokerUnavailable: nothing of the batch was stored.
        """

    def close(self) -> None:
        """Give back files and connections."""
