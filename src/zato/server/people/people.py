"""Everything about people that doors and built-in services use, made of the store."""

import asyncio
from collections.abc import Callable

from zato.broker.batcher import Batcher
from zato.core.settings import Settings
from zato.server.identity import now_ms
from zato.server.locks import Locks
from zato.server.people.accounts import Accounts
from zato.server.people.back_off import BackOff
from zato.server.people.hashing import Hashing
from zato.server.people.history import History
from zato.server.people.login import LogIn
from zato.server.people.sessions import Sessions
from zato.server.people.trail import Trail

__all__ = ["People"]


class People:
    """The parts, which share the store and one thread for passwords.

    Attributes:
        accounts: who there is.
        sessions: who is logged in.
        login: tells whether somebody is who they say they are.
        history: the last calls that each person made.
        trail: the audit.
    """

    def __init__(
        self,
        batcher: Batcher,
        reader: Batcher,
        locks: Locks,
        settings: Settings,
        *,
        loop: asyncio.AbstractEventLoop,
        wall: Callable[[], int] = now_ms,
    ) -> None:
        """Take the store, to write and to read, its locks, and the settings.

        Args:
            loop: on which all this is used.
            wall: tells Unix time in milliseconds.
        """
        self._hashing = Hashing(loop)
        self.accounts = Accounts(batcher, reader, locks, wall=wall)
        self.sessions = Sessions(batcher, reader, lifetime=settings.session_lifetime, wall=wall)
        self.trail = Trail(batcher, reader, retention=settings.audit_retention, wall=wall)
        self.history = History(batcher, reader)
        back_off = BackOff(batcher, reader, wall=wall)
        self.login = LogIn(self.accounts, self.sessions, self._hashing, back_off, self.trail)

    def close(self) -> None:
        """End the thread."""
        self._hashing.close()
