"""A process of a server, as it tells the others of itself."""

import msgspec

from zato.core.invocation import Holder

__all__ = ["Counts", "Member", "Running", "ThreadsState"]


class Running(msgspec.Struct, frozen=True):
    """Something that runs in a process: a call that no service made.

    Attributes:
        since: when it began, in Unix milliseconds.
    """

    service: str
    cid: str
    channel: str
    since: int


class ThreadsState(msgspec.Struct, frozen=True):
    """The threads of a process, and what they are for.

    Attributes:
        total: how many there are.
        busy: how many of them run something.
        http_limit: how many requests for blocking services may run at once.
        http_running: how many do.
        http_waiting: how many wait for that.
    """

    total: int = 0
    busy: int = 0
    http_limit: int = 0
    http_running: int = 0
    http_waiting: int = 0


class Counts(msgspec.Struct, frozen=True):
    """How often the services of a process ran since it deployed them.

    Attributes:
        services: for each that ran, how often, and how often with an error.
    """

    holder: Holder
    services: dict[str, tuple[int, int]]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a server, as it tells of itself.

    Attributes:
        identity: tells the environment of the server from all others, wherever they are.
        address: where the server answers, such as `http://10.0.0.5:11223`.
        started: when the process began, in Unix milliseconds.
        services: how many it can run.
        running: background calls that run in it.
        slots: how many could.
        threads: of the process.
        current: what has run longest now.
        drained: it takes no new work, as it was told, and nothing runs in the background any more.
    """

    holder: Holder
    identity: str
    host: str
    pid: int
    version: str
    address: str
    started: int
    services: int
    running: int
    slots: int
    drained: bool = False
    threads: ThreadsState = ThreadsState()
    current: tuple[Running, ...] = ()
