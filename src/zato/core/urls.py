"""The address of a shared broker: what is in it, what is legal, and how it is shown without its password.

    redis://user:password@host:6379/0                          `rediss://` is the same over TLS
    redis+sentinel://user:password@host1:26379,host2/name/0    sentinels that know where the master of that name is

User and password are percent-encoded, as in every URL: `p@ss` is written `p%40ss`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from zato.core.faults import InvalidSetting
from zato.core.masks import MASK

__all__ = ["EMBEDDED", "BrokerURL", "is_url", "masked", "shown", "split", "without_password"]

# What stands in the place of an address for the broker that is a file of the environment.
EMBEDDED = "sqlite"
SCHEMES = ("redis", "rediss", "redis+sentinel", "rediss+sentinel")
SENTINEL = "+sentinel"
PORTS = {False: 6379, True: 26379}
# What redis-py takes, for an authority or a certificate of one's own.
OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname")
LEGAL = (
    "Write sqlite, redis://host:6379/0, rediss:// for TLS, or redis+sentinel://host1:26379,host2:26379/name/0; before "
    "the host user:password@ or :password@, in which @ : / ? # and % are written %40 %3A %2F %3F %23 and %25"
)

PARTS = re.compile(r"([a-z+]+)://([^/?#]*)(/[^?#]*)?(?:\?([^#]*))?", re.DOTALL)
HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%[\w.]+)?)\]|([^\s:@/\[\]%,]+))(?::([0-9]{1,5}))?")
PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
USER = re.compile(r"[\w.%\-]*")
SECRET_OPTION = re.compile(r"(?<=[?&])(?:[^=&]*pass[^=&]*)=[^&]*", re.IGNORECASE)
# Behind what can be hosts and ports: a password, if what is between it and the path was forgotten.
NO_PORT = re.compile(r"\A((?:\[[^\]]*\]|[^:/?#\[]|:[0-9]{1,5}(?=[,/?#]|$))*+):.*", re.DOTALL)
SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.\-]*:/*")


@dataclass(frozen=True, slots=True)
class BrokerURL:
    """What the address of a broker says.

    Attributes:
        scheme: one of redis, rediss, redis+sentinel, rediss+sentinel.
        hosts: pairs of host and port; more than one only of sentinels. An IPv6 address has no brackets.
        user: for whom the password is, or an empty text.
        master: by which name sentinels know the master.
        database: its number.
        options: the rest of what the connection is to be like, such as `ssl_ca_certs`.
    """

    scheme: str
    hosts: tuple[tuple[str, int], ...]
    user: str = ""
    password: str = field(default="", repr=False)
    master: str = ""
    database: int = 0
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_sentinel(self) -> bool:
        """Whether the hosts are sentinels."""
        return self.scheme.endswith(SENTINEL)

    @property
    def has_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme.startswith("rediss")

    @property
    def place(self) -> str:
        """Where it is, for messages: hosts and ports, and nothing that is secret."""
        hosts = ", ".join(f"{f'[{host}]' if ':' in host else host}:{port}" for host, port in self.hosts)
        return f"{hosts} (sentinels of {self.master!r})" if self.is_sentinel else hosts


def is_url(broker: str) -> bool:
    """Tell whether the setting `broker` is the address of one that servers share, be it right or wrong."""
    return SCHEME.match(broker) is not None


def split(url: str) -> BrokerURL:
    """Return what an address says.

    Raises:
        InvalidSetting: it is not legal. The message says what is, and shows nothing that may be a password.
    """
    found = PARTS.fullmatch(url)
    if found is None or found[1] not in SCHEMES:
        raise _wrong(url, "it is neither 'sqlite' nor the address of a Redis")
    scheme, rest, path, query = found[1], found[2], found[3] or "", found[4] or ""
    sentinels = scheme.endswith(SENTINEL)
    access, _, places = rest.rpartition("@")
    user, _, password = access.partition(":")
    if "@" in access + path or ":" in password or PERCENT.search(access):
        raise _wrong(url, "the user or password is not percent-encoded")
    master, database = _path(url, path, sentinels)
    return BrokerURL(
        scheme,
        _hosts(url, places, sentinels),
        unquote(user),
        unquote(password),
        master=master,
        database=database,
        options=_options(url, query),
    )


def without_password(url: str) -> str:
    """Return an address that is the same, but has no password. A text that is no such address stays as it is."""
    head, sign, rest = url.partition("://")
    end = re.search(r"[/?#]|$", rest)
    authority, after = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    access, at, places = authority.rpartition("@")
    user, colon, _ = access.partition(":")
    if not (sign and at and colon):
        return url
    return f"{head}://{user}@{places}{after}" if user else f"{head}://{places}{after}"


def masked(broker: str) -> str:
    """Return the setting `broker` as it may be shown to anybody, even if it is not legal."""
    start = SCHEME.match(broker)
    if start is None:
        return broker if "@" not in broker else MASK
    # A slash in a password that is not encoded seems to end the host; what is before the last @ is shown in no case.
    access, at, rest = broker[start.end() :].rpartition("@")
    user, colon, _ = access.partition(":")
    has_user = start[0].endswith("://") and USER.fullmatch(user) is not None
    hidden = f"{user}{colon}{MASK if colon else ''}" if has_user or not at else MASK
    rest = rest if at else NO_PORT.sub(rf"\1:{MASK}", rest)
    return f"{start[0]}{hidden}{at}{SECRET_OPTION.sub(MASK, rest)}"


def shown(settings: Mapping[str, object]) -> dict[str, Any]:
    """Return settings by name as they may be shown to anybody."""
    return {name: masked(str(value)) if name == "broker" else value for name, value in settings.items()}


def _hosts(url: str, places: str, sentinels: bool) -> tuple[tuple[str, int], ...]:
    hosts = []
    for place in places.split(","):
        found = HOST.fullmatch(place)
        port = PORTS[sentinels] if found is None or found[3] is None else int(found[3])
        if found is None or not 1 <= port <= 65_535:
            raise _wrong(url, "a host or port is missing or not legal")
        hosts.append((found[1] or found[2], port))
    if len(hosts) > 1 and not sentinels:
        raise _wrong(url, "only sentinels are more than one host")
    return tuple(hosts)


def _path(url: str, path: str, sentinels: bool) -> tuple[str, int]:
    """Return the name of the master, and the number of the database."""
    parts = path.strip("/").split("/") if path.strip("/") else []
    master = unquote(parts.pop(0)) if sentinels and parts else ""
    if sentinels and not master:
        raise _wrong(url, "the name by which the sentinels know the master is missing")
    number = parts.pop(0) if parts else "0"
    if parts or not re.fullmatch("[0-9]{1,5}", number):
        raise _wrong(url, "what follows the last slash is no number of a database")
    return master, int(number)


def _options(url: str, query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name in options:
        if name not in OPTIONS:
            raise _wrong(url, f"after the question mark there are only {', '.join(OPTIONS)}")
    return options


def _wrong(url: str, why: str) -> InvalidSetting:
    start = SCHEME.match(url)
    # Of what is not understood nobody knows which part is the password.
    which = masked(url) if "@" not in url else f"{start[0]}…" if start and "://" in start[0] else "…"
    return InvalidSetting(f"broker = {which!r:.200} is not legal: {why}. {LEGAL}.")
