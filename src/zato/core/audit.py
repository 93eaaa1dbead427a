"""Who did what: one entry of the audit, as the broker keeps it and the web admin shows it."""

import msgspec

__all__ = ["AuditEntry"]


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a person did, or was refused. It never changes.

    Attributes:
        time: when, in Unix milliseconds.
        user: the name that the person gave.
        client: the address that the person was at.
        action: what was done: the name of a built-in service, `invoke` or `invoke-async`.
        object: what it was done to, such as a service, a queue or a user; empty for nothing in particular.
        cid: of the call that did it.
        status: `ok`, or the code of the error that refused it.
    """

    time: int
    user: str
    client: str = ""
    action: str
    object: str = ""
    cid: str = ""
    status: str = "ok"
