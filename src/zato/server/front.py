"""What a client may ask for, whichever door it came through: run a service now, or in the background."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from zato.broker.base import Accepted
from zato.core.call import AsyncCall, Call, HTTPInfo
from zato.core.envelope import InvokeRequest, parse_item
from zato.core.errors import BadRequest, Forbidden
from zato.core.many import items_of, numbered
from zato.core.names import is_reserved
from zato.core.payload import from_door
from zato.core.people import takes_password
from zato.core.retry import Retry
from zato.server.collector import without_collecting
from zato.server.dispatcher import Dispatcher
from zato.server.people.acting import Person, acting, for_nobody
from zato.server.people.roles import INDIRECT, INDIRECT_MANY, permit
from zato.server.publisher import Publisher, to_its_end
from zato.server.registry import Services
from zato.server.responses import response_text
from zato.server.threads import Budget

__all__ = ["LARGE", "Front", "Origin", "read_with"]

# From this many bytes on, reading JSON could hold up the event loop, and is done on a thread.
LARGE = 65_536
INDIRECTLY = (INDIRECT, INDIRECT_MANY)
DIRECTLY = "Invoke the service directly."

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
        self._permit(request, acting.get(), origin)
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
        running = self._dispatcher.run_root(call, shape, self._budget, request.timeout or None)
        return await (running if acting.get() is None or is_reserved(call.service) else for_nobody(running))

    async def invoke_async_many(self, items: object, origin: Origin) -> list[str]:
        """Return the CIDs of background calls that were accepted, all of them or none.

        Raises:
            BadRequest: an item is not legal; the message has its number.
            ZatoError: the calls were refused.
        """
        accepting = self._readers.run(partial(self._accept_many, items, origin, acting.get()), label=origin.door)
        return [accepted.cid for accepted in await to_its_end(accepting)]

    def _accept_many(self, items: object, origin: Origin, person: Person | None) -> list[Accepted]:
        """Do the work of the above, on a thread."""
        calls = []
        for number, item in enumerate(items_of(items), 1):
            with numbered(number):
                request, payload = parse_item(item)
            self._permit(request, person, origin)
            with numbered(number):
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

    def _permit(self, request: InvokeRequest, person: Person | None, origin: Origin) -> None:
        """Return if whoever asks may, whichever way the request came here."""
        if person is not None:
            self._permit_person(request, person, origin)
        if origin.door == INDIRECT and takes_password(self._named(request.name)):
            raise BadRequest(f"{INDIRECT!r} does not invoke {request.name!r}: its input may be kept. {DIRECTLY}")

    def _permit_person(self, request: InvokeRequest, person: Person, origin: Origin) -> None:
        name = self._named(request.name)
        call_backs = (*(request.callback or ()), *(request.on_failure or ()))
        permit(person, name, in_background=request.is_async, call_backs=call_backs)
        if origin.door in INDIRECTLY and name in INDIRECTLY:
            # The audit says what is asked for, and not what that asks for.
            raise Forbidden(f"A person may not invoke {name!r} by {origin.door!r}. {DIRECTLY}")

    def _named(self, asked: str) -> str:
        """Return the name of a service that was asked for by name, or by implementation."""
        return self._services.current.resolved(asked)


async def read_with(readers: Budget, parse: Callable[[bytes], Read], data: bytes, *, label: str) -> Read:
    """Return what `parse` makes of an input, here if it is small, on a thread if it is large."""
    if len(data) < LARGE:
        return parse(data)
    read: Read = await readers.run(partial(without_collecting, parse, data), label=label)
    return read
