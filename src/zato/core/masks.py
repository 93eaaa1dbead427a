"""Which parts of a text are secrets, by the names that stand before them, and the text without them.

A secret is what follows a secret name and `=` or `:`, be it in JSON, in Python's notation, in a header or in a
query string; the password in an address; what follows `Basic` and `Bearer`; and every value that is known to be
one. Words in prose stay: "the password is wrong". Every step only goes forward, so time grows with length alone.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

__all__ = ["MASK", "Masks", "is_secret_name", "spellings"]

MASK = "***"
# Deeper values are shown as text, which is masked as such.
MAX_DEPTH = 10

WORD = re.compile(
    r"pass(?:word|wd|phrase|code)s?|pwd|secrets?|token|api[_\- ]?keys?|(?:private|access|signing|encryption)[_\-]?keys?"
    r"|authori[sz]ation|cookies?|credentials?"
)
# Without one of these in it, a text has no secret name; looking for them costs a hundredth of looking for names.
STEMS = ("pass", "pwd", "secret", "token", "key", "authori", "cookie", "credential")
# The rest of the name, the end of its quotes, what separates it from its value, and how the value begins.
SEPARATOR = re.compile(
    r"[A-Za-z0-9_\-]{0,64}(?P<quote>\\{0,15}[\"'])?[ \t]{0,8}(?P<sign>=>|={1,2}|:)[ \t]{0,8}(?:[bBrRuU]{1,2}(?=[\"']))?"
)
OPENING = re.compile(r"\\{0,15}[\"']")
TO_END_OF_LINE = re.compile(r"[^\r\n]*")
PLAIN_IN_OBJECT = re.compile(r"[^\s,}\])\"']*")
PLAIN = re.compile(r"[^\s&\"']*")
SCHEME = re.compile(r"(?:Basic|Bearer|Digest|Negotiate|Token)[ \t]{1,8}", re.IGNORECASE)
PIECE = re.compile(r"\"(?:[^\"\\]++|\\.)*+\"?|'(?:[^'\\]++|\\.)*+'?|[\[\](){}]", re.DOTALL)
# Headers whose whole line is the secret.
WHOLE_LINES = ("authori", "cookie")

ADDRESS = re.compile(r"(://[^\s/@:\"<>]*:)[^\s/\"<>]*@")
# An encoded credential, told from a word of a sentence by a digit, or by a capital that is not its first letter.
CREDENTIALS = re.compile(
    r"\b((?i:basic|bearer)[ \t]{1,8})(?=[0-9=]|[A-Za-z+/_.~\-][a-z+/_.~\-]*[0-9=A-Z])[A-Za-z0-9+/=_.~\-]{6,}+"
)


class Masks:
    """Replaces secrets by `***`. Doing it twice changes nothing more."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        """Take values that are secret wherever they occur."""
        self._values = sorted({value for value in values if value}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return a text without the secrets in it."""
        for value in self._values:
            text = text.replace(value, MASK)
        if "://" in text:
            text = ADDRESS.sub(rf"\g<1>{MASK}@", text)
        shadow = _lower(text)
        if "basic" in shadow or "bearer" in shadow:
            text = CREDENTIALS.sub(rf"\g<1>{MASK}", text)
            shadow = _lower(text)
        return _named(text, shadow) if any(stem in shadow for stem in STEMS) else text

    def value(self, value: Any, depth: int = 0) -> Any:
        """Return a value made of dicts, lists, texts and numbers without the secrets in it."""
        if isinstance(value, str):
            return self.text(value)
        if depth < MAX_DEPTH and isinstance(value, Mapping):
            # An input may have an element that is called `items`.
            items = dict.items(value) if isinstance(value, dict) else value.items()
            return {self.text(str(key)): self.field(str(key), item, depth + 1) for key, item in items}
        if depth < MAX_DEPTH and isinstance(value, list | tuple):
            return [self.value(item, depth + 1) for item in value]
        return value if value is None or isinstance(value, bool | int | float) else self.text(str(value))

    def field(self, name: str, value: Any, depth: int = 0) -> Any:
        """Return the value of a named field: nothing of it if the name is a secret's."""
        return MASK if is_secret_name(name) else self.value(value, depth)


