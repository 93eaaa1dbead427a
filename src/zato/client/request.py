"""What `/zato/admin/invoke` is asked: one call, written so that servers of 2.0, 3.0, 3.2 and ours read it."""

import warnings
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Self, TypedDict

from zato.core.errors import InvalidName, InvalidPayload, hint_for
from zato.core.payload import encode

__all__ = [
    "NOT_GIVEN",
    "BackgroundOptions",
    "InvokeOptions",
    "Names",
    "NotGiven",
    "ServiceRequest",
    "as_given",
    "warn_of_unknown",
]

ASYNC_ONLY = ("callback", "on_failure", "delay", "idempotency_key", "retry", "time_limit", "cid", "priority", "queue")
OPTIONS = (
    "name",
    "payload",
    "headers",
    "channel",
    "data_format",
    "transport",
    "expiration",
    "id",
    "to_json",
    "output_repeated",
    "pid",
    "all_pids",
    "timeout",
    "skip_response_elem",
)
# `name` and `payload` are given beside the options, and these two are no part of the body.
IN_REQUEST = frozenset(OPTIONS) - {"name", "payload", "headers", "output_repeated"}


class NotGiven(Enum):
    """What an argument is that the caller left out, where None would mean something."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN

Names = str | Sequence[str] | None


class InvokeOptions(TypedDict, total=False):
    """What `invoke` takes beside a name, a payload and headers; `AnyServiceInvoker.invoke` explains each."""

    channel: str
    data_format: str
    transport: str | None
    expiration: float | NotGiven | None
    id: str | int | None
    to_json: bool
    output_repeated: bool | NotGiven
    pid: int | None
    all_pids: bool
    timeout: float | None
    skip_response_elem: bool


class BackgroundOptions(InvokeOptions, total=False):
    """What `invoke_async` takes; `AnyServiceInvoker.invoke_async` explains each."""

    callback: Names
    on_failure: Names
    delay: float | None
    idempotency_key: str | None
    retry: object
    time_limit: float | None
    cid: str | None
    priority: str | None
    queue: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRequest:
    """One invocation of one service.

    Attributes:
        expiration: seconds in which a background call must start; not given means never expires.
        extras: options of background calls that the caller gave, by name.
    """

    name: str | None = None
    payload: object = ""
    channel: str = "invoke"
    data_format: str = "json"
    transport: str | None = None
    is_async: bool = False
    expiration: float | NotGiven | None = NOT_GIVEN
    id: str | int | None = None
    to_json: bool = True
    pid: int | None = None
    all_pids: bool = False
    timeout: float | None = None
    skip_response_elem: bool = True
    extras: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(
        cls, name: str | None, payload: object, options: InvokeOptions | BackgroundOptions, *, is_async: bool = False
    ) -> Self:
        """Return the request that options ask for; those that are none are left out."""
        given: dict[str, Any] = {key: value for key, value in options.items() if key in IN_REQUEST}
        extras = {key: options.get(key) for key in ASYNC_ONLY} if is_async else {}
        return cls(name=name, payload=payload, is_async=is_async, extras=extras, **given)

    def body(self) -> bytes:
        """Return the body of the request.

        `async` is what servers of 2.0 and 3.0 read, `is_async` those of 3.2; ours reads both.

        Raises:
            InvalidName: neither a name nor an id says what to invoke.
            NotSerializable: the payload has no JSON form.
            InvalidPayload: the payload is to go as it is, and is neither text nor bytes.
        """
        fields: dict[str, object] = {
            **self._target(),
            "payload": b64encode(self._payload()).decode("ascii"),
            "channel": self.channel,
            "data_format": self.data_format,
            "transport": self.transport,
            "is_async": self.is_async,
            "async": self.is_async,
            "pid": self.pid,
            "all_pids": self.all_pids,
            "timeout": self.timeout,
            "skip_response_elem": self.skip_response_elem,
            **{key: value for key, value in self.extras.items() if value is not None},
        }
        if self.expiration is not NOT_GIVEN:
            fields |= {"expiration": self.expiration, "expiration_given": True}
        return encode(fields, what="request")

    def _target(self) -> dict[str, object]:
        named = {"name": self.name, "id": self.id}
        target: dict[str, object] = {key: value for key, value in named.items() if value not in (None, "")}
        if not target:
            raise InvalidName("Either name or id must be provided")
        return target

    def _payload(self) -> bytes:
        return encode(self.payload) if self.to_json else as_given(self.payload)


def as_given(payload: object) -> bytes:
    """Return the bytes of a payload that is not to be turned into JSON.

    Raises:
        InvalidPayload: it is neither text nor bytes.
    """
    if isinstance(payload, str):
        return payload.encode()
    if isinstance(payload, bytes | bytearray | memoryview):
        return bytes(payload)
    if payload is None:
        return b""
    raise InvalidPayload(
        f"Without conversion to JSON a payload is text or bytes, not {type(payload).__qualname__}. Pass to_json=True."
    )


def warn_of_unknown(arguments: Iterable[str], *, method: str) -> None:
    """Warn the caller of `method` of keyword arguments that have no effect, one by one."""
    known = OPTIONS if method == "invoke" else OPTIONS + ASYNC_ONLY
    for name in arguments:
        if name in known:
            continue
        hint = "It is an option of invoke_async()." if name in ASYNC_ONLY else hint_for(name, known)
        warnings.warn(f"{method}() does not know {name!r} and ignores it. {hint}".rstrip(), stacklevel=3)
