"""The wire format of `/zato/admin/invoke`, both dialects, written once for client and server.

A request is a JSON object that names a service and carries its payload in base64. A reply is flat
(`response` beside `zato_env`) for the servers and clients of 3.2, and nested under
`zato_service_invoke_response` for those of 2.0 and 3.0. A request that has the key `async` and no
`is_async` comes from an old client and gets the nested form.
"""

import binascii
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zato.core.call import MAX_SECONDS
from zato.core.errors import BadRequest, InvalidPayload, ZatoError
from zato.core.many import fields_of
from zato.core.payload import decode, encode, unicode_text

__all__ = [
    "ADMIN_INVOKE",
    "ADMIN_USER",
    "API_USER",
    "CID_HEADER",
    "DEFAULT_CLIENT_EXPIRATION",
    "NESTED_KEY",
    "ZATO_ERROR",
    "ZATO_OK",
    "InvokeRequest",
    "ServiceReply",
    "details_of",
    "encode_error",
    "encode_ping",
    "encode_success",
    "parse_item",
    "parse_reply",
    "parse_request",
]

ADMIN_INVOKE = "/zato/admin/invoke"
ADMIN_USER = "admin.invoke"
API_USER = "pubapi"
CID_HEADER = "X-Zato-CID"
ZATO_OK = "ZATO_OK"
ZATO_ERROR = "ZATO_ERROR"
NESTED_KEY = "zato_service_invoke_response"

# Sent by the old clients with every call, wished for or not.
DEFAULT_CLIENT_EXPIRATION = 15


@dataclass(slots=True, kw_only=True)
class InvokeRequest:
    """What a client asks `/zato/admin/invoke` for.

    Attributes:
        payload: the bytes that were in base64.
        nested: the caller reads the nested dialect.
        expiration: seconds in which a background call must start, or None for ever.
        timeout: seconds the call may take, or None for ever.
        delay: seconds before a background call may start, or None.
        retry: how often to try a background call, in any form that `Retry.of` takes, or None.
        time_limit: seconds that one attempt of a background call may take, 0 for any, or None.
        priority: when a background call starts, beside others that wait, or None.
        queue: which queue a background call is in, or None.
    """

    name: str
    payload: bytes = b""
    is_async: bool = False
    nested: bool = False
    channel: str = "invoke"
    data_format: str = "json"
    transport: str | None = None
    expiration: float | None = None
    timeout: float | None = None
    skip_response_elem: bool = True
    callback: tuple[str, ...] | None = None
    on_failure: tuple[str, ...] | None = None
    delay: float | None = None
    retry: object = None
    time_limit: float | None = None
    cid: str | None = None
    idempotency_key: str | None = None
    priority: str | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceReply:
    """What a reply says, whichever dialect it came in.

    Attributes:
        result: `ZATO_OK`, another word, or None if the body is no envelope.
        text: what the service returned, as text; empty for nothing.
    """

    result: str | None
    cid: str | None
    details: object
    text: str
    body: object = None


def parse_request(body: bytes, *, honour_default_expiration: bool = False) -> InvokeRequest:
    """Read the body of a request to `/zato/admin/invoke`. Unknown keys are ignored.

    Raises:
        BadRequest: the body is no JSON object, names no service, or a field is of the wrong kind.
    """
    fields = _fields(body)
    known: dict[str, Any] = {"name": _name(fields), **_read(fields)}
    old_flag = known.pop("async", False)
    if old_flag:
        known["is_async"] = True
    if "async" in fields and "is_async" not in fields:
        known["nested"] = True
    if not (honour_default_expiration or fields.get("expiration_given") is True):
        _drop_default_expiration(known)
    return InvokeRequest(**known)


def parse_item(item: object) -> tuple[InvokeRequest, object]:
    """Read one item of many background calls: the request, and its payload as it is.

    Raises:
        BadRequest: it is no item, or a field is of the wrong kind.
    """
    fields = fields_of(item, ITEM)
    payload = fields.pop("payload", "")
    known: dict[str, Any] = {"name": _name(fields), **_read(fields)}
    return InvokeRequest(is_async=True, **known), payload


def encode_success(text: str, cid: str, *, nested: bool) -> bytes:
    """Return the body that carries a service's response to its caller."""
    response = b64encode(text.encode()).decode("ascii")
    env = f'"zato_env":{{"result":"{ZATO_OK}","cid":{encode(cid).decode()},"details":""}}'
    if nested:
        return f'{{{env},"{NESTED_KEY}":{{"response":"{response}"}}}}'.encode()
    return f'{{"response":"{response}",{env}}}'.encode()


def encode_error(details: object, cid: str) -> bytes:
    """Return the body of every error of any path."""
    return encode({"zato_env": {"result": ZATO_ERROR, "cid": cid, "details": details}})


