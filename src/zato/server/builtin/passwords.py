"""The input of built-in services that have passwords in it: no message shows one."""

from typing import Any

from zato.core.errors import BadRequest
from zato.server.builtin.inputs import text_of

__all__ = ["name_in", "password_in"]


def name_in(fields: dict[str, Any]) -> str:
    """Return the name of a person.

    Raises:
        BadRequest: there is none.
    """
    name = text_of(fields, "name")
    if name is None:
        raise BadRequest("Give 'name', of a person.")
    return name


def password_in(fields: dict[str, Any], key: str) -> str:
    """Return a password.

    Raises:
        BadRequest: there is none, or it is no text.
    """
    password = fields.get(key)
    if isinstance(password, str):
        return password
    given = f", not of type {type(password).__name__}" if key in fields else ""
    raise BadRequest(f"Give {key!r}, as text{given}.")
