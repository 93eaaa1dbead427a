"""Every setting of a server: name, type, default, help.

The command line, `config.toml`, environment variables (`ZATO_` and the name in capitals) and the
reference page derive from the fields of `Settings`; a setting is added here and nowhere else.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from zato.core.errors import InvalidSetting, hint_for
from zato.core.urls import EMBEDDED, is_url, masked, split

__all__ = ["ENVIRONMENT_PREFIX", "Setting", "Settings", "describe", "make_settings"]

ENVIRONMENT_PREFIX = "ZATO_"
TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
# It is part of every key in Redis, between braces.
CLUSTER = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


def _setting(default: Any, text: str, *, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": text, "low": low, "high": high})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force. Times are in seconds, sizes in bytes."""

    name: str = _setting("server1", "Name of this server, shown in records and logs.")
    host: str = _setting("127.0.0.1", "Address the server listens on.")
    port: int = _setting(11223, "TCP port the server listens on.", low=1, high=65535)
    workers: int = _setting(1, "Worker processes that answer requests and run services.", low=1, high=64)
    max_stall: float = _setting(
        60.0, "Seconds an event loop may stand still before it is replaced; 0: for ever.", low=0
    )
    import_timeout: float = _setting(
        30.0, "Seconds that the import of one file of services may take; 0: for ever.", low=0
    )
    tls_cert: str = _setting("", "Certificate chain in PEM, to serve HTTPS; a path from the environment's folder.")
    tls_key: str = _setting("", "The private key of 'tls_cert' in PEM, not encrypted.")
    broker: str = _setting(
        "sqlite", "What keeps background calls: 'sqlite', a file in the environment, or 'redis://host:6379/0'."
    )
    cluster: str = _setting("default", "Servers with the same Redis and the same one of these are one cluster.")
    replicas: int = _setting(0, "Replicas of Redis that must have a call before its CID is returned.", low=0, high=10)
    redis_fsync: bool = _setting(
        False, "Return a CID once Redis has the call on its disk: WAITAOF, from Redis 7.2 or Valkey."
    )
    http_threads: int = _setting(32, "Blocking services that requests may run at once.", low=1, high=1000)
    background_threads: int = _setting(32, "Blocking services that run in the background at once.", low=1, high=1000)
    background_tasks: int = _setting(1000, "AsyncServices that run in the background at once.", low=1, high=100_000)
    max_requests: int = _setting(1000, "Requests in progress at once; the next one gets a 503.", low=1, high=20_000)
    max_body: int = _setting(20_000_000, "Largest body of a request, in bytes.", low=1)
    max_response: int = _setting(50_000_000, "Largest response of a request, in bytes.", low=1)
    body_timeout: float = _setting(30.0, "Seconds within which a request's body must have arrived.", low=0.1)
    max_stored: int = _setting(10_000_000, "Largest payload or response of a background call, in bytes.", low=1)
    lease: float = _setting(15.0, "Seconds after which a vanished holder's work is taken over.", low=1)
    max_takeovers: int = _setting(3, "Times a call may lose its process before it is given up.", low=0)
    retention: float = _setting(86_400.0, "Seconds for which outcomes are kept.", low=1)
    audit_retention: float = _setting(7_776_000.0, "Seconds for which it is kept who did what in the web admin.", low=1)
    session_lifetime: float = _setting(
        43_200.0, "Seconds after which whoever logged in to the web admin has to do so again.", low=60
    )
    max_depth: int = _setting(32, "How deep services may invoke each other synchronously.", low=1, high=200)
    honour_default_expiration: bool = _setting(False, "Take the 15 s that old clients always send as meant.")
    return_tracebacks: bool = _setting(False, "Show tracebacks to callers.")
    drain: float = _setting(0.5, "Seconds between saying 'not ready' and closing the doors.", low=0)
    grace: float = _setting(20.0, "Seconds that work in progress has to end at a stop.", low=0)
    log_level: str = _setting("INFO", "Least level that is logged: DEBUG, INFO, WARNING or ERROR.")
    log_format: str = _setting("auto", "'json', 'text', or 'auto': text on a terminal, JSON elsewhere.")
    access_log: bool = _setting(True, "Log a line for each request and background run, in logs/access.log.")
    web_admin: bool = _setting(False, "Start the web admin with the server, and keep it running.")
    web_admin_host: str = _setting("127.0.0.1", "Address the web admin listens on.")
    web_admin_port: int = _setting(8183, "TCP port the web admin listens on.", low=1, high=65535)
    web_admin_trust_proxy: bool = _setting(
        False, "Believe X-Forwarded-For and X-Forwarded-Proto: the web admin stands behind a proxy that sets them."
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as documentation and command line show it."""

    name: str
    type: type
    default: object
    help: str
    low: float | None
    high: float | None


CHOICES: Mapping[str, tuple[str, ...]] = {
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR"),
    "log_format": ("auto", "json", "text"),
}


def describe() -> Iterator[Setting]:
    """Yield every setting in the order of the reference page."""
    for item in fields(Settings):
        meta = item.metadata
        yield Setting(item.name, type(item.default), item.default, meta["help"], meta["low"], meta["high"])


def make_settings(*layers: tuple[str, Mapping[str, object]]) -> Settings:
    """Return settings from layers of values; a later layer wins.

    Args:
        layers: pairs of where the values come from, for messages, and the values by name.
            Text is converted, as environment variables need.

    Raises:
        InvalidSetting: a name is unknown or a value illegal; the message says where it stands.
    """
    known = {setting.name: setting for setting in describe()}
    values: dict[str, Any] = {}
    for source, layer in layers:
        for name, value in layer.items():
            if name not in known:
                hint = hint_for(name, known) or "See docs/reference/settings.md for all of them."
                raise InvalidSetting(f"{source}: there is no setting {name!r}. {hint}")
            values[name] = _checked(known[name], value, source)
    return Settings(**values)


def _checked(setting: Setting, value: object, source: str) -> object:
    converted = _converted(setting, value)
    told = repr(masked(str(value)) if setting.name == "broker" else value)
    if converted is None:
        raise InvalidSetting(f"{source}: {setting.name} = {told} is not of type {setting.type.__name__}.")
    if isinstance(converted, int | float) and not _in_range(setting, converted):
        raise InvalidSetting(f"{source}: {setting.name} = {told} is out of range: {_range(setting)}.")
    if isinstance(converted, str) and not converted.isprintable():
        raise InvalidSetting(f"{source}: {setting.name} = {told} holds characters that cannot be printed.")
    _check_text(setting.name, converted, source)
    choices = CHOICES.get(setting.name)
    if choices and converted not in choices:
        raise InvalidSetting(f"{source}: {setting.name} = {told} is none of {', '.join(choices)}.")
    return converted


def _check_text(name: str, value: object, source: str) -> None:
    """Check what is more than any text.

    Raises:
        InvalidSetting: it is not legal.
    """
    if name == "cluster" and not CLUSTER.fullmatch(str(value)):
        raise InvalidSetting(f"{source}: cluster = {value!r} is not 1 to 64 of the characters A-Z a-z 0-9 _ . and -.")
    if name == "broker":
        _check_broker(str(value), source)


def _check_broker(broker: str, source: str) -> None:
    if broker == EMBEDDED:
        return
    if not is_url(broker):
        known = "Use 'sqlite', or a URL such as 'redis://host:6379'."
        raise InvalidSetting(f"{source}: broker = {masked(broker)!r} is not known. {known}")
    try:
        split(broker)
    except InvalidSetting as error:
        raise InvalidSetting(f"{source}: {error}") from error


def _converted(setting: Setting, value: object) -> object | None:
    if setting.type is bool:
        return _to_bool(value)
    if isinstance(value, bool):
        return None
    if setting.type is str:
        return value if isinstance(value, str) and (value or not setting.default) else None
    if not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number):
        return None
    if setting.type is float:
        return number
    return int(number) if number.is_integer() else None


def _to_bool(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else None
    return True if word in TRUE else False if word in FALSE else None


def _in_range(setting: Setting, number: float) -> bool:
    above = setting.low is None or number >= setting.low
    return above and (setting.high is None or number <= setting.high)


def _range(setting: Setting) -> str:
    if setting.high is None:
        return f"at least {setting.low}"
    return f"{setting.low} to {setting.high}"
