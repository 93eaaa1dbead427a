"""A call as other programs make it: Python client, command line and curl, each of which runs as it is copied.

No snippet has a password in it: each reads it from the environment's folder, as its owner may.
"""

import pprint
import shlex
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zato.core.envelope import ADMIN_INVOKE
from zato.core.errors import InvalidPayload, NotSerializable
from zato.core.layout import compact
from zato.core.payload import decode, encode
from zato.web_admin.calls import Call
from zato.web_admin.door import Address

__all__ = ["Snippet", "curl_as", "snippets_of", "why_not"]

WIDTH = 84
# Bytes that an argument of a command may have; Linux allows 131,071. What is longer comes by stdin.
LONGEST_ARGUMENT = 100_000
# Characters of a call that are worth showing as a program.
LONGEST = 1_000_000
SECRETS = "secrets.toml"
TITLES = {"python": "Python", "command": "Command line", "curl": "curl"}

Write = Callable[[Call, Address], str]


class _Unwritable(Exception):
    """A call that a way to make calls has no words for."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way to make a call.

    Attributes:
        name: what a test or a script finds it by.
        title: what people call it.
        text: the program, or an empty text.
        why_not: if there is none, why.
    """

    name: str
    title: str
    text: str = ""
    why_not: str = ""


def snippets_of(call: Call, address: Address) -> list[Snippet]:
    """Return the ways to make a call from outside of the web admin."""
    if len(call.body) > LONGEST:
        return why_not("The payload is too long to be shown as a program.")
    ways: Mapping[str, Write] = {"python": _python, "command": _command, "curl": _curl}
    return [_snippet(name, write, call, address) for name, write in ways.items()]


def why_not(reason: str) -> list[Snippet]:
    """Return what is shown in place of snippets."""
    return [Snippet(name, title, why_not=reason) for name, title in TITLES.items()]


def _snippet(name: str, write: Write, call: Call, address: Address) -> Snippet:
    try:
        return Snippet(name, TITLES[name], write(call, address))
    except _Unwritable as reason:
        return Snippet(name, TITLES[name], why_not=str(reason))


def _python(call: Call, address: Address) -> str:
    """Return a program for the Python client."""
    arguments = [repr(call.service), *_payload_arguments(call.body)]
    if call.headers:
        arguments.append(f"headers={_literal(dict(call.headers))}")
    arguments += [f"{name}={_literal(value)}" for name, value in call.options.items()]
    method = "invoke_async" if call.in_background else "invoke"
    secrets = f'Path({address.folder!r}, "{SECRETS}")'
    client = f'AnyServiceInvoker({address.url!r}, "{ADMIN_INVOKE}", ("{address.user}", password){_session(address)})'
    pinned = ["from zato.client.transport import pinned_session"] if address.tls_fingerprint else []
    return "\n".join(
        [
            "import tomllib",
            "from pathlib import Path",
            "",
            "from zato.client import AnyServiceInvoker",
            *pinned,
            "",
            f'password = tomllib.loads({secrets}.read_text("utf-8"))["{_key_of(address.user)}"]',
            "",
            f"with {client} as client:",
            f"    response = client.{method}({_laid_out(arguments)})",
            "    print(response.data if response.ok else response.details)",
            "",
        ]
    )


def _command(call: Call, address: Address) -> str:
    """Return a line for a shell, in which `zato` is found."""
    start = ["zato", "service", "invoke", shlex.quote(address.folder)]
    headers = _headers_option(call)
    if isinstance(call.options.get("retry"), dict):
        if headers:
            raise _Unwritable("The command line takes no headers beside a policy of retries. Use another way.")
        return _many(call, start)
    words = [*start, "--async"] if call.in_background else start
    for name, value in call.options.items():
        option = f"--{name.replace('_', '-')}"
        words += [shlex.quote(f"{option}={each}") for each in (value if isinstance(value, list) else [value])]
    return _with_payload([*words, *headers], call)


def _headers_option(call: Call) -> list[str]:
    for name, value in call.headers.items():
        if ";" in value:
            raise _Unwritable(
                f"The command line takes no semicolon in a header, as {name!r} has. Use one of the others."
            )
    given = ";".join(f"{name}={value}" for name, value in call.headers.items())
    return [f"--headers={shlex.quote(given)}"] if given else []


