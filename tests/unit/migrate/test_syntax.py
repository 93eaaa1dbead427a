"""Files of Python 2, which this Python cannot read: what is left over is named, and the rest is read all the same."""

import ast

import pytest

from zato.migrate.syntax import read
from zato.migrate.tokens import tokens_of

PYTHON_2 = """
class Charge(object):
    def handle(self, (name, amount), rate=(1, 2)):
        print "charging", name
        if amount <> 0:
            print >>log, `amount`,
        try:
            mode = 0644 + 10L
        except (ValueError, KeyError), e:
            raise Refused, "no", trace
        return self.outgoing.sql
"""


def found(text: str) -> list[tuple[int, str]]:
    """Return lines and names of what is found in a file."""
    return [(finding.line, finding.what) for finding in read(text)[1]]


def test_every_leftover_has_its_line() -> None:
    """A file that does not parse is no reason to say less of it."""
    assert found(PYTHON_2) == [
        (3, "tuple as an argument"),
        (4, "print statement"),
        (5, "<>"),
        (6, "print statement"),
        (6, "backticks"),
        (8, "octal number"),
        (8, "long number"),
        (9, "except X, e"),
        (10, "raise X, value"),
    ]


def test_rest_of_the_file_is_read() -> None:
    """Classes, calls and attributes are where they were."""
    tree, _ = read(PYTHON_2)
    [returned] = [node for node in ast.walk(tree) if isinstance(node, ast.Return)]

    assert (returned.lineno, ast.unparse(returned)) == (11, "return self.outgoing.sql")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("print", [], id="bare-print-is-left-to-the-tree"),
        pytest.param("print 'a'; print('b')", [(1, "print statement")], id="second-is-a-call"),
        pytest.param("if x: print 'a'", [(1, "print statement")], id="after-a-colon"),
        pytest.param("print ('a'), b", [], id="tuple-is-left-to-the-tree"),
        pytest.param("print ('a' % b), 0777", [(1, "print statement"), (1, "octal number")], id="more-after-brackets"),
        pytest.param("print('a'); x = 0777", [(1, "octal number")], id="a-call-is-fine"),
        pytest.param("print.x = 1L", [(1, "long number")], id="print-as-a-name"),
        pytest.param("x = {1: print ('a') + b, 2: 1L}", [(1, "long number")], id="print-in-brackets"),
        pytest.param("exec 'x' in y", [(1, "exec statement")], id="exec"),
        pytest.param("exec('x'); y = 1L", [(1, "long number")], id="exec-as-a-call"),
        pytest.param("f(lambda (a, b): a)", [(1, "tuple as an argument")], id="lambda"),
        pytest.param("x = ur'\\d'", [(1, "ur''")], id="prefix"),
        pytest.param("f(async=True)", [(1, "async or await as a name")], id="async"),
        pytest.param("async def f(): await(x); y = 0xFFL", [(1, "long number")], id="await-as-it-is-meant"),
        pytest.param("x = self.async.y", [(1, "async or await as a name")], id="attribute"),
        pytest.param("raise X(1, 2); x = 1L", [(1, "long number")], id="raise-of-a-call"),
        pytest.param("try:\n  x\nexcept X, e: pass", [(3, "except X, e")], id="except-on-one-line"),
        pytest.param("try: x\nexcept X,e: pass", [(2, "except X, e")], id="except-without-spaces"),
        pytest.param("try: x\nexcept X, (a, b.c): pass", [(2, "except X, e")], id="except-into-a-tuple"),
        pytest.param("def f(a, b=1, (c, (d,))=(2, (3,))): pass", [(1, "tuple as an argument")], id="default-tuple"),
        pytest.param("f(7L.x)", [(1, "long number")], id="attribute-of-a-number"),
        pytest.param("x = 'C:\\users'", [(1, "\\u in a text")], id="half-an-escape"),
        pytest.param("x = '\\u00e9', 1L", [(1, "long number")], id="whole-escape"),
        pytest.param("x = 'print 1 <> 2' <> 3 # print `x`", [(1, "<>")], id="texts-and-comments"),
        pytest.param('x = """a\nprint b\n"""\nprint x', [(4, "print statement")], id="long-text"),
        pytest.param("print 'a' \\\n  'b'\nx = `y`", [(1, "print statement"), (3, "backticks")], id="joined-lines"),
    ],
)
def test_leftover(text: str, what: list[tuple[int, str]]) -> None:
    """Only what an older Python would have read otherwise is found, and nothing of the file is given up for it."""
    assert found(text) == what


def test_numbers_that_are_fine() -> None:
    """Zeros, fractions, hexadecimal and octal numbers of this Python are no leftovers."""
    assert found("x = (0, 00, 0.5, 07.5, 0o17, 0xFF, 1e5, 1_000)\nprint 'x'") == [(2, "print statement")]


def test_tabs_among_spaces() -> None:
    """Python 2 took a tab for eight spaces."""
    tree, findings = read("def f():\n        x = 1\n\treturn x\n")

    assert [(finding.line, finding.what) for finding in findings] == [(3, "tabs and spaces mixed")]
    assert len(tree.body) == 1


def test_line_that_nothing_can_read_is_given_up() -> None:
    """The lines around it are read, and the message of Python is handed on."""
    tree, [finding] = read("x = 1\ny = = 2\nz = 3\n")

    assert (finding.line, finding.what) == (2, "syntax: invalid syntax")
    assert ast.unparse(tree) == "x = 1\npass\nz = 3"


@pytest.mark.parametrize(
    "text", ["\0", "(" * 50_000, "def f(:\n" * 30, "x = '''"], ids=["null", "deep", "many", "open"]
)
def test_hopeless_file(text: str) -> None:
    """What cannot be read at all is one finding or a few, and no error."""
    findings = read(text)[1]

    assert 0 < len(findings) <= 11
    assert {finding.severity.value for finding in findings} == {"python"}


@pytest.mark.parametrize("text", [PYTHON_2, "'''open", 'f"{x!r:>{w}}"', "a\\\n b", "ż = 'ó' # ł\r", "@x\n$ ? !"])
def test_tokens_are_the_whole_file(text: str) -> None:
    """Nothing is lost: put together, the words are the file."""
    assert "".join(token.text for token in tokens_of(text)) == text


@pytest.mark.no_cover
@pytest.mark.parametrize("text", ["raise a, b, ", "except a, ", "def f("])
def test_endless_statement_is_read_once(text: str) -> None:
    """A file of nonsense takes no longer for each of its words than for the first."""
    assert read(text * 20_000)[1]
