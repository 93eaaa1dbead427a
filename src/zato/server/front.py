"""What a client may ask for, whichever door it came through: run a service now, or in the background."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from zato.broker.base import Accepted
from zato.core.call import AsyncCall, Call, HTTPInfo
from zato.core.envelope import InvokeRequest, parse_item
from zato.core.many import items_of, numbered
from zato.core.payload import from_door
from zato.core.retry import Retry
from zato.server.collector import without_collecting
from zato.server.dispatcher import Dispatcher
from zato.server.publisher import Publisher, to_its_end
from zato.server.registry import Services
from zato.server.responses import response_text
from zato.server.threads import Budget

__all__ = ["LARGE", "Front", "Origin", "read_with"]

# From this many bytes on, reading JSON could hold up the event loop, and is done on a thread.
LARGE = 65_536

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a client's request came from: its CID, its door, and its HTTP side if it has one."""

    cid: str
    door: str
    http: Callable[[], HTTPInfo] | None = None


class Front:
    """Carries out the requests of clients."""

    def __init__(
        self,
        services: Services,
        dispatcher: Dispatcher,
        publisher: Publisher,
        budget: Budget,
        readers: Budget,
        *,
        max_response: int,
    ) -> None:
        """Take what is deployed, what runs and stores calls, and the slots that requests and large inputs wait for.

        A response may have `max_response` bytes.
        """
        self._max_response = max_response
        self._services = services
        self._dispatcher = dispatcher
        self._publisher = publisher
        self._budget = budget
        self._readers = readers

    async def invoke(self, request: InvokeRequest, origin: Origin) -> str:
        """Return the text of the service's response, or of the CID of a call that was accepted.

        Raises:
            ZatoError: the request was refused.
            Exception: whatever the service raised.
        """
        payload, raw = await read_with(self._readers, from_door, request.payload, label=request.name)
        if request.is_async:
            return await self._publish(request, payload, origin)
        call = Call(
            cid=origin.cid,
            service=self._named(request.name),
            payload=payload,
            raw=raw,
            channel=request.channel,
            channel_name=origin.door,
            data_format=request.data_format,
            transport=request.transport,
            http=origin.http,
        )
        shape = partial(response_text, limit=self._max_response, unwrap=request.skip_response_elem)
        return await self._dispatcher.run_root(call, shape, self._budget, request.timeout or None)

    async def invoke_async_many(self, items: object, origin: Origin) -> list[str]:
        """Return the CIDs of background calls that were accepted, all of them or none.

        Raises:
            BadRequest: an item is not legal; the message has its number.
            ZatoError: the calls were refused.
        """
        accepting = self._readers.run(partial(self._accept_many, items, origin), label=origin.door)
        return [accepted.cid for accepted in await to_its_end(accepting)]

    def _accept_many(self, items: object, origin: Origin) -> list[Accepted]:
        """Do the work of the above, on a thread."""
        calls = []
        for number, item in enumerate(items_of(items), 1):
            with numbered(number):
                request, payload = parse_item(item)
                calls.append(self._async_call_of(request, payload, origin))
        return self._publisher.publish_all_here(calls)

    async def _publish(self, request: InvokeRequest, payload: object, origin: Origin) -> str:
        call = self._async_call_of(request, payload, origin)
        return (await to_its_end(self._stored(call, len(request.payload)))).cid

    def _async_call_of(self, request: InvokeRequest, payload: object, origin: Origin) -> AsyncCall:
        return AsyncCall(
            service=self._named(request.name),
            payload=payload,
            parent=origin.cid,
            channel="invoke-async" if request.channel == "invoke" else request.channel,
            data_format=request.data_format,
            transport=request.transport,
            callback=request.callback,
            on_failure=request.on_failure or (),
            expiration=request.expiration,
            delay=request.delay,
            retry=None if request.retry is None else Retry.of(request.retry),
            time_limit=request.time_limit,
            cid=request.cid,
            idempotency_key=request.idempotency_key,
            priority=request.priority,
            queue=request.queue,
        )

    async def _stored(self, call: AsyncCall, size: int) -> Accepted:
        if size < LARGE:
            return await self._publisher.publish(call)
        accepted: Accepted = await self._readers.run(partial(self._publisher.publish_here, call), label=call.service)
        return accepted

    def _named(self, asked: str) -> str:
        """Return the name of a service that was asked for by name, or by implementation."""
        return self._services.current.resolved(asked)


async def read_with(readers: Budget, parse: Callable[[bytes], Read], data: bytes, *, label: str) -> Read:
    """Return what `parse` makes of an input, here if it is small, on a thread if it is large."""
    if len(data) < LARGE:
        return parse(data)
    read: Read = await readers.run(partial(without_collecting, parse, data), label=label)
    return read
