"""A process of a server, as it tells the others of itself."""

import msgspec

from zato.core.invocation import Holder

__all__ = ["Member"]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a server, as it tells of itself.

    Attributes:
        identity: tells the environment of the server from all others, wherever they are.
        address: where the server answers, such as `http://10.0.0.5:11223`.
        started: when the process began, in Unix milliseconds.
        services: how many it can run.
        running: background calls that run in it.
        slots: how many could.
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
