"""HTTP Basic credentials, compared byte by byte."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.errors import Unauthorized
from zato.server.http.auth import BasicAuth

USER, PASSWORD = "admin.invoke", "s3cret: with colon"
AUTH = BasicAuth(USER, PASSWORD, "realm")


def header(credentials: str, scheme: str = "Basic") -> str:
    """Return the value of a header with these credentials."""
    return f"{scheme} {b64encode(credentials.encode()).decode()}"


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "Basic "])
def test_right_credentials(scheme: str) -> None:
    """The right user and password come in, however the scheme is written."""
    AUTH.check(header(f"{USER}:{PASSWORD}", scheme))


@given(st.text(max_size=60))
def test_wrong_credentials(credentials: str) -> None:
    """No other text comes in, and the refusal does not say the password."""
    with pytest.raises(Unauthorized) as caught:
        AUTH.check(header(credentials))

    assert PASSWORD not in caught.value.message


@given(st.one_of(st.none(), st.text(max_size=60)))
def test_header_of_any_kind(value: str | None) -> None:
    """Whatever stands in the header, the answer is `Unauthorized` and no other error."""
    with pytest.raises(Unauthorized):
        AUTH.check(value)