def _with_payload(words: list[str], call: Call) -> str:
    name = ["--", shlex.quote(call.service)] if call.service.startswith("-") else [shlex.quote(call.service)]
    if not call.body:
        return " ".join([*words, *name]) + "\n"
    if len(call.body.encode("utf-8", "replace")) < LONGEST_ARGUMENT:
        return " ".join([*words, "--payload=" + shlex.quote(call.body), *name]) + "\n"
    return _piped(" ".join([*words, "--payload=-", *name]), call.body)


def _many(call: Call, start: list[str]) -> str:
    """Return a command whose stdin has a call with options that are objects."""
    item = encode({"name": call.service, **call.options}).decode()
    if call.body:
        item = f'{item[:-1]},"payload":{compact(call.body) or _lenient(call.body)}}}'
    return _piped(" ".join([*start, "--many=-"]), item)


def _curl(call: Call, address: Address) -> str:
    """Return lines for a shell. The password goes by a file descriptor, so that no list of processes shows it."""
    headers = "".join(f" \\\n  --header {shlex.quote(f'{name}: {value}')}" for name, value in call.headers.items())
    line = (
        f"{curl_as(address.user, address)} \\\n"
        f"  --header 'Content-Type: application/json'{headers} \\\n"
        f"  --data-binary @- {shlex.quote(address.url + ADMIN_INVOKE)}"
    )
    return _piped(line, _request(call))


def curl_as(user: str, address: Address) -> str:
    """Return the beginning of a command: curl, with a machine user's name and password from the environment."""
    secrets = shlex.quote(f"{address.folder}/{SECRETS}")
    # A password is in a TOML text, in which a backslash or a quotation mark has a backslash before it; so it is in a
    # file of options of curl's.
    password = f'sed -n \'s/^{_key_of(user)} = "\\(.*\\)"$/user = "{user}:\\1"/p\' {secrets}'
    certificate = f" --cacert {shlex.quote(f'{address.folder}/run/tls.pem')}" if address.tls_fingerprint else ""
    return f"curl --silent --show-error{certificate} --config <({password})"


def _request(call: Call) -> str:
    """Return the body of a request to `/zato/admin/invoke`, without what it would say by default."""
    options = dict(call.options)
    fields: dict[str, Any] = {"name": call.service, "is_async": call.in_background}
    if call.body:
        fields["payload"] = b64encode(call.body.encode()).decode("ascii")
    if "expiration" in options:
        fields["expiration_given"] = True
    return encode({**fields, **options}).decode()


def _piped(command: str, text: str) -> str:
    """Return a command that reads a text from its stdin, whatever is in the text."""
    end, lines = "END", set(text.split("\n"))
    while end in lines:
        end += "_"
    return f"{command} <<'{end}'\n{text}\n{end}\n"


def _payload_arguments(body: str) -> list[str]:
    """Return the payload as a literal if that comes out digit for digit, else as the text of its JSON."""
    if not body:
        return []
    try:
        value = decode(body)
        # NaN and infinities, which that does not take for JSON, have no literals either.
        if encode(value).decode() == compact(body):
            return [_literal(value)]
    except (InvalidPayload, NotSerializable):
        pass
    return [repr(body), "to_json=False"]


def _literal(value: object) -> str:
    return pprint.pformat(value, width=WIDTH, sort_dicts=False)


def _laid_out(arguments: list[str]) -> str:
    """Return the arguments of a call, on one line if they fit there."""
    line = ", ".join(arguments)
    if len(line) <= WIDTH and "\n" not in line:
        return line
    return "".join(f"\n{_indented(argument)}," for argument in arguments) + "\n    "


def _indented(literal: str) -> str:
    # Lines of a literal end between its parts only: a line's end in a text is written as an escape.
    return "\n".join(f"        {line}" for line in literal.split("\n"))


def _session(address: Address) -> str:
    return f", pinned_session({address.tls_fingerprint!r})" if address.tls_fingerprint else ""


def _key_of(user: str) -> str:
    return user.replace(".", "_")


def _lenient(body: str) -> str:
    """Return the JSON of a body that only lenient parsers read, on one line."""
    return encode(decode(body)).decode()
