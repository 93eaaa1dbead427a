"""Accepting a background call: check its names, give it a CID, hand it to the broker."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from zato.broker.base import Accept, Accepted
from zato.broker.batcher import Batcher
from zato.core.call import MAX_SECONDS, MAX_TIME_LIMIT, AsyncCall
from zato.core.callbacks import choose_callbacks, replies_to, require_deployed
from zato.core.cid import check_cid
from zato.core.errors import BadRequest, PayloadTooLarge
from zato.core.invocation import ONCE, Invocation, Outcome
from zato.core.payload import decode, encode, unicode_text
from zato.server.identity import new_cid, new_invocation_id, now_ms
from zato.server.registry import Deployed, Services

__all__ = ["CALLBACK_CHANNEL", "Publisher", "follow_ups", "repeated", "to_its_end"]

CALLBACK_CHANNEL = "invoke-async-callback"
MAX_TEXT = 255
REPLAY_KEY = "zato.replay:"

Stored = TypeVar("Stored")


class Publisher:
    """Turns requests for background calls into stored invocations."""

    def __init__(self, services: Services, batcher: Batcher, *, max_stored: int) -> None:
        """Take what is deployed, the broker, and the most bytes a payload may have."""
        self._services = services
        self._batcher = batcher
        self._max_stored = max_stored

    async def publish(self, call: AsyncCall) -> Accepted:
        """Store a call, from the event loop, and return its id and CID once it is durable.

        Raises:
            UnknownService: the target, or a service to call back, is not deployed.
            BadRequest: an option is not legal.
            PayloadTooLarge: the payload is over `max_stored`.
            BrokerUnavailable: it could not be stored. It will not run.
        """
        return await self._batcher.ask(Accept(self.prepare(call)))

    async def publish_once(self, call: AsyncCall) -> tuple[Accepted, bool]:
        """Do the same, and tell whether it was this request that made the call, not an earlier one with its key."""
        invocation = self.prepare(call)
        accepted = await self._batcher.ask(Accept(invocation))
        return accepted, accepted.id == invocation.id

    def publish_here(self, call: AsyncCall) -> Accepted:
        """Do the same from a service's thread, which waits."""
        return self._batcher.wait(Accept(self.prepare(call)))

    def prepare(self, call: AsyncCall) -> Invocation:
        """Return the invocation a call becomes, without storing it. Raises as `publish` does."""
        deployed = self._services.current.by_name
        require_deployed([call.service], deployed)
        target = deployed[call.service]
        now = now_ms()
        delay = _seconds(call.delay, "delay")
        expiration = _seconds(call.expiration, "expiration")
        return Invocation(
            id=new_invocation_id(now),
            cid=new_cid() if call.cid is None else check_cid(call.cid),
            service=call.service,
            payload=self._payload(call),
            created=now,
            channel=_text(call.channel, "channel"),
            parent=call.parent,
            in_reply_to=call.in_reply_to,
            replay_of=call.replay_of,
            not_before=now + delay if delay else None,
            expires=now + expiration if expiration else None,
            callback=choose_callbacks(call.caller, call.callback, deployed),
            on_failure=require_deployed(call.on_failure, deployed),
            retry=(target.retry or ONCE) if call.retry is None else call.retry,
            time_limit=target.time_limit if call.time_limit is None else _limit(call.time_limit),
            data_format=_text(call.data_format, "data_format"),
            transport=None if call.transport is None else _text(call.transport, "transport"),
            environ=None if call.environ is None else _environ(call.environ),
            idempotency_key=_key(call.idempotency_key),
        )

    def _payload(self, call: AsyncCall) -> bytes:
        payload = encode("" if call.payload is None else call.payload)
        if len(payload) > self._max_stored:
            raise PayloadTooLarge(
                f"The payload for {call.service!r} is {len(payload)} bytes; the most that is stored is "
                f"{self._max_stored} (setting max_stored). Store it elsewhere and pass on where."
            )
        return payload


async def to_its_end(storing: Coroutine[Any, Any, Stored]) -> Stored:
    """Return what was accepted, even if the request for it is cancelled meanwhile.

    A client that was told no would ask again, and the call would run twice.
    """
    task = asyncio.ensure_future(storing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        return await task


def follow_ups(answered: Invocation, outcome: Outcome, deployed: Mapping[str, Deployed]) -> tuple[Invocation, ...]:
    """Return the invocations that an outcome sends to services, each under a CID of its own.

    Each is tried as often as its own class says, else as often as the call it answers.
    """
    now = now_ms()
    return tuple(
        _follow_up(answered, service, payload, deployed.get(service), now)
        for service, payload in replies_to(answered, outcome)
    )


def _follow_up(answered: Invocation, service: str, payload: bytes, target: Deployed | None, now: int) -> Invocation:
    return Invocation(
        id=new_invocation_id(now),
        cid=new_cid(),
        service=service,
        payload=payload,
        created=now,
        channel=CALLBACK_CHANNEL,
        parent=answered.cid,
        in_reply_to=answered.cid,
        environ=answered.environ,
        retry=answered.retry if target is None or target.retry is None else target.retry,
        time_limit=None if target is None else target.time_limit,
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
        in_reply_to=call.in_reply_to,
        replay_of=call.id,
        idempotency_key=f"{REPLAY_KEY}{call.id}" if is_first else None,
    )


def _seconds(value: object, option: str) -> int | None:
    """Return milliseconds."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MAX_SECONDS:
        return round(value * 1000)
    raise BadRequest(f"{option}={value!r:.100} is not legal: give seconds, from 0.")


def _limit(value: object) -> float | None:
    """Return the seconds that an attempt may take, or None for any."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_TIME_LIMIT:
        return value or None
    raise BadRequest(f"time_limit={value!r:.100} is not legal: give seconds, or 0 for any time.")


def _text(value: object, option: str) -> str:
    if isinstance(value, str) and len(value) <= MAX_TEXT and unicode_text(value) == value:
        return value
    raise BadRequest(f"{option}={value!r:.100} is not legal: give a text of up to {MAX_TEXT} characters.")


def _environ(environ: object) -> bytes:
    if isinstance(environ, Mapping):
        return encode(dict(environ), what="environ")
    raise BadRequest(f"environ={environ!r:.100} is not legal: give a dict.")


def _key(key: object) -> str | None:
    if key is None:
        return None
    if key == "":
        raise BadRequest(f"idempotency_key='' is not legal: give a text of 1 to {MAX_TEXT} characters.")
    return _text(key, "idempotency_key")
