"""What brokers store of an invocation beside its indexed columns, and of services and processes: packed and unpacked.

Fields that have their default are left out, so that most invocations pack into a few bytes, and a
field added later reads as its default from what was stored before.
"""

from operator import attrgetter

import msgspec

from zato.core.invocation import ONCE, ErrorInfo, Failure, Invocation, Terms
from zato.core.member import Counts, Member
from zato.core.retry import Retry

__all__ = [
    "pack_counts",
    "pack_error",
    "pack_failed",
    "pack_failure",
    "pack_member",
    "pack_options",
    "pack_terms",
    "unpack_counts",
    "unpack_error",
    "unpack_failed",
    "unpack_failure",
    "unpack_member",
    "unpack_options",
    "unpack_terms",
]


class _Options(msgspec.Struct, frozen=True, gc=False):
    channel: str = "invoke-async"
    in_reply_to: str | None = None
    replay_of: str | None = None
    callback: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()
    retry: Retry = msgspec.field(default_factory=lambda: ONCE)
    time_limit: float | None = None
    data_format: str = "dict"
    transport: str | None = None
    environ: str | None = None
    idempotency_key: str | None = None


_encode = msgspec.json.Encoder().encode
_decode_options = msgspec.json.Decoder(_Options).decode
_decode_counts = msgspec.json.Decoder(Counts).decode
_decode_error = msgspec.json.Decoder(ErrorInfo).decode
_decode_failure = msgspec.json.Decoder(Failure).decode
_decode_member = msgspec.json.Decoder(Member).decode
_decode_terms = msgspec.json.Decoder(Terms).decode
_NAMES = _Options.__struct_fields__
_values_of = attrgetter(*_NAMES)
_PLAIN_VALUES = _values_of(Invocation(id="", cid="", service="", payload=b"", created=0))
# Most invocations pack into this, which is therefore recognised before anything else is done.
_PLAIN = b"{}"


def pack_options(invocation: Invocation) -> bytes:
    """Return the fields of an invocation that no query looks at."""
    values = _values_of(invocation)
    if values == _PLAIN_VALUES:
        return _PLAIN
    # Compared here, because `omit_defaults` compares texts by identity and a made default never.
    changed = {name: value for name, value, plain in zip(_NAMES, values, _PLAIN_VALUES, strict=True) if value != plain}
    if invocation.environ is not None:
        changed["environ"] = invocation.environ.decode()
    return _encode(changed)


def unpack_options(packed: bytes) -> dict[str, object]:
    """Return the packed fields by name, ready to make an `Invocation` of. What is left out has its default."""
    if packed == _PLAIN:
        return {}
    options = _decode_options(packed)
    fields: dict[str, object] = {name: getattr(options, name) for name in options.__struct_fields__}
    if options.environ is not None:
        fields["environ"] = options.environ.encode()
    return fields


def pack_error(error: ErrorInfo | None) -> bytes | None:
    """Return an error as it is stored."""
    return None if error is None else _encode(error)


def pack_failed(error: ErrorInfo) -> bytes:
    """Return the error of an attempt as it is stored."""
    return _encode(error)


def unpack_failed(packed: bytes) -> ErrorInfo:
    """Return the stored error of an attempt."""
    return _decode_error(packed)


def unpack_error(packed: bytes | None) -> ErrorInfo | None:
    """Return a stored error."""
    return None if packed is None else _decode_error(packed)


def pack_failure(failure: Failure) -> bytes:
    """Return an attempt that failed as it is stored whole."""
    return _encode(failure)


def unpack_failure(packed: bytes) -> Failure:
    """Return a stored attempt that failed."""
    return _decode_failure(packed)


def pack_terms(terms: Terms) -> bytes:
    """Return what a service's class says as it is stored."""
    return _encode(terms)


def unpack_terms(packed: bytes | str) -> Terms:
    """Return what a service's class says from what was stored."""
    return _decode_terms(packed)


def pack_member(member: Member) -> bytes:
    """Return what a process tells of itself as it is stored."""
    return _encode(member)


def unpack_member(packed: bytes | str) -> Member:
    """Return what a process told of itself."""
    return _decode_member(packed)


def pack_counts(counts: Counts) -> bytes:
    """Return how often services ran as it is stored."""
    return _encode(counts)


def unpack_counts(packed: bytes) -> Counts:
    """Return how often services ran from what was stored."""
    return _decode_counts(packed)
