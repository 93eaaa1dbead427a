"""From when to when a certificate is valid."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from zato.core.certificates import validity


def der_of(not_after: datetime | None = None) -> bytes:
    """Return a new certificate in DER."""
    issued = trustme.CA().issue_cert("localhost", not_after=not_after)
    return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())


@pytest.mark.parametrize("year", [2031, 2049, 2050, 2150])
def test_end_is_read(year: int) -> None:
    """Both ways of writing a year are understood."""
    ends = datetime(year, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert validity(der_of(not_after=ends))[1] == ends


def test_beginning_is_before_the_end() -> None:
    """It is the first of the two."""
    begins, ends = validity(der_of())
    assert begins < datetime.now(UTC) + timedelta(minutes=1) < ends


@pytest.mark.parametrize("content", [b"", b"0", b"0\x00", b"\x30\x03\x02\x01\x05", b"no certificate", b"\x30\x84"])
def test_what_is_no_certificate(content: bytes) -> None:
    """It is refused in one way, whatever it is."""
    with pytest.raises(ValueError, match="no certificate"):
        validity(content)
