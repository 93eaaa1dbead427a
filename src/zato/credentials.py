"""The secrets of an environment, as `secrets.toml` has them: passwords, and the key that services encrypt with.

Nothing here shows one in a message. Reading and writing the file is the business of `zato.environment`.
"""

import base64
import binascii
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from zato.core.errors import EnvironmentFault
from zato.hashing import is_hash

__all__ = ["USERS", "Credentials", "toml_of"]

# Machine users, and what each is called in `secrets.toml`.
USERS = {"admin.invoke": "admin_invoke", "pubapi": "pubapi"}

PASSWORD_BYTES = 24
KEY_BYTES = 32
LEGAL_PASSWORD = re.compile(r"[\x20-\x7e]{8,256}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Passwords of the machine users and of the broker, and the key of `self.crypto`.

    Attributes:
        admin_invoke: of the user `admin.invoke`.
        pubapi: of the user `pubapi`.
        broker_password: of the broker, which may need none.
        encryption_key: what services encrypt with, 32 bytes in URL-safe base64; or several, separated by spaces, of
            which the first encrypts and all decrypt. Environments older than it have none.
        first_user_hash: hash of the password of the first person, whom a server makes that finds nobody; or empty.
    """

    admin_invoke: str = field(repr=False)
    pubapi: str = field(repr=False)
    broker_password: str = field(default="", repr=False)
    encryption_key: str = field(default="", repr=False)
    first_user_hash: str = field(default="", repr=False)

    @classmethod
    def make(cls, admin_invoke: str | None = None, pubapi: str | None = None) -> Self:
        """Return the passwords given, random ones for those that are not, and a new key.

        Raises:
            EnvironmentFault: a password is not 8 to 256 printable ASCII characters.
        """
        for password in (admin_invoke, pubapi):
            if password is not None and not _is_password(password):
                raise EnvironmentFault("A password is 8 to 256 printable ASCII characters.")
        return cls(
            admin_invoke or secrets.token_urlsafe(PASSWORD_BYTES),
            pubapi or secrets.token_urlsafe(PASSWORD_BYTES),
            encryption_key=base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii"),
        )

    @classmethod
    def of(cls, values: Mapping[str, object], source: str) -> Self:
        """Return what a file says.

        Args:
            values: by name.
            source: what to call the file in messages.

        Raises:
            EnvironmentFault: something is missing or not legal.
        """
        for name in USERS.values():
            if name not in values:
                raise EnvironmentFault(f"{source} has no line for {name!r}.")
            if not _is_password(values[name]):
                raise EnvironmentFault(f"{source}: {name} is not text of 8 to 256 printable ASCII characters.")
        broker_password, keys = values.get("broker_password", ""), values.get("encryption_key", "")
        if not isinstance(broker_password, str):
            raise EnvironmentFault(f"{source}: broker_password is no text. Write it in quotes.")
        if not isinstance(keys, str) or not all(map(_is_key, keys.split())):
            raise EnvironmentFault(
                f"{source}: encryption_key is not 32 bytes in URL-safe base64, 44 characters; several keys are one "
                "text, with spaces between them. Copy it from another server of the cluster, or from a backup."
            )
        first = values.get("first_user_hash", "")
        if not isinstance(first, str) or (first and not is_hash(first)):
            raise EnvironmentFault(
                f"{source}: first_user_hash is no argon2id hash. Delete the line, and make people with "
                "'zato user create'."
            )
        return cls(str(values["admin_invoke"]), str(values["pubapi"]), broker_password, keys, first)

    def to_toml(self) -> str:
        """Return the file."""
        lines = [
            "# Passwords of machine users. Keep this file readable by its owner only.",
            f"admin_invoke = {toml_of(self.admin_invoke)}",
            f"pubapi = {toml_of(self.pubapi)}",
        ]
        if self.broker_password:
            lines += ["# Password of the broker.", f"broker_password = {toml_of(self.broker_password)}"]
        if self.encryption_key:
            lines += [
                "# What services encrypt with, and cannot decrypt without; the same in all servers of a cluster.",
                f"encryption_key = {toml_of(self.encryption_key)}",
            ]
        if self.first_user_hash:
            lines += [
                "# The password of the first person who may log in to the web admin, as a hash. It is looked at by a",
                "# server that finds nobody yet; 'zato user password' sets another one.",
                f"first_user_hash = {toml_of(self.first_user_hash)}",
            ]
        return "\n".join([*lines, ""])


def toml_of(value: object) -> str:
    """Return a setting's value as it is written in `config.toml`."""
    # TOML takes JSON's numbers, booleans and texts, except for the halves that JSON cuts rare characters into, and DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_password(value: object) -> bool:
    return isinstance(value, str) and LEGAL_PASSWORD.fullmatch(value) is not None


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text.encode("ascii"), b"-_", validate=True)) == KEY_BYTES
    except (UnicodeEncodeError, binascii.Error):
        return False
