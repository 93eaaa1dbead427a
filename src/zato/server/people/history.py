"""The last calls that each person made of services, so that they can look at one, change it and make it again."""

import logging
from typing import Any

from zato.broker.batcher import Batcher
from zato.broker.documents import Browse, Fetch, Keep
from zato.core.envelope import InvokeRequest
from zato.core.errors import NotFound, ZatoError
from zato.core.people import KeptCall, pack, unpack

__all__ = ["CALL", "History", "cut", "options_of"]

CALL = "call"
# Of one person.
MOST = 20
# Seconds.
KEPT = 7 * 86_400.0
# Bytes of a payload and of a response that are kept.
LONGEST = 65_536
# Bytes of all that is kept of a call; as JSON, a character may take six.
LARGEST = 1_000_000

logger = logging.getLogger("zato.server")

OPTIONS = (
    "timeout",
    "expiration",
    "delay",
    "retry",
    "time_limit",
    "callback",
    "on_failure",
    "idempotency_key",
    "priority",
    "queue",
)


class History:
    """Keeps calls, and finds them."""

    def __init__(self, batcher: Batcher, reader: Batcher) -> None:
        """Take the store, to write and to read."""
        self._batcher = batcher
        self._reader = reader

    async def keep(self, user: str, call: KeptCall) -> None:
        """Keep a call of a person, in place of their oldest one if there are many.

        That it cannot be kept is no reason to say no to somebody whose call was made.
        """
        value = pack(call)
        if len(value) > LARGEST:
            logger.warning("A call of %r is too large to be among their last ones", user, extra={"cid": call.cid})
            return
        try:
            await self._batcher.ask(Keep(CALL, call.cid, value, owner=user, seconds=KEPT, at_most=MOST))
        except ZatoError as error:
            logger.warning("A call of %r is not among their last ones: %s", user, error, extra={"cid": call.cid})

    async def of(self, user: str) -> list[KeptCall]:
        """Return the last calls of a person, newest first."""
        documents = await self._reader.ask(Browse(CALL, owner=user, limit=MOST))
        return [unpack(KeptCall, document.value) for document in documents]

    async def get(self, cid: str) -> KeptCall:
        """Return one call of anybody, by the CID of the request.

        Raises:
            NotFound: there is none, or none any more.
        """
        document = await self._reader.ask(Fetch(CALL, cid))
        if document is None:
            raise NotFound(f"No call with the CID {cid!r:.80} is kept. The last {MOST} of each person are, for 7 days.")
        return unpack(KeptCall, document.value)


def cut(data: bytes) -> tuple[str, bool]:
    """Return as much of a text as is kept, and whether that is not all."""
    return data[:LONGEST].decode("utf-8", "ignore" if len(data) > LONGEST else "replace"), len(data) > LONGEST


def options_of(asked: InvokeRequest) -> dict[str, Any]:
    """Return the options that a request gives, as a client gives them."""
    given = {name: getattr(asked, name) for name in OPTIONS}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in given.items() if value is not None
    }
