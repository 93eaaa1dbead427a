"""What is known of background calls."""

from dataclasses import dataclass
from typing import Any

from zato.core.invocation import ErrorInfo, Invocation, Outcome, Record, Status
from zato.core.options import priority_word
from zato.core.payload import decode, stored_to_text
from zato.core.retry import Retry
from zato.testing.answers import data_of

__all__ = ["BackgroundCall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundCall:
    """One background call as it stands now: what was asked for, and how it ended if it has.

    Attributes:
        status: `waiting`, `delayed`, `running`, `stranded`, `done`, `failed`, `expired` or `cancelled`.
        payload: what the service gets, after its way through JSON.
        data: what the service answered; None if it has not, or if that was nothing.
        error: why it failed, or None.
        attempts: how often it ran.
        delay: the seconds after which it might start, or None.
        expiration: the seconds within which it had to start, or None.
        time_limit: the seconds that one run may take, or None.
        parent: CID of the call that made this one.
        in_reply_to: of a callback, the CID of the call that it answers.
    """

    id: str
    cid: str
    service: str
    status: Status
    payload: Any
    data: Any
    error: ErrorInfo | None
    attempts: int
    channel: str
    callback: tuple[str, ...]
    on_failure: tuple[str, ...]
    delay: float | None
    expiration: float | None
    retry: Retry
    time_limit: float | None
    priority: str
    queue: str
    idempotency_key: str | None
    environ: dict[str, Any]
    parent: str | None
    in_reply_to: str | None

    @property
    def ok(self) -> bool:
        """Whether it is done."""
        return self.status is Status.DONE

    @property
    def details(self) -> str:
        """Why it failed, in words, or an empty text."""
        return "" if self.error is None else self.error.message

    @classmethod
    def of(cls, record: Record) -> "BackgroundCall":
        """Return what a record says."""
        call = record.invocation
        return cls(
            id=call.id,
            cid=call.cid,
            service=call.service,
            status=record.status,
            payload=decode(call.payload),
            data=_data(record.outcome),
            error=None if record.outcome is None else record.outcome.error,
            attempts=record.attempts,
            channel=call.channel,
            callback=call.callback,
            on_failure=call.on_failure,
            delay=_seconds(call, call.not_before),
            expiration=_seconds(call, call.expires),
            retry=call.retry,
            time_limit=call.time_limit,
            priority=priority_word(call.priority),
            queue=call.queue,
            idempotency_key=call.idempotency_key,
            environ={} if call.environ is None else decode(call.environ),
            parent=call.parent,
            in_reply_to=call.in_reply_to,
        )


def _data(outcome: Outcome | None) -> Any:
    return None if outcome is None else data_of(stored_to_text(outcome.response))


def _seconds(call: Invocation, moment: int | None) -> float | None:
    return None if moment is None else (moment - call.created) / 1000
