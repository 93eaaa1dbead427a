"""Names of services: which are legal, how one is made of a class, or a class of one. Those of servers that we make."""

import keyword
import re

from zato.core.errors import InvalidName, InvalidSetting

__all__ = [
    "RESERVED_PREFIX",
    "check_name",
    "check_server_name",
    "class_name",
    "file_stem",
    "impl_name",
    "is_reserved",
    "service_name",
]

RESERVED_PREFIX = "zato"
MAX_NAME_LENGTH = 200

# Before a capital that starts a word: after a lower-case letter or digit, or before a lower-case one.
WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# What is imported beside a new service, and what Python and pytest look for themselves.
TAKEN_CLASSES = {"AsyncService", "Model", "Service"}
TAKEN_STEMS = {"conftest", "test", "tests"}
LEGAL_NAME = re.compile(r"[^\s\x00-\x1f\x7f/?#%\\]+")


def service_name(module: str, class_name: str) -> str:
    """Return the default name: `service_api`, `GetWSDLList` -> `service-api.get-wsdl-list`."""
    words = WORD_START.sub("-", class_name).replace("_", "-").lower()
    return f"{module.replace('_', '-').lower()}.{words}"


def impl_name(module: str, class_name: str) -> str:
    """Return the name of the implementation, module and class as they are written in Python."""
    return f"{module}.{class_name}"


def file_stem(name: str) -> str:
    """Return what to call the file of a new service: `crm.get-customer` -> `crm_get_customer`.

    It is no name that Python or pytest mean something by.
    """
    stem = "_".join(_words(name.lower()))
    is_taken = stem in TAKEN_STEMS or keyword.iskeyword(stem) or stem.startswith("test_") or stem.endswith("_test")
    return f"service_{stem}".rstrip("_") if is_taken or not stem.isidentifier() else stem


def class_name(name: str) -> str:
    """Return what to call the class of a new service, after its last part: `crm.get-customer` -> `GetCustomer`."""
    words = _words(name.rpartition(".")[2]) or _words(name)
    made = "".join(word[0].upper() + word[1:] for word in words)
    if not made.isidentifier():
        made = f"Service{made}"
    return f"{made}Service" if made in TAKEN_CLASSES or keyword.iskeyword(made) else made


def _words(name: str) -> list[str]:
    """Return the parts of a name that can be in a name of Python."""
    return "".join(each if each != "_" and f"a{each}".isidentifier() else " " for each in name).split()


def is_reserved(name: str) -> bool:
    """Tell whether a name belongs to the built-in services."""
    return name.startswith(RESERVED_PREFIX)


def check_name(name: object) -> str:
    """Return a service's name if it is legal.

    Raises:
        InvalidName: it is no text of 1 to 200 characters free of white space and of / ? # % and backslash.
    """
    if isinstance(name, str) and len(name) <= MAX_NAME_LENGTH and name.isprintable() and LEGAL_NAME.fullmatch(name):
        return name
    wrong = repr(name[:240]) if isinstance(name, str) else f"Something of type {type(name).__name__}"
    raise InvalidName(
        f"{wrong} is no service name: use 1 to {MAX_NAME_LENGTH} printable characters, "
        "without spaces and without / ? # % or backslash."
    )


def check_server_name(name: str) -> str:
    """Return a name that nobody has chosen for a server, if it can be one.

    Raises:
        InvalidSetting: it is empty, too long, or holds what would have to be quoted or spelt out somewhere.
    """
    if len(name) <= MAX_NAME_LENGTH and name.isprintable() and LEGAL_NAME.fullmatch(name):
        return name
    raise InvalidSetting(f"{name[:240]!r} cannot be the name of a server by default.")
