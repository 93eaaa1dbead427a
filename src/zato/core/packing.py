"""What brokers store of an invocation beside its indexed columns, packed and unpacked.

Fields that have their default are left out, so that most invocations pack into a few bytes, and a
field added later reads as its default from what was stored before.
"""

import msgspec

from zato.core.invocation import ErrorInfo, Invocation
from zato.core.retry import Retry

__all__ = ["pack_error", "pack_options", "unpack_error", "unpack_options"]


class _Options(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    channel: str = "invoke-async"
    in_reply_to: str | None = None
    replay_of: str | None = None
    callback: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()
    retry: Retry = msgspec.field(default_factory=Retry)
    data_format: str = "dict"
    transport: str | None = None
    environ: str | None = None
    idempotency_key: str | None = None


_encode = msgspec.json.Encoder().encode
_decode_options = msgspec.json.Decoder(_Options).decode
_decode_error = msgspec.json.Decoder(ErrorInfo).decode
_DEFAULT = Retry()


def pack_options(invocation: Invocation) -> bytes:
    """Return the fields of an invocation that no query looks at."""
    plain = invocation.retry == _DEFAULT
    return _encode(
        _Options(
            channel=invocation.channel,
            in_reply_to=invocation.in_reply_to,
            replay_of=invocation.replay_of,
            callback=invocation.callback,
            on_failure=invocation.on_failure,
            data_format=invocation.data_format,
            transport=invocation.transport,
            environ=None if invocation.environ is None else invocation.environ.decode(),
            idempotency_key=invocation.idempotency_key,
            **({} if plain else {"retry": invocation.retry}),
        )
    )


def unpack_options(packed: bytes) -> dict[str, object]:
    """Return the packed fields by name, ready to make an `Invocation` of."""
    options = _decode_options(packed)
    fields: dict[str, object] = {name: getattr(options, name) for name in options.__struct_fields__}
    if options.environ is not None:
        fields["environ"] = options.environ.encode()
    return fields


def pack_error(error: ErrorInfo | None) -> bytes | None:
    """Return an error as it is stored."""
    return None if error is None else _encode(error)


def unpack_error(packed: bytes | None) -> ErrorInfo | None:
    """Return a stored error."""
    return None if packed is None else _decode_error(packed)
