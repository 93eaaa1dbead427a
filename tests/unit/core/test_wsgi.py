"""An HTTP request in the words of WSGI."""

from pathlib import Path
from typing import Any
from wsgiref.validate import check_environ  # type: ignore[attr-defined]

import pytest

from tests.support.facilities import make_info
from zato.core.call import HTTPInfo
from zato.core.wsgi import wsgi_environ

HEADERS = {
    "content-type": "application/json",
    "content-length": "999",
    "authorization": "Basic aHVudGVyMg==",
    "proxy": "http://evil",
    "x-my-header": "1",
    "x_my_header": "2",
    "host": "shop:80",
}
POSTED = HTTPInfo(
    method="POST", path="/żółw", headers=HEADERS, query="a=1&b=%20", client="10.0.0.7:4711", user="pubapi"
)
SERVER = make_info(Path("/srv"), "https://shop:11223", workers=2)


def environ(http: HTTPInfo = POSTED, raw: object = '{"ż": 1}') -> dict[str, Any]:
    """Return the environ of a request."""
    return wsgi_environ(http, raw, SERVER)


def test_usual_keys() -> None:
    """Those of the request line, of the sender, of the server."""
    keys = environ()
    assert {key: value for key, value in keys.items() if key.isupper()} == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/żółw".encode().decode("latin-1"),
        "QUERY_STRING": "a=1&b=%20",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "9",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "11223",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "10.0.0.7",
        "REMOTE_PORT": "4711",
        "AUTH_TYPE": "Basic",
        "REMOTE_USER": "pubapi",
        "HTTP_X_MY_HEADER": "1",
        "HTTP_HOST": "shop:80",
    }
    assert (keys["wsgi.url_scheme"], keys["wsgi.multiprocess"]) == ("https", True)


def test_credentials_are_left_out() -> None:
    """Whoever logs the environ logs no password."""
    assert "aHVudGVyMg" not in str(environ())


def test_libraries_accept_it() -> None:
    """It is what the standard asks for."""
    check_environ(environ())


@pytest.mark.parametrize(
    ("method", "raw", "body"),
    [("POST", '{"ż": 1}', '{"ż": 1}'.encode()), ("PUT", b"\xff", b"\xff"), ("GET", "a=1", b""), ("POST", "", b"")],
)
def test_body_is_the_raw_request(method: str, raw: object, body: bytes) -> None:
    """As bytes; the raw request of a GET is its query string, which is no body."""
    keys = environ(HTTPInfo(method=method, path="/"), raw)
    assert (keys["wsgi.input"].read(), keys["CONTENT_LENGTH"]) == (body, str(len(body) or ""))


@pytest.mark.parametrize(("client", "address"), [("[::1]:80", "::1"), ("127.0.0.1:1", "127.0.0.1"), ("", None)])
def test_sender(client: str, address: str | None) -> None:
    """An IPv6 address has no brackets, and who is not known is not there."""
    assert environ(HTTPInfo(method="GET", client=client)).get("REMOTE_ADDR") == address


def test_no_request_no_keys() -> None:
    """A call that did not come through HTTP has none."""
    assert environ(HTTPInfo()) == {}
