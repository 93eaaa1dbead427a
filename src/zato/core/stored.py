"""Calls and outcomes as a shared store keeps them: a head that scripts can read, and what may be large behind it.

The forms are described in `zato/broker/redis/model.lua`. A head is a msgpack array; what is absent is empty, 0 or
false in it, because scripts take an array to end where it holds nothing. Nor can they read the types of msgpack
that are younger than 2013: everything is text, and tokens are written as hexadecimal digits.
"""

import struct
from typing import Any

import msgspec

from zato.core.audit import AuditEntry
from zato.core.invocation import Invocation, Outcome, Status
from zato.core.packing import pack_error, pack_options, unpack_error, unpack_options

__all__ = [
    "RECORD_VERSION",
    "pack_call",
    "pack_entry",
    "pack_message",
    "pack_outcome",
    "unpack_call",
    "unpack_entry",
    "unpack_outcome",
]

RECORD_VERSION = 1


class _Call(msgspec.Struct, frozen=True, array_like=True, gc=False):
    version: int
    id: str
    cid: str
    service: str
    queue: str
    priority: int
    parent: str | bool
    created: int
    not_before: int
    expires: int
    key: str
    options: str


class _Outcome(msgspec.Struct, frozen=True, array_like=True, gc=False):
    status: Status
    ended: int
    started: int
    attempts: int
    server: str
    version: str
    error: str
    has_response: bool


class _Version(msgspec.Struct, frozen=True, array_like=True, gc=False):
    version: int


_encode = msgspec.msgpack.Encoder().encode
_call_of = msgspec.msgpack.Decoder(_Call).decode
_outcome_of = msgspec.msgpack.Decoder(_Outcome).decode
_version_of = msgspec.msgpack.Decoder(_Version).decode
_values_of = msgspec.msgpack.Decoder(list[Any]).decode
_length = struct.Struct(">I")
_lengths = struct.Struct(">III")


def pack_message(message: Any) -> bytes:
    """Return what a script is asked, as msgpack."""
    return _encode(message)


def pack_call(call: Invocation) -> bytes:
    """Return a call as it is stored."""
    head = _encode(
        _Call(
            RECORD_VERSION,
            call.id,
            call.cid,
            call.service,
            call.queue,
            call.priority,
            False if call.parent is None else call.parent,
            call.created,
            call.not_before or 0,
            call.expires or 0,
            call.idempotency_key or "",
            pack_options(call).decode(),
        )
    )
    return b"".join((_length.pack(len(head)), head, call.payload))


def unpack_call(stored: bytes) -> Invocation:
    """Return a stored call. Without what stands behind the head, its payload is empty.

    Raises:
        ValueError: only a newer version can read it.
    """
    (length,) = _length.unpack_from(stored)
    head = memoryview(stored)[4 : 4 + length]
    version = _version_of(head).version
    if version > RECORD_VERSION:
        raise ValueError(f"it is of version {version}, and this version of zato reads up to {RECORD_VERSION}")
    call = _call_of(head)
    return Invocation(
        id=call.id,
        cid=call.cid,
        service=call.service,
        queue=call.queue,
        priority=call.priority,
        parent=call.parent if isinstance(call.parent, str) else None,
        created=call.created,
        not_before=call.not_before or None,
        expires=call.expires or None,
        payload=stored[4 + length :],
        **unpack_options(call.options.encode()),  # type: ignore[arg-type]
    )


def pack_outcome(outcome: Outcome) -> tuple[bytes, bytes]:
    """Return the head of an outcome, and its response."""
    error = pack_error(outcome.error)
    head = _Outcome(
        outcome.status,
        outcome.ended,
        outcome.started or 0,
        outcome.attempts,
        outcome.server or "",
        outcome.version or "",
        "" if error is None else error.decode(),
        outcome.response is not None,
    )
    return _encode(head), outcome.response or b""


def unpack_outcome(stored: bytes, *, whole: bool) -> tuple[Outcome, int]:
    """Return a stored outcome, and how often its call was taken over.

    Args:
        stored: all of it, or the part before the response.
        whole: whether it is all of it; without its response it has none.
    """
    takeovers, token, length = _lengths.unpack_from(stored)
    start = _lengths.size + token
    head = _outcome_of(memoryview(stored)[start : start + length])
    outcome = Outcome(
        status=head.status,
        ended=head.ended,
        started=head.started or None,
        attempts=head.attempts,
        server=head.server or None,
        version=head.version or None,
        error=unpack_error(head.error.encode() or None),
        response=stored[start + length :] if whole and head.has_response else None,
    )
    return outcome, takeovers


def pack_entry(entry: AuditEntry) -> bytes:
    """Return an entry of the audit as it is stored: its values, in order."""
    return _encode(msgspec.structs.astuple(entry))


def unpack_entry(stored: bytes) -> AuditEntry:
    """Return a stored entry of the audit. What a newer version has added to it is left out."""
    return AuditEntry(**dict(zip(AuditEntry.__struct_fields__, _values_of(stored), strict=False)))
