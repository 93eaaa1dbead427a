"""From when to when a certificate is valid: the few bytes of its DER form that say so (RFC 5280, 4.1)."""

from datetime import UTC, datetime

__all__ = ["validity"]

# The version, which certificates of the first one leave out.
VERSION = 0xA0
UTC_TIME = 0x17
TIMES = {UTC_TIME: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}


def validity(certificate: bytes) -> tuple[datetime, datetime]:
    """Return when a certificate begins to be valid, and when it ends to be.

    Args:
        certificate: in DER.

    Raises:
        ValueError: it is no certificate.
    """
    try:
        fields = _items(_items(_items(certificate)[0][1])[0][1])
        if fields[0][0] == VERSION:
            fields = fields[1:]
        # Serial number, algorithm and issuer come before it.
        begins, ends = _items(fields[3][1])
        return _moment(*begins), _moment(*ends)
    except (IndexError, KeyError) as error:
        raise ValueError("That is no certificate.") from error


def _items(content: bytes) -> list[tuple[int, bytes]]:
    """Return the elements that follow each other in DER, each as its tag and content."""
    found = []
    while content:
        length, begins = content[1], 2
        if length >= 0x80:
            begins += length - 0x80
            length = int.from_bytes(content[2:begins], "big")
        found.append((content[0], content[begins : begins + length]))
        content = content[begins + length :]
    return found


def _moment(tag: int, text: bytes) -> datetime:
    # Python takes two digits up to 68 for 20xx; RFC 5280 says up to 49, which certificates of today keep to.
    return datetime.strptime(text.decode("ascii"), TIMES[tag]).replace(tzinfo=UTC)
