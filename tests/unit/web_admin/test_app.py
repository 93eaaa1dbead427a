"""The application without a server behind it: its headers, its cookies, and what it says when it cannot do anything."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.types import Message

from zato.core.errors import ServerNotRunning
from zato.web_admin.app import make_app
from zato.web_admin.door import Address, Door
from zato.web_admin.security import HEADERS
from zato.web_admin.visit import Options

SESSION = {"Cookie": "zato_admin_8183_session=x"}


class Reply:
    """What the application sent."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.text = ""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name.decode(), value.decode()) for name, value in message["headers"]]
        else:
            self.text += message.get("body", b"").decode()

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]


def nobody_there() -> Address:
    """Find no server."""
    raise ServerNotRunning("No server runs in this environment.")


def broken() -> Address:
    """Fail as nobody expects."""
    raise RuntimeError("a secret")


def asked(
    path: str, headers: Mapping[str, str] = {}, method: str = "GET", /, *, locate: Any = nobody_there, **options: bool
) -> Reply:
    """Ask for a page."""
    reply = Reply()
    given = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "method": method, "path": unquote(path), "query_string": b""}
    where = {"scheme": "http", "server": ("127.0.0.1", 8183), "client": ("127.0.0.1", 1), "root_path": ""}

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    app = make_app(Door(locate), Options(**options))
    try:
        asyncio.run(app({**scope, **where, "headers": given, "raw_path": path.encode()}, receive, reply.take))
    except RuntimeError:
        assert reply.status == HTTPStatus.INTERNAL_SERVER_ERROR
    return reply


def test_page_says_that_no_server_answers() -> None:
    """With the server's own words, and it tries again by itself."""
    reply = asked("/", SESSION)
    assert reply.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "No server runs in this environment." in reply.text
    assert "data-retry" in reply.text


def test_form_is_not_sent_again_by_itself() -> None:
    """Who typed it would lose it, if the page went on to another one; it says how to get it back."""
    reply = asked("/invoke", SESSION, "POST")
    assert reply.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "Go back with your browser" in reply.text
    assert "data-retry" not in reply.text
    assert "tries again by itself" not in reply.text


def test_log_in_leads_back_to_the_address_as_it_was_sent() -> None:
    """What is escaped in it stays so: the CID `a%41` is another one than `aA`."""
    [location] = asked("/invocations/a%2541").all("location")
    assert unquote(location) == "/login?next=/invocations/a%2541"


def test_slash_at_the_end_leads_nowhere() -> None:
    """Nobody is sent to the host that a request names, which may be none of ours."""
    reply = asked("/login/", {"Host": "evil.example"})
    assert reply.status == HTTPStatus.NOT_FOUND
    assert reply.all("location") == []


def test_log_in_is_shown_without_a_server() -> None:
    """Nothing is asked for it."""
    assert asked("/login").status == HTTPStatus.OK


@pytest.mark.parametrize("path", ["/login", "/nowhere", "/static/x/admin.js", "/static/x/nothing.js"])
def test_headers_are_on_every_reply(path: str) -> None:
    """On pages, on files, and where there is nothing."""
    reply = asked(path)
    for name, value in HEADERS.items():
        assert reply.all(name.lower()) == [value]


def test_fault_of_the_web_admin_itself_tells_nothing() -> None:
    """No stack, no message; and the headers are there."""
    reply = asked("/", SESSION, locate=broken)
    assert reply.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "Something went wrong in the web admin itself." in reply.text
    assert "secret" not in reply.text
    for name, value in {**HEADERS, "Cache-Control": "no-store"}.items():
        assert reply.all(name.lower()) == [value]


@pytest.mark.parametrize(
    ("options", "headers", "expected"),
    [
        pytest.param({}, {}, False, id="plain"),
        pytest.param({}, {"X-Forwarded-Proto": "https"}, False, id="hearsay"),
        pytest.param({"trusts_proxy": True}, {"X-Forwarded-Proto": "https"}, True, id="proxy"),
        pytest.param({"trusts_proxy": True}, {"X-Forwarded-Proto": "http"}, False, id="plain proxy"),
        pytest.param({"trusts_proxy": True}, {}, False, id="silent proxy"),
        pytest.param({"is_tls": True}, {}, True, id="TLS"),
    ],
)
def test_cookies_are_for_https_alone_where_there_is_https(
    options: dict[str, bool], headers: dict[str, str], expected: bool
) -> None:
    """Behind TLS, its own or that of a proxy that it was told to believe."""
    [cookie] = asked("/login", headers, **options).all("set-cookie")
    assert ("; Secure" in cookie) is expected
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
