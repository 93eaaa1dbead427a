"""Which parts of a text are secrets."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.masks import Masks, is_secret_name, spellings

MASKS = Masks(["hunter2-hunter2"])
PIECES = (
    "password token cookie Authorization : = => \" ' \\ { } [ ] \n a B 1 s _ , & *** :// @ / Basic Bearer abc123 "
    "hunter2-hunter2"
)
SECRETS = [
    ("password=abc user=bob", "password=*** user=bob"),
    ("db_password: abc", "db_password: ***"),
    ('{"accessToken": "a\\"b", "x": 1}', '{"accessToken": "***", "x": 1}'),
    ("{'token': b'x', 'n': 2}", "{'token': b'***', 'n': 2}"),
    ('{"token":123,"user":"bob"}', '{"token":***,"user":"bob"}'),
    ('{"credentials": {"user": "a", "key": ["}"]}, "b": 2}', '{"credentials": ***, "b": 2}'),
    ('{"a": "{\\"password\\": \\"x\\", \\"b\\": 1}"}', '{"a": "{\\"password\\": \\"***\\", \\"b\\": 1}"}'),
    ("X-Auth-Token: abc\nHost: y", "X-Auth-Token: ***\nHost: y"),
    ("Set-Cookie: a=b; Path=/\nHost: y", "Set-Cookie: ***\nHost: y"),
    ("Authorization: Digest user=x, response=y", "Authorization: ***"),
    ("authorization=Bearer abc n=1", "authorization=*** n=1"),
    ("sent Basic YWRtaW46aHVudGVyMg== to it", "sent Basic *** to it"),
    ("bearer eyJhbGci.abc.def", "bearer ***"),
    ("postgres://u:p@ss@host/db", "postgres://u:***@host/db"),
    ("GET /x?api_key=abc&page=2", "GET /x?api_key=***&page=2"),
    ("CLIENT_SECRET => abc", "CLIENT_SECRET => ***"),
    ('password="a b', 'password="***'),
    ("it is hunter2-hunter2!", "it is ***!"),
    ("İ password=abc", "İ password=***"),
]
HARMLESS = [
    "the password is wrong, the token expired",
    "max_tokens=5 tokens=5 tokenizer: x, TOKENS=5",
    "secretary: Bob, passwordless=yes",
    "Send HTTP Basic credentials of the user 'pubapi'.",
    "Basic Authentication failed",
    "/srv/env/secrets.toml: admin_invoke is not text",
    "http://host:80/path, mail bob@example.com",
    "password=",
]
HOSTILE = [
    "password",
    "password=",
    'password="',
    "password=[",
    'password:{"',
    'password:\\"',
    '"password":[',
    "password=\\",
    "password\\",
    "password ",
    "password_",
    "authorization=Basic ",
    "cookie: ",
    "://a:",
    "://",
    "a",
    "Basic ",
    "Bearer a",
    "token\t",
]


@pytest.mark.parametrize(("text", "shown"), SECRETS)
def test_secret_is_masked(text: str, shown: str) -> None:
    """What follows a secret name is not shown, in whatever notation."""
    assert MASKS.text(text) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_words_stay(text: str) -> None:
    """Prose, counts and addresses are left as they are."""
    assert MASKS.text(text) == text


@pytest.mark.no_cover
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_text_takes_no_longer_than_its_length(piece: str) -> None:
    """No text is so made that time grows faster than length."""
    text = (piece * (250_000 // len(piece))) + "x"
    began = time.process_time()
    MASKS.text(text)
    assert time.process_time() - began < 2


@given(st.lists(st.sampled_from([*PIECES.split(" "), " "]), max_size=25).map("".join))
def test_twice_is_once(text: str) -> None:
    """What was masked already is not changed any more."""
    once = MASKS.text(text)
    assert MASKS.text(once) == once


@given(st.text(), st.text())
def test_known_values_never_show(before: str, after: str) -> None:
    """A value that is known to be secret is not shown, whatever is around it."""
    assert "hunter2-hunter2" not in MASKS.text(f"{before}hunter2-hunter2{after}")


def test_values_below_secret_names() -> None:
    """In structured values names count at every level; numbers and the rest stay what they are."""
    given = {"user": "bob", "api_key": [1, 2], "inner": [{"Cookie": "x", "n": 1.5, "ok": True, "none": None}]}
    shown = {"user": "bob", "api_key": "***", "inner": [{"Cookie": "***", "n": 1.5, "ok": True, "none": None}]}
    assert MASKS.value(given) == shown


def test_value_that_is_too_deep() -> None:
    """It is shown as text, without its secrets."""
    value: object = {"password": "abc"}
    for _ in range(20):
        value = [value]
    assert "abc" not in str(MASKS.value(value))


@pytest.mark.parametrize(("name", "secret"), [("X-Api-Key", True), ("apikey2", True), ("max_tokens", False)])
def test_name(name: str, secret: bool) -> None:
    """A name is secret if a whole word of it is."""
    assert is_secret_name(name) == secret


def test_spellings_of_a_password() -> None:
    """A password is known in JSON, in an address and in a header too."""
    masks = Masks(spellings("pubapi", 'a"b c&d-e'))
    texts = ['a"b c&d-e', 'a\\"b c&d-e', "a%22b%20c%26d-e", "a%22b+c%26d-e", "cHViYXBpOmEiYiBjJmQtZQ=="]
    assert {masks.text(text) for text in texts} == {"***"}
