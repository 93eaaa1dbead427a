"""How text that may hold anything is shown: what a terminal would obey is spelt out instead.

A message must stay on its line, and must not move the cursor, change colours or pass for another message.
"""

__all__ = ["on_lines", "on_one_line"]

# In a text of several lines, line feeds and tabs are in their place.
CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)}
CONTROL |= {code: f"\\u{code:04x}" for code in (0x2028, 0x2029)}
# Halves of characters, which have no UTF-8, and what turns the direction of writing round.
CONTROL |= {code: f"\\u{code:04x}" for code in (*range(0xD800, 0xE000), *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
CONTROL_AND_LINES = CONTROL | {9: "\\t", 10: "\\n"}


def on_one_line(text: str) -> str:
    """Return a text as one line that can be printed anywhere."""
    return text if text.isprintable() else text.translate(CONTROL_AND_LINES)


def on_lines(text: str) -> str:
    """Return a text of several lines that can be printed anywhere."""
    return text if text.isprintable() else text.translate(CONTROL)
