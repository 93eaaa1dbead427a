"""What runs here and now: the CID, the service and the channel that a log line belongs to.

It is set where a service runs, on its thread or in its task, and seen by everything that is called from
there. Tasks that a service creates have it too; threads that it starts itself do not.
"""

from contextvars import ContextVar, Token

from zato.core.call import Call

__all__ = ["Scope", "enter", "leave", "running"]

Scope = tuple[str, str, str]

running: ContextVar[Scope | None] = ContextVar("running", default=None)


def enter(call: Call) -> "Token[Scope | None]":
    """Say that a call's service runs here from now on, until `leave`."""
    return running.set((call.cid, call.service, call.channel))


def leave(token: "Token[Scope | None]") -> None:
    """Say that the service which ran before runs here again.

    A coroutine that nobody waits for any more may be closed elsewhere; what runs there is not our business.
    """
    try:
        running.reset(token)
    except ValueError:
        return
