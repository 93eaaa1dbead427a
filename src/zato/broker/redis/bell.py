"""From one server of a cluster to the others: there is work, and these calls have ended.

The scripts publish it with what they do, on the channel `bell` of `model.lua`; a thread of each process listens.
A message that is lost costs a second at most: whoever waits for work looks for itself that often, and whoever
connects anew looks at once.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence

from zato.broker.open import Location
from zato.broker.redis.connection import Subscription, Unreachable
from zato.core.cid import ID_LENGTH
from zato.inbox import LoopInbox

__all__ = ["RedisBell"]

READY = b"r"
# Seconds between two attempts to connect.
PAUSE = 0.5

Heard = Callable[[bool, Sequence[str] | None], None]

logger = logging.getLogger("zato.server")


class RedisBell:
    """Hears what other processes did with the same cluster. Telling them is the scripts' work."""

    def __init__(self, location: Location, loop: asyncio.AbstractEventLoop) -> None:
        """Take where Redis is, and the loop that it is told on."""
        self._location = location
        self._inbox = LoopInbox(loop)
        self._closed = threading.Event()
        self._subscription: Subscription | None = None
        self._heard: Heard = _nothing
        self._thread = threading.Thread(target=self._listen, name="zato-bell", daemon=True)

    def listen(self, heard: Heard) -> None:
        """Have everything told to `heard`, on the event loop, as `zato.server.bell.Bell` does."""
        self._heard = heard
        self._thread.start()

    def ring(self, *, ready: bool, ended: Sequence[str] | None) -> None:
        """Do nothing: who did something has told the others already."""

    def close(self) -> None:
        """Hear nothing any more."""
        self._closed.set()
        if self._thread.ident is not None:
            while self._thread.is_alive():
                if self._subscription is not None:
                    self._subscription.close()
                self._thread.join(0.05)

    def _listen(self) -> None:
        while not self._closed.is_set():
            subscription = Subscription(self._location, f"{{zato:{self._location.cluster}}}:bell")
            self._subscription = subscription
            try:
                subscription.open()
                # What happened before nobody has heard.
                self._tell(True, None)
                while not self._closed.is_set():
                    self._take(subscription.next())
            except Unreachable:
                # The store thread says what is wrong.
                self._closed.wait(PAUSE)
            finally:
                subscription.close()

    def _take(self, message: bytes) -> None:
        tag, ready, ids = (*message.split(b"|", 2), b"", b"")[:3]
        if tag != self._location.tag.encode():
            text = ids.decode("ascii", "replace")
            ended = [text[start : start + ID_LENGTH] for start in range(0, len(text), ID_LENGTH)]
            self._tell(ready == READY, ended)

    def _tell(self, ready: bool, ended: Sequence[str] | None) -> None:
        self._inbox.put(lambda: self._heard(ready, ended))


def _nothing(*_: object) -> None:
    """Stand in until somebody listens."""
