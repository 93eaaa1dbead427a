"""Addresses of shared brokers: what is in them, what is refused, and that no password is ever shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.errors import InvalidSetting
from zato.core.urls import BrokerURL, is_url, masked, shown, split, without_password

SENTINELS = "redis+sentinel://user:pass@h1:26379,h2:26380/mymaster/3"
LEGAL = [
    pytest.param("redis://host", BrokerURL("redis", (("host", 6379),)), id="short"),
    pytest.param("redis://host:1/2", BrokerURL("redis", (("host", 1),), database=2), id="database"),
    pytest.param("redis://host/", BrokerURL("redis", (("host", 6379),)), id="slash-at-the-end"),
    pytest.param("redis://:p%40%2Fss@h", BrokerURL("redis", (("h", 6379),), password="p@/ss"), id="percent-encoded"),
    pytest.param("redis://me%3A@h", BrokerURL("redis", (("h", 6379),), "me:"), id="user-alone"),
    pytest.param("rediss://u:p@[::1]:7/0", BrokerURL("rediss", (("::1", 7),), "u", "p"), id="ipv6"),
    pytest.param(
        SENTINELS,
        BrokerURL("redis+sentinel", (("h1", 26379), ("h2", 26380)), "user", "pass", master="mymaster", database=3),
        id="sentinels",
    ),
    pytest.param(
        "rediss+sentinel://h1,[fe80::1]/m",
        BrokerURL("rediss+sentinel", (("h1", 26379), ("fe80::1", 26379)), master="m"),
        id="sentinels-by-default-ports",
    ),
    pytest.param(
        "rediss://h?ssl_ca_certs=/etc/ca.pem",
        BrokerURL("rediss", (("h", 6379),), options={"ssl_ca_certs": "/etc/ca.pem"}),
        id="options",
    ),
]
ILLEGAL = [
    pytest.param("mysql://:hunter2@h", "neither 'sqlite' nor the address of a Redis", id="another-program"),
    pytest.param("redis:/hunter2@h", "neither 'sqlite' nor", id="one-slash"),
    pytest.param("redis://", "a host or port is missing", id="no-host"),
    pytest.param("redis://:hunter2@h:0", "a host or port is missing", id="port-zero"),
    pytest.param("redis://:hunter2@h:65536", "a host or port is missing", id="port-too-large"),
    pytest.param("redis://:hunter2@::1:6379", "a host or port is missing", id="ipv6-without-brackets"),
    pytest.param("redis://:hunter2@h1,h2", "only sentinels are more than one host", id="two-hosts"),
    pytest.param("redis://:hunter2@h/zero", "no number of a database", id="database-is-a-word"),
    pytest.param("redis://:hunter2@h/0/1", "no number of a database", id="path-too-long"),
    pytest.param("redis+sentinel://:hunter2@h", "by which the sentinels know the master", id="no-master"),
    pytest.param("redis://:hun@ter2@h", "not percent-encoded", id="at-sign-in-the-password"),
    pytest.param("redis://:hun/ter2@h:1/0", "not percent-encoded", id="slash-in-the-password"),
    pytest.param("redis://:hun:ter2@h", "not percent-encoded", id="colon-in-the-password"),
    pytest.param("redis://:hunter2%@h", "not percent-encoded", id="percent-sign-in-the-password"),
    pytest.param("redis://h@?password=hunter2", "a host or port", id="no-host-but-options"),
    pytest.param("redis://u@h?password=hunter2", "after the question mark there are only ssl_ca_certs", id="option"),
]


@pytest.mark.parametrize(("url", "said"), LEGAL)
def test_address_is_taken_apart(url: str, said: BrokerURL) -> None:
    """What is percent-encoded is decoded, and what is not said has its default."""
    found = split(url)
    assert (found, found.options) == (said, said.options)


@pytest.mark.parametrize(("url", "words"), ILLEGAL)
def test_address_that_is_not_legal_is_refused(url: str, words: str) -> None:
    """The message says what is wrong and what is legal, and shows nothing that may be a password."""
    with pytest.raises(InvalidSetting) as caught:
        split(url)
    message = str(caught.value)
    assert words in message
    assert "Write sqlite, redis://host:6379/0, rediss:// for TLS" in message
    assert "hunter2" not in message
    assert "ter2" not in masked(url)


def test_place_is_what_a_message_needs() -> None:
    """Hosts and ports, with the brackets of IPv6, and the name that sentinels know."""
    places = [split(url).place for url in ("redis://u:p@h", "redis://:p@[::1]:7", SENTINELS)]
    assert places == ["h:6379", "[::1]:7", "h1:26379, h2:26380 (sentinels of 'mymaster')"]


def test_kind_of_connection() -> None:
    """Encrypted or not, through sentinels or not."""
    kinds = [(split(url).has_tls, split(url).is_sentinel) for url in ("redis://h", "rediss://h", SENTINELS)]
    assert kinds == [(False, False), (True, False), (False, True)]


def test_password_is_taken_out() -> None:
    """All else stays as it was written."""
    urls = ("redis://u%3A:p@h:1/2", "redis://:p@h?ssl_keyfile=a:b@c", "redis://u@h", "redis://h", "sqlite")
    assert [without_password(url) for url in urls] == [
        "redis://u%3A@h:1/2",
        "redis://h?ssl_keyfile=a:b@c",
        "redis://u@h",
        "redis://h",
        "sqlite",
    ]


def test_password_is_masked() -> None:
    """What shows that there is one is left; what has none is shown as it is."""
    urls = ("redis://u:p@h:1/2", "redis://:p@h", "redis://u@h", "redis://h", "sqlite", "u:hunter2@h")
    assert [masked(url) for url in urls] == [
        "redis://u:***@h:1/2",
        "redis://:***@h",
        "redis://u@h",
        "redis://h",
        "sqlite",
        "u:***@h",
    ]


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        pytest.param("redis://:hunter2", "redis://:***", id="no-host"),
        pytest.param("redis://user:hunter2/0", "redis://user:***", id="user-and-no-host"),
        pytest.param("redis://h:6379?password=hunter2", "redis://h:6379?***", id="option"),
        pytest.param("redis://h/0?username=u&password=hunter2", "redis://h/0?username=u&***", id="options"),
    ],
)
def test_password_without_an_at_sign(url: str, seen: str) -> None:
    """Neither where settings are shown nor in the message is a password that stands where none belongs."""
    with pytest.raises(InvalidSetting) as caught:
        split(url)

    assert (masked(url), repr(seen) in str(caught.value), "hunter2" in str(caught.value)) == (seen, True, False)


@pytest.mark.parametrize("url", ["redis://h:1/2", "redis://[::1]:6379/0", "redis+sentinel://h1:1,[fe80::1],h2:2/m/0"])
def test_address_without_a_password_is_shown_as_it_is(url: str) -> None:
    """Colons of ports and of IPv6 addresses stand before no password."""
    assert masked(url) == url


def test_only_the_broker_is_masked_among_settings() -> None:
    """Other settings are nobody's secrets."""
    assert shown({"broker": "redis://:p@h", "name": "redis://:p@h", "port": 1}) == {
        "broker": "redis://:***@h",
        "name": "redis://:p@h",
        "port": 1,
    }


def test_what_looks_like_an_address() -> None:
    """Right or wrong, it is no name of a file's format."""
    assert [is_url(text) for text in ("redis://h", "mysql:x", "sqlite", "")] == [True, True, False, False]


@given(st.text(min_size=1), st.text())
def test_no_password_is_shown_whatever_it_is(user: str, rest: str) -> None:
    """However wrong an address is written, what is between user and host is not in what is shown."""
    url = f"redis://{user}:hunter2{rest}@host"
    try:
        message = str(split(url))
    except InvalidSetting as error:
        message = str(error)
    assert "hunter2" not in masked(url) + without_password(masked(url))
    assert "hunter2" not in repr(message)
