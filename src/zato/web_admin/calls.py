"""A call as the invoker's form says it: what is wrong with it, and the options it comes to.

Nothing is sent here; `pages/invoker.py` does that, and `snippets.py` writes the same call as programs and commands.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zato.core.errors import BadRequest, InvalidPayload
from zato.core.options import key_of, milliseconds_of, priority_of, queue_of, time_limit_of
from zato.core.payload import decode, encode
from zato.core.retry import Retry
from zato.web_admin.door import is_own_header

__all__ = ["FIELDS", "Call", "fields_of_call", "read_call"]

JSON, TEXT = "json", "text"
# Of HTTP: RFC 9110, section 5.6.2 for names; values are on one line and in Latin-1.
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*([\x20-\x7e\xa0-\xff]*?)[ \t]*")
RETRY = ("attempts", "backoff", "cap", "jitter", "on", "not_on")
FIELDS = (
    "service",
    "payload",
    "kind",
    "headers",
    "timeout",
    "how",
    "delay",
    "expiration",
    *(f"retry_{name}" for name in RETRY),
    "time_limit",
    "idempotency_key",
    "cid",
    "priority",
    "queue",
    "callback",
    "on_failure",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that can be made.

    Attributes:
        body: the JSON of the payload, digit for digit; empty for none.
        in_background: whether it is stored and run by itself.
        options: of `AnyServiceInvoker.invoke` or `invoke_async`, beside payload and headers.
    """

    service: str
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    in_background: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def read_call(fields: Mapping[str, str]) -> tuple[Call, dict[str, str]]:
    """Return the call that a form says, and by field what is wrong with it. One with a problem is not to be made."""
    reading = _Reading(fields)
    in_background = fields.get("how") == "background"
    call = Call(
        service=reading.take("service", _service),
        body=reading.take("payload", _body_of(fields.get("kind", JSON))) or "",
        headers=reading.take("headers", _headers) or {},
        in_background=in_background,
        options=reading.background() if in_background else reading.now(),
    )
    return call, reading.problems


def fields_of_call(kept: Mapping[str, Any]) -> dict[str, str]:
    """Return what a form has to say for a call that was made to be made again.

    Args:
        kept: as `zato.session.get-call` tells of it.
    """
    options = kept["options"]
    retry = options.get("retry")
    attempts = retry if isinstance(retry, dict) else {"attempts": retry}
    fields = {name: options.get(name) for name in ("timeout", "delay", "expiration", "time_limit", "priority", "queue")}
    fields |= {f"retry_{name}": attempts.get(name) for name in RETRY}
    fields |= {name: options.get(name) for name in ("callback", "on_failure", "idempotency_key", "cid")}
    fields["headers"] = "\n".join(f"{name}: {value}" for name, value in options.get("headers", {}).items())
    fields["how"] = "background" if kept["is_async"] else "now"
    payload, kind = _payload_of(kept["payload"])
    return {"service": kept["service"], "payload": payload, "kind": kind, **_as_texts(fields)}


class _Reading:
    """Takes fields one by one, and notes what is wrong with each."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self.problems: dict[str, str] = {}

    def take(self, name: str, read: Callable[[str], Any]) -> Any:
        """Return what a field says, or None if it says nothing that makes sense."""
        text = self._fields.get(name, "")
        try:
            return read(text if name == "payload" else text.strip())
        except (BadRequest, InvalidPayload) as error:
            self.problems[name] = str(error)
            return None

    def now(self) -> dict[str, Any]:
        """Return the options of a call that is waited for."""
        return _given({"timeout": self.take("timeout", _seconds("timeout"))})

    def background(self) -> dict[str, Any]:
        """Return the options of a call in the background."""
        options = {name: self.take(name, _seconds(name)) for name in ("delay", "expiration")}
        options["retry"] = self._retry()
        options["time_limit"] = self.take("time_limit", _time_limit)
        options |= {name: self.take(name, read) for name, read in WORDS.items()}
        return _given(options)

    def _retry(self) -> Any:
        numbers = {name: self.take(f"retry_{name}", _number_of(name)) for name in RETRY[:4]}
        names = {name: self.take(f"retry_{name}", _names) for name in RETRY[4:]}
        given = _given({**numbers, **names})
        try:
            Retry.of(given)
        except BadRequest as error:
            self.problems.setdefault("retry_attempts", str(error))
        if given.keys() - {"attempts"} and given.get("attempts", 1) == 1:
            self.problems.setdefault("retry_attempts", "Say how often to try at most, 2 or more.")
        return given["attempts"] if given.keys() == {"attempts"} else given or None


def _service(text: str) -> str:
    if text:
        return text
    raise BadRequest("Say which service to invoke.")


def _body_of(kind: str) -> Callable[[str], str]:
    return _text_body if kind == TEXT else _json_body


def _json_body(text: str) -> str:
    if not text.strip():
        return ""
    decode(text)
    return text.strip()


def _text_body(text: str) -> str:
    return encode(text).decode() if text else ""


def _headers(text: str) -> dict[str, str]:
    headers = {}
    for line in filter(str.strip, text.splitlines()):
        found = HEADER.fullmatch(line.strip())
        if found is None:
            raise BadRequest(f"{line.strip()!r:.80} is no header. Write one a line, as 'X-Name: value', in Latin-1.")
        if is_own_header(found[1]):
            raise BadRequest(f"The header {found[1]!r} is set by whoever makes the call, and cannot be chosen.")
        headers[found[1]] = found[2]
    return headers


def _number(option: str, text: str) -> float | None:
    """Return a number, whole if it is written so."""
    if not text:
        return None
    try:
        return int(text) if text.isdecimal() else _finite(float(text))
    except ValueError as error:
        raise BadRequest(f"{text!r:.40} is no number. Write {option.replace('_', ' ')} as 5 or 0.25.") from error


def _finite(value: float) -> float:
    if math.isfinite(value):
        return value
    raise ValueError(value)


def _number_of(option: str) -> Callable[[str], float | None]:
    return lambda text: _number(option, text)


def _seconds(option: str) -> Callable[[str], float | None]:
    def read(text: str) -> float | None:
        value = _number(option, text)
        milliseconds_of(value, option)
        return value

    return read


def _time_limit(text: str) -> float | None:
    value = _number("time_limit", text)
    if value is not None:
        time_limit_of(value)
    return value


def _names(text: str) -> list[str] | None:
    return [name for name in re.split(r"[\s,]+", text) if name] or None


def _if_given(check: Callable[[str], object]) -> Callable[[str], str | None]:
    def read(text: str) -> str | None:
        if not text:
            return None
        check(text)
        return text

    return read


def _cid(text: str) -> None:
    if len(text) > 128 or not text.isprintable():
        raise BadRequest("A CID is 1 to 128 printable characters.")


WORDS: Mapping[str, Callable[[str], Any]] = {
    "idempotency_key": _if_given(key_of),
    "cid": _if_given(_cid),
    "priority": _if_given(priority_of),
    "queue": _if_given(queue_of),
    "callback": _names,
    "on_failure": _names,
}


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _payload_of(body: str) -> tuple[str, str]:
    """Return what stands in the form for a payload that was sent: a JSON text as text, anything else as JSON."""
    try:
        value = decode(body) if body else ""
    except InvalidPayload:
        return body, JSON
    return (value, TEXT) if body and isinstance(value, str) else (body, JSON)


def _as_texts(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: _as_text(value) for name, value in fields.items() if value is not None}


def _as_text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)
