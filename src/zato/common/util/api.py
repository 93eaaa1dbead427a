"""The few functions that older services import from here."""

import secrets

from zato.core.absent import say_what_is_absent
from zato.core.cid import CID_ENTROPY, make_cid

__all__ = ["as_bool", "asbool", "new_cid"]

TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
FALSE = frozenset({"", "0", "f", "false", "n", "no", "none", "off"})


def as_bool(value: object) -> bool:
    """Return what a value says as a bool. A text is read: `yes`, `on`, `true`, `1`, and their opposites.

    Raises:
        ValueError: it is a text that says neither.
    """
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word in TRUE or word in FALSE:
        return word in TRUE
    raise ValueError(f"{value!r:.100} says neither yes nor no: use one of {', '.join(sorted(TRUE | FALSE - {''}))}.")


asbool = as_bool


def new_cid() -> str:
    """Return a new correlation ID, such as a request gets."""
    return make_cid(secrets.token_bytes(CID_ENTROPY))


say_what_is_absent(__name__)
