"""What brokers store of an invocation beside its indexed columns, packed and unpacked.

Fields that have their default are left out, so that most invocations pack into a few bytes, and a
field added later reads as its default from what was stored before.
"""

from operator import attrgetter

import msgspec

from zato.core.invocation import ONCE, ErrorInfo, Invocation
from zato.core.retry import Retry

__all__ = ["pack_error", "pack_failed", "pack_options", "unpack_error", "unpack_failed", "unpack_options"]


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
_decode_error = msgspec.json.Decoder(ErrorInfo).decode
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
