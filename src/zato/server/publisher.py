"""Accepting a background call: check its names, give it a CID, hand it to the broker."""

from collections.abc import Mapping

from zato.broker.base import Accept, Accepted
from zato.broker.batcher import Batcher
from zato.core.call import MAX_SECONDS, AsyncCall
from zato.core.callbacks import choose_callbacks, replies_to, require_deployed
from zato.core.cid import check_cid
from zato.core.errors import BadRequest, PayloadTooLarge
from zato.core.invocation import Invocation, Outcome
from zato.core.payload import decode, encode, unicode_text
from zato.server.identity import new_cid, new_invocation_id, now_ms
from zato.server.registry import Services

__all__ = ["CALLBACK_CHANNEL", "Publisher", "follow_ups", "repeated"]

CALLBACK_CHANNEL = "invoke-async-callback"
MAX_TEXT = 255


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

    def publish_here(self, call: AsyncCall) -> Accepted:
        """Do the same from a service's thread, which waits."""
        return self._batcher.wait(Accept(self.prepare(call)))

    def prepare(self, call: AsyncCall) -> Invocation:
        """Return the invocation a call becomes, without storing it. Raises as `publish` does."""
        deployed = self._services.current.by_name
        require_deployed([call.service], deployed)
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
            retry=call.retry,
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


def follow_ups(answered: Invocation, outcome: Outcome) -> tuple[Invocation, ...]:
    """Return the invocations that an outcome sends to services, each under a CID of its own.

    Each is tried as often as the call it answers.
    """
    now = now_ms()
    return tuple(
        Invocation(
            id=new_invocation_id(now),
            cid=new_cid(),
            service=service,
            payload=payload,
            created=now,
            channel=CALLBACK_CHANNEL,
            parent=answered.cid,
            in_reply_to=answered.cid,
            environ=answered.environ,
            retry=answered.retry,
        )
        for service, payload in replies_to(answered, outcome)
    )


def repeated(call: Invocation, *, payload: object, parent: str) -> AsyncCall:
    """Return the request that makes a call once more, with the options it had.

    Args:
        call: the one to repeat.
        payload: what the service gets this time.
        parent: CID of the request for it.
    """
    expiration = None if call.expires is None else (call.expires - call.created) / 1000
    return AsyncCall(
        service=call.service,
        payload=payload,
        parent=parent,
        channel=call.channel,
        data_format=call.data_format,
        transport=call.transport,
        environ=None if call.environ is None else decode(call.environ),
        callback=call.callback,
        on_failure=call.on_failure,
        expiration=expiration,
        retry=call.retry,
        in_reply_to=call.in_reply_to,
        replay_of=call.id,
    )


def _seconds(value: object, option: str) -> int | None:
    """Return milliseconds."""
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MAX_SECONDS:
        return round(value * 1000)
    raise BadRequest(f"{option}={value!r:.100} is not legal: give seconds, from 0.")


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
