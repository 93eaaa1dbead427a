"""Text of programs as HTML: JSON on lines of its own, digit for digit, and colours by classes of `admin.css`.

Whatever the text is, what comes out is safe to show: every character of it is escaped here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape
from pygments.lexer import Lexer
from pygments.lexers.data import JsonLexer
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType

from zato.core.layout import indented

__all__ = ["SHOWN", "Kind", "Shown", "highlighted", "lines_of_source", "shown"]

# Characters of a long text that a page shows.
SHOWN = 64_000
# What is longer is not looked at beyond its beginning, for a browser would not lay out such a line in good time.
LONGEST_LINE = 4_000

Kind = Literal["json", "python", "text"]

# Classes of the style sheet; anything else has the colour of the text, and needs no element.
CLASSES: dict[_TokenType, str] = {
    Comment: "c",
    Keyword: "k",
    Number: "m",
    String: "s",
    Operator.Word: "ow",
    Name.Tag: "nt",
    Name.Function: "nf",
    Name.Class: "nc",
    Name.Decorator: "nd",
    Name.Builtin: "nb",
}
LEXERS: dict[Kind, type[Lexer]] = {"json": JsonLexer, "python": PythonLexer}

Token = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a text.

    Attributes:
        html: the beginning of it, or all.
        kind: `json` if it is JSON, else `text`.
        is_cut: whether there is more.
        size: bytes of the whole, as it came.
    """

    html: Markup
    kind: Kind
    is_cut: bool
    size: int


def shown(text: str, *, at_most: int = SHOWN, is_cut: bool = False) -> Shown:
    """Return what to show of a payload or a response: JSON is laid out and coloured, anything else stays as it is.

    Args:
        text: as it came.
        at_most: characters to show.
        is_cut: whether this is already no more than the beginning of something.
    """
    laid_out = indented(text)
    is_json = laid_out is not None or (is_cut and text.lstrip()[:1] in ("{", "["))
    kind: Kind = "json" if is_json else "text"
    whole = text if laid_out is None else laid_out
    html = highlighted(_beginning(whole, at_most), kind)
    return Shown(html, kind, is_cut or len(whole) > at_most, len(text.encode("utf-8", "replace")))


def highlighted(text: str, kind: Kind) -> Markup:
    """Return a text with its parts in elements, to be put into a `<pre class="highlight">`."""
    return Markup("").join(_element(name, part) for name, part in _tokens(text, kind))


def lines_of_source(source: str, kind: Kind = "python") -> list[Markup]:
    """Return the lines of a source, each of which is HTML of its own."""
    lines, line = [], Markup("")
    for name, part in _tokens(source, kind):
        first, *others = part.split("\n")
        line += _element(name, first)
        for other in others:
            lines.append(line)
            line = _element(name, other)
    return [*lines, line] if line else lines


def _tokens(text: str, kind: Kind) -> Iterator[Token]:
    """Yield pairs of a class, or an empty text, and a part of the text. Together the parts are the text."""
    if kind not in LEXERS or _has_long_line(text):
        yield "", text
        return
    lexer = LEXERS[kind]()
    yield from _merged((_class_of(each), part) for _, each, part in lexer.get_tokens_unprocessed(text))


def _merged(tokens: Iterable[Token]) -> Iterator[Token]:
    last, parts = "", list[str]()
    for name, part in tokens:
        if name != last:
            yield last, "".join(parts)
            last, parts = name, []
        parts.append(part)
    yield last, "".join(parts)


def _element(name: str, text: str) -> Markup:
    if not text:
        return Markup("")
    return Markup('<span class="{}">{}</span>').format(name, text) if name else escape(text)


def _class_of(token: _TokenType | None) -> str:
    while token is not None:
        if token in CLASSES:
            return CLASSES[token]
        token = token.parent
    return ""


def _has_long_line(text: str) -> bool:
    return any(len(line) > LONGEST_LINE for line in text.split("\n"))


def _beginning(text: str, at_most: int) -> str:
    """Return the first characters, to the end of a line if one is near."""
    if len(text) <= at_most:
        return text
    end = text.rfind("\n", at_most * 9 // 10, at_most)
    return text[: end if end > 0 else at_most]
