"""What a server has to know to join a cluster: one small file of TOML, written by one server and read by another.

It holds passwords. No message of this module shows what is in one.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zato.core.faults import EnvironmentFault
from zato.core.urls import EMBEDDED, is_url

__all__ = ["PASSWORDS", "SHARED_SETTINGS", "Invitation"]

FORMAT = 1
# What all servers of a cluster have to agree on: where it is, how sure a call is stored, and how long what is kept.
SHARED_SETTINGS = (
    "broker",
    "cluster",
    "replicas",
    "redis_fsync",
    "lease",
    "max_takeovers",
    "max_stored",
    "retention",
)
# As they are called in `secrets.toml`; the last two may be missing.
PASSWORDS = ("admin_invoke", "pubapi", "broker_password", "encryption_key")
HEAD = """\
# An invitation to a cluster. Whoever has this file can do in it whatever its servers can: delete it after use.
#   zato create PATH --join FILE
"""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What servers of one cluster have in common.

    Attributes:
        settings: by name; unchecked, except that there is a broker that can be shared.
        passwords: by their names in `secrets.toml`; unchecked.
    """

    settings: Mapping[str, object]
    passwords: Mapping[str, str] = field(repr=False)

    def to_toml(self) -> str:
        """Return the file."""
        lines = [HEAD, f"invitation = {FORMAT}", "", "[settings]"]
        lines += [f"{name} = {_toml_of(value)}" for name, value in self.settings.items()]
        lines += ["", "[passwords]"]
        lines += [f"{name} = {_toml_of(value)}" for name, value in self.passwords.items()]
        return "\n".join([*lines, ""])

    @classmethod
    def from_toml(cls, text: str, source: str) -> "Invitation":
        """Return what a file says.

        Args:
            text: all of it.
            source: what to call it in messages.

        Raises:
            EnvironmentFault: it is no invitation, or one that this version does not understand.
        """
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise _none(source, f"it is no TOML: {error}") from error
        if values.get("invitation") != FORMAT:
            what = "it is of another version" if "invitation" in values else "there is no line 'invitation = 1'"
            raise _none(source, what)
        settings = _table(values, "settings", SHARED_SETTINGS, source)
        passwords = _table(values, "passwords", PASSWORDS, source)
        broker = settings.get("broker", EMBEDDED)
        if not isinstance(broker, str) or not is_url(broker):
            raise _none(source, "it does not say where the broker is")
        for name in PASSWORDS[:2]:
            if name not in passwords:
                raise _none(source, f"it has no password {name!r}")
        for name, password in passwords.items():
            if not isinstance(password, str):
                raise _none(source, f"the password {name!r} is no text")
        return cls(settings, passwords)


def _toml_of(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _table(values: Mapping[str, Any], name: str, known: tuple[str, ...], source: str) -> dict[str, Any]:
    table = values.get(name)
    if not isinstance(table, dict):
        raise _none(source, f"it has no table [{name}]")
    for key in table:
        if key not in known:
            raise _none(source, f"[{name}] has {key!r}, which this version does not know")
    return table


def _none(source: str, why: str) -> EnvironmentFault:
    return EnvironmentFault(f"{source} is no invitation: {why}. Write one with 'zato cluster invite PATH'.")
