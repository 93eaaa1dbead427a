"""People at the web admin without a browser: plain HTTP, with the cookies and form tokens of its pages."""

import html
import re
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter

from tests.support.admins import PASSWORDS

__all__ = ["Visitor", "text_of"]

TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
TIMEOUT = 60


class _From(HTTPAdapter):
    """Connects from one of the addresses of the loopback, because failures to log in are counted for each address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **options)


class Visitor:
    """Somebody at the web admin. Use it in a `with`.

    Attributes:
        http: what their requests are made with.
    """

    def __init__(self, url: str, session: str | None = None, *, address: str = "127.0.0.1") -> None:
        """Take where the web admin is, and the token of a session if they are logged in."""
        self.url = url
        self.http = requests.Session()
        self.http.mount("http://", _From(address))
        if session is not None:
            self.session = session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    @property
    def session(self) -> str:
        """The token of the session that their browser has, or an empty text."""
        return str(self.http.cookies.get(self.cookie("session")) or "")

    @session.setter
    def session(self, token: str) -> None:
        self.http.cookies.set(self.cookie("session"), token, path="/")

    def cookie(self, name: str) -> str:
        """Return the full name of a cookie of the web admin."""
        return f"zato_admin_{self.url.rpartition(':')[2]}_{name}"

    def get(self, path: str, **options: Any) -> requests.Response:
        """Ask for a page; follows no redirect."""
        return self.http.get(self.url + path, allow_redirects=False, timeout=TIMEOUT, **options)

    def token(self, path: str = "/me") -> str:
        """Return the form token of a page."""
        found = TOKEN.search(self.get(path).text)
        assert found is not None, path
        return found[1]

    def send(self, path: str, fields: Any, **options: Any) -> requests.Response:
        """Send a form as it is given; follows no redirect."""
        return self.http.post(self.url + path, data=fields, allow_redirects=False, timeout=TIMEOUT, **options)

    def submit(self, path: str, **fields: str) -> requests.Response:
        """Send a form of a page, as somebody who is logged in does."""
        return self.send(path, {"form_token": self.token(), **fields})

    def log_in(self, name: str, password: str | None = None, **fields: str) -> requests.Response:
        """Send the form of the log-in; by default with the right password."""
        given = PASSWORDS[name] if password is None else password
        return self.send("/login", {"form_token": self.token("/login"), "name": name, "password": given, **fields})

    def landed(self, response: requests.Response) -> str:
        """Return the text of the page that a response sends them to."""
        assert response.status_code == 303, response.text
        return text_of(self.get(response.headers["Location"]))


def text_of(response: requests.Response) -> str:
    """Return a page as it is read, without the tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", response.text))


Enter = Callable[..., Visitor]
