"""JSON laid out anew."""

import pytest

from zato.core.layout import compact, indented

DIGITS = '{"a":1.10000000000000000000000000001,"b":1e400,"c":123456789012345678901234567890,"d":"\\u00e9"}'


def test_json_is_laid_out_digit_for_digit() -> None:
    """Numbers and escapes are written as they came, and the way back is the same text."""
    laid_out = indented(DIGITS)
    assert laid_out is not None
    assert laid_out.startswith('{\n  "a": 1.1')
    assert compact(laid_out) == DIGITS


@pytest.mark.parametrize("text", ["", "{", "[1,", "NaN", "plain", "[" * 5000 + "]" * 5000, '"\ud800"'])
def test_what_is_no_json_is_not_laid_out(text: str) -> None:
    """The caller has it as it is."""
    assert indented(text) is None
    assert compact(text) is None
