"""Tokens of forms, and where browsers say that forms come from."""

import pytest

from zato.web_admin.security import form_token, from_elsewhere, is_token


def test_token_is_of_one_session() -> None:
    """It tells nothing of the session's own token, and is of no use to another."""
    token = form_token("a session")
    assert "a session" not in token
    assert is_token(token, "a session")
    assert not is_token(token, "another")


@pytest.mark.parametrize("given", [None, "", "0" * 64, "é", "a session"])
def test_anything_else_is_no_token(given: str | None) -> None:
    """Nothing, something made up, or the session's own."""
    assert not is_token(given, "a session")


def test_nobody_has_a_token_without_a_session() -> None:
    """Not even the one that is made of an empty text."""
    assert not is_token(form_token(""), "")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, False, id="program"),
        pytest.param({"sec-fetch-site": "same-origin"}, False, id="our page"),
        pytest.param({"sec-fetch-site": "none"}, False, id="typed"),
        pytest.param({"sec-fetch-site": "same-site"}, True, id="same site"),
        pytest.param({"sec-fetch-site": "cross-site"}, True, id="another site"),
        pytest.param({"origin": "http://here:8183", "host": "here:8183"}, False, id="our origin"),
        pytest.param({"origin": "http://here:8184", "host": "here:8183"}, True, id="another port"),
        pytest.param({"origin": "http://[", "host": "here:8183"}, True, id="no origin at all"),
        pytest.param({"origin": "null", "host": "here:8183"}, True, id="hidden origin"),
        pytest.param({"origin": "http://x", "host": "x", "sec-fetch-site": "cross-site"}, True, id="both"),
    ],
)
def test_where_a_form_comes_from(headers: dict[str, str], expected: bool) -> None:
    """What the browser says of the page that sends it; a program says nothing."""
    assert from_elsewhere(headers) is expected
