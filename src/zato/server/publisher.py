"""Accepting background calls: check their names and options, give each a CID, hand them to the broker."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from zato.broker.base import Accept, AcceptAll, Accepted
from zato.broker.batcher import Batcher
from zato.core.call import AsyncCall
from zato.core.callbacks import choose_callbacks, replies_to, require_deployed
from zato.core.cid import check_cid
from zato.core.errors import BadRequest, PayloadTooLarge
from zato.core.invocation import DEFAULT_QUEUE, ONCE, Invocation, Outcome, Priority, Terms
from zato.core.many import numbered
from zato.core.options import environ_of, key_of, milliseconds_of, priority_of, queue_of, text_of, time_limit_of
from zato.core.payload import decode, encode
from zato.core.people import takes_password
from zato.server.elsewhere import Elsewhere
from zato.server.identity import new_cid, new_invocation_id, now_ms
from zato.server.registry import Services

__all__ = ["CALLBACK_CHANNEL", "Publisher", "follow_ups", "repeated", "to_its_end"]

CALLBACK_CHANNEL = "invoke-async-callback"
REPLAY_KEY = "zato.replay:"
# Of many calls: how many are prepared before the event loop does something else.
SLICE = 200
# Bytes that the payloads of many may have together: nobody else is served while they are stored.
MOST_TOGETHER = 64_000_000
NO_TERMS = Terms()

Stored = TypeVar("Stored")
TermsOf = Callable[[str], Terms | None]


class Publisher:
    """Turns requests for background calls into stored invocations."""

    def __init__(
        self,
        services: Services,
        batcher: Batcher,
        *,
        max_stored: int,
        elsewhere: Elsewhere | None = None,
        wall: Callable[[], int] = now_ms,
    ) -> None:
        """Take what calls may name, the broker, and the most bytes a payload may have.

        Args:
            elsewhere: what finds out which services other servers have, if servers share the broker.
            wall: tells Unix time in milliseconds.
        """
        self._wall = wall
        self._services = services
        self._batcher = batcher
        self._max_stored = max_stored
        self._elsewhere = elsewhere

    async def publish(self, call: AsyncCall) -> Accepted:
        """Store a call, from the event loop, and return its id and CID once it is durable.

        Raises:
            UnknownService: the target, or a service to call back, is not deployed.
            BadRequest: an option is not legal.
            PayloadTooLarge: the payload is over `max_stored`.
            BrokerUnavailable: it could not be stored. It will not run.
        """
        if names := self._unsure((call,)):
            await self._ask_for(names)
        return await self._batcher.ask(Accept(self.prepare(call)))

    async def publish_once(self, call: AsyncCall) -> tuple[Accepted, bool]:
        """Do the same, and tell whether it was this request that made the call, not an earlier one with its key."""
        if names := self._unsure((call,)):
            await self._ask_for(names)
        invocation = self.prepare(call)
        accepted = await self._batcher.ask(Accept(invocation))
        return accepted, accepted.id == invocation.id

    def publish_here(self, call: AsyncCall) -> Accepted:
        """Do the same from a service's thread, which waits."""
        if names := self._unsure((call,)):
            self._ask_for_here(names)
        return self._batcher.wait(Accept(self.prepare(call)))

    async def publish_all(self, calls: Sequence[AsyncCall]) -> list[Accepted]:
        """Store calls, all of them or none, and return their ids and CIDs in order.

        Raises:
            BadRequest: one of them is refused; the message has its number, from 1.
            PayloadTooLarge: their payloads have more than 64 MB together.
            Conflict: the idempotency key of one was used for another payload.
            BrokerUnavailable: they could not be stored. None will run.
        """
        if names := self._unsure(calls):
            await self._ask_for(names)
        invocations: list[Invocation] = []
        for start in range(0, len(calls), SLICE):
            invocations += self._prepare_all(calls[start : start + SLICE], start)
            await asyncio.sleep(0)
        return await self._batcher.ask(_together(invocations)) if calls else []

    def publish_all_here(self, calls: Sequence[AsyncCall]) -> list[Accepted]:
        """Do the same from a service's thread, which waits."""
        if names := self._unsure(calls):
            self._ask_for_here(names)
        return self._batcher.wait(_together(self._prepare_all(calls))) if calls else []

    def prepare(self, call: AsyncCall) -> Invocation:
        """Return the invocation a call becomes, without storing it. Raises as `publish` does."""
        services = self._services
        require_deployed((call.service,), services)
        terms = services.terms_of(call.service) or NO_TERMS
        now = self._wall()
        delay = milliseconds_of(call.delay, "delay")
        expiration = milliseconds_of(call.expiration, "expiration")
        callback = choose_callbacks(call.caller, call.callback, services)
        on_failure = require_deployed(call.on_failure, services)
        _refuse_passwords((call.service, *callback, *on_failure))
        return Invocation(
            id=new_invocation_id(now),
            cid=new_cid() if call.cid is None else check_cid(call.cid),
            service=call.service,
            payload=self._payload(call),
            created=now,
            channel=text_of(call.channel, "channel"),
            queue=(terms.queue or DEFAULT_QUEUE) if call.queue is None else queue_of(call.queue),
            priority=(terms.priority or Priority.NORMAL) if call.priority is None else priority_of(call.priority),
            parent=call.parent,
            in_reply_to=call.in_reply_to,
            replay_of=call.replay_of,
            not_before=now + delay if delay else None,
            expires=now + expiration if expiration else None,
            callback=callback,
            on_failure=on_failure,
            retry=(terms.retry or ONCE) if call.retry is None else call.retry,
            time_limit=terms.time_limit if call.time_limit is None else time_limit_of(call.time_limit),
            data_format=text_of(call.data_format, "data_format"),
            transport=None if call.transport is None else text_of(call.transport, "transport"),
            environ=None if call.environ is None else environ_of(call.environ),
            idempotency_key=key_of(call.idempotency_key),
        )

    def _prepare_all(self, calls: Iterable[AsyncCall], before: int = 0) -> list[Invocation]:
        """Return the invocations that calls become; `before` is how many items came before these."""
        invocations = []
        for number, call in enumerate(calls, before + 1):
            with numbered(number):
                invocations.append(self.prepare(call))
        return invocations

    def _unsure(self, calls: Iterable[AsyncCall]) -> set[str]:
        """Return the names that the broker has to be asked for first."""
        return set() if self._elsewhere is None else self._elsewhere.unsure(calls)

    async def _ask_for(self, names: set[str]) -> None:
        if self._elsewhere is not None:
            await self._elsewhere.ask(names)

    def _ask_for_here(self, names: set[str]) -> None:
        if self._elsewhere is not None:
            self._elsewhere.ask_here(names)

    def _payload(self, call: AsyncCall) -> bytes:
        payload = encode("" if call.payload is None else call.payload)
        if len(payload) > self._max_stored:
            raise PayloadTooLarge(
                f"The payload for {call.service!r} is {len(payload)} bytes; the most that is stored is "
                f"{self._max_stored} (setting max_stored). Store it elsewhere and pass on where."
            )
        return payload


