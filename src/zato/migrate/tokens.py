"""The words of a Python file of any version, whether or not this Python can read it.

The `tokenize` of Python is of no use for that: from 3.12 on it refuses what only older versions could read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Kind", "Token", "tokens_of"]

Kind = str

PREFIX = "(?:[rbufRBUF]|[buBU][rR]|[rR][bfBF]|[fF][rR])?"
QUOTED = (r"'''(?:\\.|[^\\])*?'''", r'"""(?:\\.|[^\\])*?"""', r"'(?:\\.|[^\\'\n])*'", r'"(?:\\.|[^\\"\n])*"')
TOKEN = re.compile(
    rf"""
    (?P<comment>\#[^\n]*)
  | (?P<joined>\\\n)
  | (?P<newline>\n)
  | (?P<space>[ \t\f]+)
  | (?P<string>{PREFIX}(?:{"|".join(QUOTED)}))
  | (?P<number>(?:\d+[.]?\d*|[.]\d+)(?:[eE][+-]?\d+|\w+)?)
  | (?P<name>[^\W\d]\w*)
  | (?P<operator><>|>>|<<|\*\*|//|[-+*/%&|^<>=!]=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
# What means nothing but that words end.
BLANK = frozenset({"comment", "joined", "space"})
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")


@dataclass(slots=True)
class Token:
    """One word.

    Attributes:
        kind: `string`, `number`, `name`, `operator` or `newline`; or `comment`, `joined` or `space`.
        text: as it stands in the file; may be replaced.
        tail: what is put after it.
        line: where it begins.
        depth: how many brackets are open around it.
        is_first: whether it begins a statement.
    """

    kind: Kind
    text: str
    line: int
    depth: int
    is_first: bool
    tail: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether it means nothing: a comment or a space."""
        return self.kind in BLANK

    @property
    def ends_statement(self) -> bool:
        """Whether a statement ends before it."""
        return self.depth == 0 and (self.kind == "newline" or self.text == ";")


def tokens_of(text: str) -> Iterator[Token]:
    """Yield every word of a file, so that their texts together are the file."""
    line, depth, is_first = 1, 0, True
    for match in TOKEN.finditer(text):
        kind, word = match.lastgroup or "", match[0]
        if kind == "operator" and word in CLOSING:
            depth = max(0, depth - 1)
        token = Token(kind, word, line, depth, is_first and kind not in BLANK and kind != "newline")
        yield token
        if kind == "operator" and word in OPENING:
            depth += 1
        if not token.is_blank:
            is_first = depth == 0 and (kind == "newline" or word in (";", ":"))
        line += word.count("\n")
