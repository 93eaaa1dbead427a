"""What a broker is asked beside the calls themselves: queues, locks, and the servers that share it.

Promises of `zato.broker.base` are not touched by any of it: a paused queue keeps its calls, a lock guards
what services do, and a server that is not listed still finishes what it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from zato.broker.base import Operation
from zato.core.invocation import Holder, Terms
from zato.core.member import Member

__all__ = [
    "Attend",
    "Attendance",
    "Drain",
    "Known",
    "Leave",
    "Lock",
    "Members",
    "Pause",
    "QueueState",
    "Queues",
    "Seen",
    "Unlock",
    "Whereabouts",
]


@dataclass(frozen=True, slots=True)
class Pause(Operation[bool]):
    """Have no call of a queue leased from now on, or have them leased again. Result: whether that is new.

    It is kept until it is undone, whatever restarts. Calls are accepted as before, and what runs goes on.
    """

    queue: str
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """What is in a queue. Counts are of calls without an outcome.

    Attributes:
        oldest: when the oldest of those that wait was accepted, in Unix milliseconds, or None.
    """

    name: str
    paused: bool
    waiting: int
    delayed: int
    running: int
    stranded: int
    oldest: int | None


@dataclass(frozen=True, slots=True)
class Queues(Operation[list[QueueState]]):
    """Tell of every queue that has a call without an outcome, or is paused, by name."""


@dataclass(frozen=True, slots=True)
class Lock(Operation[bool]):
    """Take a lock that nobody holds, or whose time has run out. Result: whether it was taken.

    Attributes:
        token: random bytes; who holds the lock is told by them.
        seconds: how long it is held at most.
        holder: the process that takes it, or None; `Reclaim` gives back what a process held that is known to be dead.
    """

    name: str
    token: bytes
    seconds: float
    holder: Holder | None = None


@dataclass(frozen=True, slots=True)
class Unlock(Operation[bool]):
    """Give a lock back. Result: False if it is not held with this token any more."""

    name: str
    token: bytes


@dataclass(frozen=True, slots=True)
class Attendance:
    """What a process learns when it tells of itself.

    Attributes:
        draining: its server is to take no new work.
        rival: another environment that lives and has the same server name, or None. It was there first.
    """

    draining: bool
    rival: Member | None = None


@dataclass(frozen=True, slots=True)
class Attend(Operation[Attendance]):
    """Tell of a process, at its start and then every second or so. Result: `Attendance`.

    Attributes:
        alive_for: seconds without another such word after which a process counts as gone.
    """

    member: Member
    alive_for: float


@dataclass(frozen=True, slots=True)
class Leave(Operation[None]):
    """Say that a process has come to its end, in good order."""

    holder: Holder


@dataclass(frozen=True, slots=True)
class Seen:
    """A process that shares the store.

    Attributes:
        ago: seconds since it last told of itself.
        alive: whether that is less than it said itself.
        draining: its server takes no new work.
    """

    member: Member
    ago: float
    alive: bool
    draining: bool


@dataclass(frozen=True, slots=True)
class Members(Operation[list[Seen]]):
    """Tell of the processes of all servers that share the store, by server and number.

    Those that are gone for more than a day, or left in good order, are not among them.
    """


@dataclass(frozen=True, slots=True)
class Drain(Operation[bool]):
    """Have a server take no new work, or take it again. Result: False if no server has that name.

    It holds until it is undone, or until the server starts again.
    """

    server: str
    draining: bool


@dataclass(frozen=True, slots=True)
class Known(Operation[Mapping[str, Terms]]):
    """Find out which of these services any server that shares the store has ever announced, and on what terms.

    In a store that only one server uses these are the services that are announced now.
    """

    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whereabouts(Operation[Mapping[str, list[str]]]):
    """Find out which live servers can run each of these services. Result: their names in order, by service.

    A service that no live server can run is not in the result.
    """

    services: tuple[str, ...]