def encode_ping(cid: str) -> bytes:
    """Return the body of `/zato/ping`."""
    return encode({"pong": "zato", "zato_env": {"result": ZATO_OK, "cid": cid, "details": ""}})


def parse_reply(body: bytes) -> ServiceReply:
    """Read the body of a reply in either dialect. Never raises: what is no envelope has no result."""
    try:
        parsed = decode(body)
    except InvalidPayload:
        return ServiceReply(None, None, None, "")
    env = parsed.get("zato_env") if isinstance(parsed, dict) else None
    if not isinstance(parsed, dict) or not isinstance(env, dict):
        return ServiceReply(None, None, None, "", parsed)
    result, cid = env.get("result"), env.get("cid")
    return ServiceReply(
        result if isinstance(result, str) else None,
        cid if isinstance(cid, str) else None,
        env.get("details"),
        _response_text(parsed),
        parsed,
    )


def _response_text(parsed: Mapping[str, Any]) -> str:
    nested = parsed.get(NESTED_KEY)
    encoded = nested.get("response") if isinstance(nested, dict) else parsed.get("response")
    if not isinstance(encoded, str):
        return ""
    try:
        return _from_base64(encoded).decode("utf-8", "replace")
    except ValueError:
        return encoded


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = decode(body)
    except InvalidPayload as error:
        raise BadRequest(f"The request's body cannot be read. {error}") from error
    if not isinstance(fields, dict):
        raise BadRequest(f"The request's body is a JSON {type(fields).__name__}; send an object with 'name' in it.")
    return fields


def _read(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are known and given, each as it is meant."""
    given = {key: value for key, value in fields.items() if value is not None and value != ""}
    return {key: READERS[key](key, value) for key, value in given.items() if key in READERS}


def _name(fields: Mapping[str, Any]) -> str:
    name, service_id = fields.get("name"), fields.get("id")
    if name is not None and service_id is not None:
        raise BadRequest("Both 'name' and 'id' are given; send one of them.")
    wanted = service_id if name is None else name
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        wanted = str(wanted)
    if not isinstance(wanted, str) or not wanted:
        raise BadRequest(f"'name' says which service to invoke; {wanted!r:.80} does not.")
    return wanted


def _payload(key: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise BadRequest(f"{key!r} is base64 text, not a JSON {type(value).__name__}.")
    try:
        return _from_base64(value)
    except ValueError as error:
        raise BadRequest(f"{key!r} is not base64: {error}.") from error


def _from_base64(text: str) -> bytes:
    """Decode base64, with or without the line breaks that MIME allows (RFC 2045, section 6.8)."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)


def _truth(_: str, value: object) -> bool:
    """Old clients write flags as JSON booleans, as numbers or as text."""
    return value.strip().lower() in ("true", "1", "yes") if isinstance(value, str) else bool(value)


def _text(key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise BadRequest(f"{key!r} is text, not a JSON {type(value).__name__}.")


def _seconds(key: str, value: object) -> float | None:
    return _duration(key, value) or None


def _duration(key: str, value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        seconds = None
    if seconds is None or not 0 <= seconds < MAX_SECONDS:
        raise BadRequest(f"{key!r} is a number of seconds from 0, not {value!r:.80}.")
    return seconds


def _drop_default_expiration(known: dict[str, Any]) -> None:
    if known.get("expiration") == DEFAULT_CLIENT_EXPIRATION:
        del known["expiration"]


def _names(key: str, value: object) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    raise BadRequest(f"{key!r} is the name of a service or a list of names.")


def _as_it_is(_: str, value: object) -> object:
    return value


# What each key of a request is read with. A key that is absent, null or empty keeps its default.
READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "payload": _payload,
    "async": _truth,
    "is_async": _truth,
    "channel": _text,
    "data_format": _text,
    "transport": _text,
    "expiration": _seconds,
    "timeout": _seconds,
    "skip_response_elem": _truth,
    "callback": _names,
    "on_failure": _names,
    "delay": _seconds,
    "retry": _as_it_is,
    "time_limit": _duration,
    "cid": _text,
    "idempotency_key": _text,
    "priority": _as_it_is,
    "queue": _as_it_is,
}
# What each item of many calls may have. Its payload is JSON as it is, and is read by nobody here.
ITEM = (
    "name",
    "payload",
    "channel",
    "data_format",
    "transport",
    "expiration",
    "callback",
    "on_failure",
    "delay",
    "retry",
    "time_limit",
    "cid",
    "idempotency_key",
    "priority",
    "queue",
)


def details_of(error: BaseException) -> str:
    """Return what a caller may know of an error: our own messages, and of others the type and text."""
    try:
        text = unicode_text(str(error))
    except Exception:  # the error's own code
        text = ""
    if isinstance(error, ZatoError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
