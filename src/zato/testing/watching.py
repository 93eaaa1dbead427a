"""Which services were invoked by others, and with what."""

from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from zato.core.call import Call
from zato.core.exchange import Response
from zato.server.dispatcher import Dispatcher

__all__ = ["Invoked", "WatchedDispatcher"]


@dataclass(frozen=True, slots=True)
class Invoked:
    """One call of `self.invoke`.

    Attributes:
        service: name of the service that was invoked.
        payload: what it was given, as it was at that moment.
        caller: name of the service that invoked it.
        cid: the CID of both.
        timeout: the seconds that its caller would wait, or None.
    """

    service: str
    payload: Any
    caller: str
    cid: str
    channel: str
    data_format: str
    transport: str | None
    timeout: float | None


class WatchedDispatcher(Dispatcher):
    """Runs services as a server does, and notes which of them invoke which."""

    @cached_property
    def invoked(self) -> list[Invoked]:
        """What was noted, in order."""
        return []

    def invoke_here(self, call: Call, timeout: float | None) -> Response:
        """Note a call, and run it."""
        self.invoked.append(_noted(call, timeout))
        return super().invoke_here(call, timeout)

    async def invoke(self, call: Call, timeout: float | None) -> Response:
        """Note a call, and run it."""
        self.invoked.append(_noted(call, timeout))
        return await super().invoke(call, timeout)


def _noted(call: Call, timeout: float | None) -> Invoked:
    return Invoked(
        service=call.service,
        payload=_copied(call.payload),
        caller=call.chain[-1],
        cid=call.cid,
        channel=call.channel,
        data_format=call.data_format,
        transport=call.transport,
        timeout=timeout,
    )


def _copied(payload: Any) -> Any:
    """Return a payload that its owner cannot change any more, unless it is something that has no copy."""
    with suppress(Exception):
        return deepcopy(payload)
    return payload