def is_secret_name(name: str) -> bool:
    """Tell whether what has this name is a secret: `db_password`, `X-Auth-Token`, not `max_tokens`."""
    return any(_is_whole(name, found) for found in WORD.finditer(_lower(name)))


def _lower(text: str) -> str:
    """Return a text in lower case in which everything stands where it stood: one capital is two small characters."""
    return text.replace("\u0130", "i").lower()


def _is_whole(text: str, found: "re.Match[str]") -> bool:
    """Tell whether a word of a name ends where it seems to: a `tokenizer` is no token, an `accessTokenId` is one."""
    end = found.end()
    following = text[end : end + 1]
    return not following.isalpha() or (following.isupper() and text[end - 1].islower())


def _named(text: str, shadow: str) -> str:
    """Replace what follows secret names, which are found in the text's lower case."""
    parts: list[str] = []
    kept, at = 0, 0
    while found := WORD.search(shadow, at):
        at = found.end()
        value = _value_after(text, found) if _is_whole(text, found) else None
        if value is None:
            continue
        start, end = value
        if start < end:
            parts += (text[kept:start], MASK)
            kept = end
        at = max(at, end)
    return "".join((*parts, text[kept:])) if parts else text


def _value_after(text: str, found: "re.Match[str]") -> tuple[int, int] | None:
    """Return where the value of a name begins and ends, or None if there is none: it is a word in a sentence."""
    separator = SEPARATOR.match(text, found.end())
    if separator is None:
        return None
    start = separator.end()
    in_object = separator["quote"] is not None
    if opening := OPENING.match(text, start):
        return opening.end(), _end_of_quoted(text, opening)
    whole_line = not in_object and separator["sign"] == ":" and found[0].startswith(WHOLE_LINES)
    return start, (_end_of(TO_END_OF_LINE, text, start) if whole_line else _end_of_plain(text, start, in_object))


def _end_of_quoted(text: str, opening: "re.Match[str]") -> int:
    """Return where a quoted value ends; one that does not end goes to the end of the text."""
    quote = opening[0]
    if len(quote) == 1:
        at, step = opening.end(), re.compile(rf"(?:[^{quote}\\]++|\\.)*+", re.DOTALL)
        return _end_of(step, text, at)
    # In JSON inside of JSON the quote that ends it has as many backslashes as the one that begins it.
    at = text.find(quote, opening.end())
    while at > opening.end() and text[at - 1] == "\\":
        at = text.find(quote, at + len(quote))
    return len(text) if at < 0 else at


def _end_of_plain(text: str, start: int, in_object: bool) -> int:
    """Return where a value without quotes ends, be it a word, an object or a list."""
    at = _end_of_bracketed(text, start) if text[start : start + 1] in ("{", "[", "(") else start
    if in_object:
        return _end_of(PLAIN_IN_OBJECT, text, at)
    if scheme := SCHEME.match(text, at):
        at = scheme.end()
    return _end_of(PLAIN, text, at)


def _end_of_bracketed(text: str, start: int) -> int:
    depth = 0
    for piece in PIECE.finditer(text, start):
        if piece[0] in "([{":
            depth += 1
        elif piece[0] in ")]}":
            depth -= 1
            if not depth:
                return piece.end()
    return len(text)


def _end_of(pattern: "re.Pattern[str]", text: str, start: int) -> int:
    found = pattern.match(text, start)
    return start if found is None else found.end()


def spellings(user: str, password: str) -> frozenset[str]:
    """Return the forms in which a password turns up: as it is, quoted, in an address, in a header with its user."""
    return frozenset(
        {
            password,
            json.dumps(password)[1:-1],
            repr(password)[1:-1],
            quote(password, safe=""),
            quote_plus(password),
            base64.b64encode(f"{user}:{password}".encode()).decode(),
        }
    )
