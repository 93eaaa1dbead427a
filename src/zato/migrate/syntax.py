"""Reading a file of Python 2: its leftovers are noted, and mended, so that the rest can be read by this Python.

Mending keeps every line where it is. What is mended is looked at only, never run or written.
"""

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Mapping

from zato.migrate.findings import Finding
from zato.migrate.python_rules import SYNTAX
from zato.migrate.tokens import Token, tokens_of

__all__ = ["read"]

OCTAL = re.compile(r"0+[1-7][0-7]*[lL]?")
LONG = re.compile(r"(0[xX][0-9a-fA-F]+|\d+)[lL]")
# What is read as one character, if it is complete.
ESCAPE = re.compile(r"\\[uUNx]")
LETTERS = re.compile("[a-zA-Z]*")
# How many lines may be given up, one after the other, before the rest of a file is.
MOST_GIVEN_UP = 10


def read(text: str) -> tuple[ast.Module, list[Finding]]:
    """Return what a file says, and what this Python could not read of it."""
    tree = _parsed(text)
    if isinstance(tree, ast.Module):
        return tree, []
    mended, findings = _mended(text)
    return _read_as_far_as_possible(mended, findings)


def _parsed(text: str) -> ast.Module | SyntaxError:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        return error
    except (MemoryError, RecursionError, ValueError) as error:
        return SyntaxError(f"{type(error).__name__}: {error}".removesuffix(": "))


def _read_as_far_as_possible(text: str, findings: list[Finding]) -> tuple[ast.Module, list[Finding]]:
    """Give up a line that cannot be read, and go on with the others."""
    lines = text.split("\n")
    for _ in range(MOST_GIVEN_UP):
        tree = _parsed("\n".join(lines))
        if isinstance(tree, ast.Module):
            return tree, findings
        if isinstance(tree, TabError):
            findings.append(SYNTAX["tabs and spaces mixed"].at(tree.lineno or 0, "tabs and spaces mixed"))
            lines = [_with_spaces(line) for line in lines]
            continue
        line = tree.lineno or 0
        findings.append(SYNTAX["syntax"].at(line, f"syntax: {tree.msg}"))
        if not 0 < line <= len(lines) or lines[line - 1].strip() in ("", "pass"):
            break
        indent = len(lines[line - 1]) - len(lines[line - 1].lstrip())
        lines[line - 1] = lines[line - 1][:indent] + "pass"
    return ast.Module([], []), findings


def _with_spaces(line: str) -> str:
    indent = len(line) - len(line.lstrip())
    return line[:indent].expandtabs(8) + line[indent:]


def _mended(text: str) -> tuple[str, list[Finding]]:
    """Return a file in which what only Python 2 could read is written as it is now."""
    tokens = list(tokens_of(text))
    findings = []
    for place, token in enumerate(tokens):
        if token.text in STATEMENTS and not token.is_first:
            continue
        mend = MENDERS.get(token.text) or KINDS.get(token.kind)
        what = mend(tokens, place) if mend else None
        if what:
            findings.append(SYNTAX[what].at(token.line, what))
    return "".join(token.text + token.tail for token in tokens), findings


def _print(tokens: list[Token], place: int) -> str | None:
    """Mend `print x`. What is in brackets as a whole is a call already."""
    after = _after(tokens, place)
    word = _text(tokens, after)
    if word == "(" and _is_call(tokens, after):
        return None
    if word in ("=", ".", ",", ")", ":", "["):
        return None
    if word == ">>":
        tokens[after].text = " "
    _call(tokens, place)
    return "print statement"


def _is_call(tokens: list[Token], opening: int) -> bool:
    """Tell whether what is in brackets is all there is."""
    after = _after(tokens, _closing(tokens, opening))
    return _ends(tokens, after) or tokens[after].text in ("if", "and", "or")


def _exec(tokens: list[Token], place: int) -> str | None:
    """Mend `exec code in namespace`."""
    if _text(tokens, _after(tokens, place)) in ("(", "=", ".", ","):
        return None
    _call(tokens, place)
    return "exec statement"


def _except(tokens: list[Token], place: int) -> str | None:
    """Mend `except X, e:`. What is caught as a tuple, or put anywhere but into a name, gets another name."""
    words = [at for at in _of_statement(tokens, place) if tokens[at].depth == tokens[place].depth]
    comma = next((at for at in words if tokens[at].text == ","), None)
    colon = next((at for at in words if tokens[at].text == ":"), None)
    if comma is None or colon is None or colon < comma:
        return None
    name = _after(tokens, comma)
    tokens[comma].text = " as "
    if _after(tokens, name) != colon:
        _replace(tokens, name, colon - 1, "caught_")
    return "except X, e"


def _raise(tokens: list[Token], place: int) -> str | None:
    """Mend `raise X, value`."""
    words = list(_of_statement(tokens, place))
    commas = [at for at in words if tokens[at].text == "," and tokens[at].depth == tokens[place].depth]
    if not commas:
        return None
    tokens[commas[0]].text = "("
    tokens[words[-1]].tail += ")"
    return "raise X, value"


