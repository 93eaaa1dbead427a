"""An HTTP request in the words of WSGI (PEP 3333), for services and libraries that read them.

There are the usual keys, and no credentials: `Authorization` and its like are left out, as servers do that pass
requests on to programs (RFC 3875, 4.1.18). `wsgi.input` has what the service has as `self.request.raw_request`.
"""

import sys
from io import BytesIO
from typing import Any

from zato.core.call import HTTPInfo
from zato.core.server_info import ServerInfo

__all__ = ["wsgi_environ"]

WITHOUT_PREFIX = {"content-type", "content-length"}
# `Proxy` would be taken for the setting of a proxy by programs that are started with these as environment variables.
LEFT_OUT = {"authorization", "proxy-authorization", "proxy"}


def wsgi_environ(http: HTTPInfo, raw: object, server: ServerInfo) -> dict[str, Any]:
    """Return the environ of a request; an empty one if the call did not come through HTTP."""
    if not http.method:
        return {}
    body = b"" if http.method in ("GET", "HEAD") else _bytes(raw)
    return {
        "REQUEST_METHOD": http.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _native(http.path),
        "QUERY_STRING": _native(http.query),
        "CONTENT_TYPE": http.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "SERVER_NAME": server.host,
        "SERVER_PORT": str(server.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        **_sender(http),
        **_headers(http),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": server.address.partition(":")[0],
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": server.workers > 1,
        "wsgi.run_once": False,
    }


def _sender(http: HTTPInfo) -> dict[str, str]:
    host, _, port = http.client.rpartition(":")
    sender = {"REMOTE_ADDR": host.strip("[]"), "REMOTE_PORT": port} if host else {}
    return {**sender, "AUTH_TYPE": "Basic", "REMOTE_USER": http.user} if http.user else sender


def _headers(http: HTTPInfo) -> dict[str, str]:
    return {
        f"HTTP_{name.upper().replace('-', '_')}": value
        for name, value in http.headers.items()
        # With an underscore it could pass for another one with a hyphen.
        if name not in WITHOUT_PREFIX and name not in LEFT_OUT and "_" not in name
    }


def _bytes(raw: object) -> bytes:
    return raw if isinstance(raw, bytes) else str(raw).encode("utf-8", "surrogatepass")


def _native(text: str) -> str:
    """Return a text in the form that WSGI wants: each byte of it as one character."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")
