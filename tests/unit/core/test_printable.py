"""Text that may hold anything, made harmless."""

import pytest

from zato.core.printable import on_lines, on_one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("żółw 😀", "żółw 😀", id="plain"),
        pytest.param("a\nb\tc", "a\\nb\\tc", id="lines"),
        pytest.param("\x1b[31mred\x07", "\\x1b[31mred\\x07", id="terminal"),
        pytest.param("\x9b2J\x7f", "\\x9b2J\\x7f", id="eight-bits"),
        pytest.param("a\u2028b\u202ec\u2066", "a\\u2028b\\u202ec\\u2066", id="lines-and-directions"),
        pytest.param("\udcff\ud800", "\\udcff\\ud800", id="half-a-character"),
    ],
)
def test_one_line(text: str, shown: str) -> None:
    """What a terminal would obey is spelt out; what people write stays."""
    assert on_one_line(text) == shown


def test_several_lines() -> None:
    """Line feeds and tabs stay in their place."""
    assert on_lines("a\n\tb\r\x1b") == "a\n\tb\\x0d\\x1b"
