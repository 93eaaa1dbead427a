"""The nouns of invocation: one run of a service, and a request for one to be run later."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from zato.core.invocation import Priority
from zato.core.retry import Retry
from zato.core.stop import StopSign

__all__ = ["MAX_SECONDS", "MAX_TIME_LIMIT", "REST", "AsyncCall", "Call", "HTTPInfo"]

# The longest delay, expiration or timeout that is understood: three hundred years.
MAX_SECONDS = 10.0**10
# The longest time limit: what every clock and lock can wait for, thirty years.
MAX_TIME_LIMIT = 10.0**9
# The channel of requests to a service's own address.
REST = "rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPInfo:
    """The HTTP request a call came with; empty for calls that came another way.

    Attributes:
        headers: by lower-case name.
        params: the query string, the last value of each name.
        query: the query string as it came.
        client: whom it came from, as address and port.
        user: who that is, if the door asked.
    """

    method: str = ""
    path: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    client: str = ""
    user: str = ""


class Call(msgspec.Struct, kw_only=True):
    """One run of one service.

    Attributes:
        payload: what the service gets, converted already.
        raw: the payload as it came.
        channel: type of the door the call came through.
        channel_name: which door of that type.
        http: tells the HTTP request the call came with, if it did.
        chain: names of the services that wait for this one, outermost first.
        stop: set when the service should stop; those that it invokes have the same one, or one below it.
    """

    cid: str
    service: str
    payload: Any = ""
    raw: Any = ""
    channel: str = "invoke"
    channel_name: str = ""
    data_format: str = "dict"
    transport: str | None = None
    environ: dict[str, Any] | None = None
    in_reply_to: str | None = None
    http: Callable[[], HTTPInfo] | None = None
    chain: tuple[str, ...] = ()
    stop: StopSign = msgspec.field(default_factory=StopSign)


class AsyncCall(msgspec.Struct, frozen=True, kw_only=True):
    """A request to run a service in the background, before it is accepted.

    Attributes:
        caller: name of the service that asks, or None for a client.
        parent: CID of the call that asks, or None.
        callback: names of the services to call back; None leaves it to the naming convention.
        on_failure: names of the services that learn of a failure.
        expiration: seconds within which it must start; None or 0 means it never expires.
        delay: seconds before it may start, or None.
        retry: how often to try; None leaves it to the target's class.
        time_limit: seconds that one attempt may take, 0 for any; None leaves it to the target's class.
        cid: the CID it is to run under, or None for a new one.
        priority: a word or a `Priority`; None leaves it to the target's class.
        queue: None leaves it to the target's class.
    """

    service: str
    payload: Any = ""
    caller: str | None = None
    parent: str | None = None
    channel: str = "invoke-async"
    data_format: str = "dict"
    transport: str | None = None
    environ: Mapping[str, Any] | None = None
    callback: tuple[str, ...] | None = None
    on_failure: tuple[str, ...] = ()
    expiration: float | None = None
    delay: float | None = None
    retry: Retry | None = None
    time_limit: float | None = None
    cid: str | None = None
    in_reply_to: str | None = None
    replay_of: str | None = None
    idempotency_key: str | None = None
    priority: Priority | str | None = None
    queue: str | None = None
