"""Whether the bytes of a Python file are the text that they are said to be, and where they are not.

Python itself says it by the number of a byte, counted from the start of the file, the line or the text in it.
"""

import codecs
import re
import tokenize

__all__ = ["line_of_declaration", "undecodable_at"]

# PEP 263.
DECLARATION = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")
UTF_8 = "utf-8"
OTHER_UNICODE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def undecodable_at(data: bytes) -> tuple[int, str] | None:
    """Return line and reason if bytes are not in the encoding that they declare, or in UTF-8 if they declare none."""
    if data.startswith(OTHER_UNICODE):
        return 1, "It is in UTF-16. Save it as UTF-8."
    if b"\0" in data:
        return _line(data, data.index(b"\0")), "It holds a null byte, so it is no text, or in UTF-16. Save it as UTF-8."
    encoding = _declared(data)
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        return _line(data, error.start), _reason(encoding, data, error.start)
    return None


def line_of_declaration(data: bytes) -> int | None:
    """Return the line in which bytes declare their encoding, or None if they do not."""
    lines = data.split(b"\n", 2)[:2]
    return next((number for number, line in enumerate(lines, 1) if DECLARATION.match(line)), None)


def _declared(data: bytes) -> str:
    lines = iter(data.splitlines(keepends=True))
    try:
        return tokenize.detect_encoding(lambda: next(lines, b""))[0]
    except SyntaxError:
        # No encoding of that name, which Python says well, or nothing declared and no UTF-8.
        return UTF_8


def _line(data: bytes, position: int) -> int:
    return data.count(b"\n", 0, position) + 1


def _reason(encoding: str, data: bytes, position: int) -> str:
    byte = position - data.rfind(b"\n", 0, position)
    if encoding.startswith(UTF_8):
        what = "It is not UTF-8"
        remedy = (
            "Save it as UTF-8, or declare its encoding in the first line: '# -*- coding: latin-1 -*-', for instance"
        )
    else:
        what = f"It is not in {encoding!r}, as it declares"
        remedy = "Declare another encoding, or save the file in that one"
    return f"{what}: byte {byte} of the line is 0x{data[position]:02x}. {remedy}."