def _lambda(tokens: list[Token], place: int) -> str | None:
    """Mend `lambda (a, b): ...`."""
    after = _after(tokens, place)
    if _text(tokens, after) != "(":
        return None
    _replace(tokens, after, _closing(tokens, after), " arguments_")
    return "tuple as an argument"


def _def(tokens: list[Token], place: int) -> str | None:
    """Mend `def f(a, (b, c))`."""
    opening = _after(tokens, _after(tokens, place))
    if _text(tokens, opening) != "(":
        return None
    found, before = None, "("
    for at in range(opening + 1, _closing(tokens, opening)):
        if tokens[at].text == "(" and before in ("(", ",") and tokens[at].depth == tokens[opening].depth + 1:
            _replace(tokens, at, _closing(tokens, at), f"arguments_{at}")
            found = "tuple as an argument"
        if not tokens[at].is_blank and tokens[at].kind != "newline":
            before = tokens[at].text
    return found


def _backtick(tokens: list[Token], place: int) -> str | None:
    """Mend a pair of backticks; the second one is met as the first of none."""
    for at in range(place + 1, len(tokens)):
        if tokens[at].text == "`":
            tokens[place].text, tokens[at].text = "repr(", ")"
            return "backticks"
        if tokens[at].kind == "newline":
            break
    return None


def _unequal(tokens: list[Token], place: int) -> str:
    tokens[place].text = "!="
    return "<>"


def _async(tokens: list[Token], place: int) -> str | None:
    """Mend `async` where it is a name."""
    is_used = _text(tokens, _after(tokens, place)) in ("=", ",", ")", ".", ":", "\n")
    if not is_used and _before(tokens, place) not in (".", "def"):
        return None
    tokens[place].text += "_"
    return "async or await as a name"


def _number(tokens: list[Token], place: int) -> str | None:
    token = tokens[place]
    if OCTAL.fullmatch(token.text):
        token.text = "0o" + token.text.lstrip("0").rstrip("lL")
        return "octal number"
    if LONG.fullmatch(token.text):
        token.text = f"({token.text.rstrip('lL')})"
        return "long number"
    return None


def _string(tokens: list[Token], place: int) -> str | None:
    """Mend texts with a prefix, or with escapes, that are none any more."""
    token = tokens[place]
    if token.text[:2].lower() == "ur":
        token.text = token.text[1:]
        return "ur''"
    if ESCAPE.search(token.text) and isinstance(_parsed(token.text), SyntaxError):
        token.text = LETTERS.sub("r", token.text, count=1)
        return "\\u in a text"
    return None


Mender = Callable[[list[Token], int], str | None]

MENDERS: Mapping[str, Mender] = {
    "print": _print,
    "exec": _exec,
    "except": _except,
    "raise": _raise,
    "lambda": _lambda,
    "def": _def,
    "`": _backtick,
    "<>": _unequal,
    "async": _async,
    "await": _async,
}
# What begins a statement, or is no such thing.
STATEMENTS = frozenset({"print", "exec", "except", "raise", "def"})
KINDS: Mapping[str, Mender] = {"number": _number, "string": _string}


def _call(tokens: list[Token], place: int) -> None:
    """Put the rest of a statement into the brackets of a call."""
    words = list(_of_statement(tokens, place))
    tokens[place].text += "("
    tokens[words[-1] if words else place].tail += ")"


def _replace(tokens: list[Token], first: int, last: int, name: str) -> None:
    """Put a name in the place of some words. Their lines stay."""
    for token in tokens[first : last + 1]:
        token.text = token.text if token.kind == "newline" else ""
    tokens[first].text = name


def _of_statement(tokens: list[Token], place: int) -> Iterator[int]:
    """Yield where the words of a statement are that come after one of it."""
    for at in range(place + 1, len(tokens)):
        if tokens[at].ends_statement:
            return
        if not tokens[at].is_blank:
            yield at


def _after(tokens: list[Token], place: int) -> int:
    """Return where the next word is, or the number of words if there is none."""
    for at in range(place + 1, len(tokens)):
        if not tokens[at].is_blank:
            return at
    return len(tokens)


def _before(tokens: list[Token], place: int) -> str:
    return next((token.text for token in reversed(tokens[:place]) if not token.is_blank), "")


def _text(tokens: list[Token], place: int) -> str:
    return tokens[place].text if place < len(tokens) else ""


def _ends(tokens: list[Token], place: int) -> bool:
    return place >= len(tokens) or tokens[place].ends_statement


def _closing(tokens: list[Token], opening: int) -> int:
    """Return where a bracket is closed, or the last word if it is not."""
    for at in range(opening + 1, len(tokens)):
        if tokens[at].text in (")", "]", "}") and tokens[at].depth == tokens[opening].depth:
            return at
    return len(tokens) - 1