def _refuse_passwords(services: Iterable[str]) -> None:
    for service in filter(takes_password, services):
        raise BadRequest(f"{service!r} is not run in the background: its input, with passwords, would be kept.")


async def to_its_end(storing: Coroutine[Any, Any, Stored]) -> Stored:
    """Return what was accepted, even if the request for it is cancelled meanwhile.

    A client that was told no would ask again, and the call would run twice.
    """
    task = asyncio.ensure_future(storing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        return await task


def _together(invocations: Sequence[Invocation]) -> AcceptAll:
    """Return what stores them in one step.

    Raises:
        PayloadTooLarge: that would take too long.
    """
    size = sum(len(invocation.payload) for invocation in invocations)
    if size > MOST_TOGETHER:
        raise PayloadTooLarge(
            f"The {len(invocations)} payloads are {size} bytes together; {MOST_TOGETHER} at most are stored in one "
            "step. Make several calls of fewer items each."
        )
    return AcceptAll(tuple(invocations))


def follow_ups(answered: Invocation, outcome: Outcome, terms_of: TermsOf) -> tuple[Invocation, ...]:
    """Return the invocations that an outcome sends to services, each under a CID of its own.

    Each is tried as often as its own class says, else as often as the call it answers; likewise its priority.
    """
    replies = replies_to(answered, outcome)
    if not replies:
        return ()
    return tuple(
        _follow_up(answered, service, payload, terms_of(service) or NO_TERMS, outcome.ended)
        for service, payload in replies
    )


def _follow_up(answered: Invocation, service: str, payload: bytes, terms: Terms, now: int) -> Invocation:
    return Invocation(
        id=new_invocation_id(now),
        cid=new_cid(),
        service=service,
        payload=payload,
        created=now,
        channel=CALLBACK_CHANNEL,
        queue=terms.queue or DEFAULT_QUEUE,
        priority=terms.priority or answered.priority,
        parent=answered.cid,
        in_reply_to=answered.cid,
        environ=answered.environ,
        retry=terms.retry or answered.retry,
        time_limit=terms.time_limit,
    )


def repeated(call: Invocation, *, payload: object, parent: str, is_first: bool = False) -> AsyncCall:
    """Return the request that makes a call once more, at once, with the options that were in force for it.

    Its idempotency key is left out: with it, nothing would run.

    Args:
        call: the one to repeat.
        payload: what the service gets this time.
        parent: CID of the request for it.
        is_first: give it the key that only the first replay of a call has.
    """
    expiration = None if call.expires is None else (call.expires - call.created) / 1000
    return AsyncCall(
        service=call.service,
        payload=payload,
        parent=parent,
        channel=call.channel,
        data_format=call.data_format,
        transport=call.transport,
        environ=None if call.environ is None else decode(call.environ, exact=True),
        callback=call.callback,
        on_failure=call.on_failure,
        expiration=expiration,
        retry=call.retry,
        time_limit=call.time_limit or 0,
        priority=Priority(call.priority),
        queue=call.queue,
        in_reply_to=call.in_reply_to,
        replay_of=call.id,
        idempotency_key=f"{REPLAY_KEY}{call.id}" if is_first else None,
    )
