"""What goes wrong between a client and a server, in our words.

Each error is also the exception of `requests` that it stands for, so that programs written
against `requests` catch it as before. `transport.py` raises them.
"""

import re
from typing import ClassVar

import requests
from requests import exceptions as theirs
from urllib3.exceptions import LocationValueError, ProtocolError, ReadTimeoutError

from zato.core.errors import ZatoError

__all__ = [
    "ConnectTimedOut",
    "ConnectionFailed",
    "ConnectionLost",
    "InvalidAddress",
    "NetworkError",
    "ProxyFailed",
    "ReadTimedOut",
    "TLSFailed",
    "may_be_shown",
    "translate",
    "without_credentials",
]

USERINFO = re.compile(r"(?<=//)[^/?#]*@")


class NetworkError(ZatoError, requests.RequestException):
    """No usable reply came from the server. Catch this to catch every error of this module."""

    code = "network_error"
    status = 502
    exit_code = 3
    wording: ClassVar[str] = "The request to {url} failed: {reason}."


class InvalidAddress(NetworkError, theirs.MissingSchema, theirs.InvalidSchema, theirs.InvalidURL):
    """The address a client was given is none."""

    code = "invalid_address"
    wording = "{url!r} is not a usable address. Write it as 'http://host:port'."


class ConnectionFailed(NetworkError, requests.ConnectionError):
    """No connection could be made, so nothing was sent."""

    code = "connection_failed"
    status = 503
    wording = "Cannot connect to {url}: {reason}. Check the address, and that the server is running."


class ConnectTimedOut(ConnectionFailed, requests.ConnectTimeout):
    """No connection was made within `connect_timeout`, so nothing was sent."""

    code = "connect_timeout"
    status = 504
    wording = (
        "No connection to {url} was made within {connect} s. "
        "Check the address, the network and the firewall, or give the client a larger connect_timeout."
    )


class TLSFailed(ConnectionFailed, theirs.SSLError):
    """The two sides did not agree on a secure connection, so nothing was sent."""

    code = "tls_failed"
    wording = (
        "No secure connection to {url} could be made: {reason}. If the server speaks plain HTTP, use http://; "
        "if its certificate comes from an authority of your own, pass tls_verify='/path/to/ca.pem'."
    )


class ProxyFailed(ConnectionFailed, theirs.ProxyError):
    """The proxy named in the environment did not connect us."""

    code = "proxy_failed"
    wording = (
        "The proxy on the way to {url} failed: {reason}. Check HTTP_PROXY and HTTPS_PROXY, "
        "or name the server's host in NO_PROXY."
    )


class ConnectionLost(NetworkError, requests.ConnectionError, theirs.ChunkedEncodingError):
    """The connection ended after the request was sent and before the reply was complete."""

    code = "connection_lost"
    wording = (
        "{url} closed the connection before its reply was complete: {reason}. "
        "The service may have run; check that before you send the request again."
    )


class ReadTimedOut(NetworkError, requests.ReadTimeout):
    """The server sent nothing for `read_timeout`. The service may still be running."""

    code = "read_timeout"
    status = 504
    wording = (
        "{url} sent nothing for {read} s. The service may still be running: "
        "use invoke_async for what takes long, or give the client a larger read_timeout."
    )


# The first one that fits; `requests` has TLS and proxy errors below its ConnectionError.
KINDS: tuple[tuple[type[Exception], type[NetworkError]], ...] = (
    (theirs.SSLError, TLSFailed),
    (theirs.ProxyError, ProxyFailed),
    (theirs.InvalidProxyURL, ProxyFailed),
    (requests.ConnectTimeout, ConnectTimedOut),
    (requests.ReadTimeout, ReadTimedOut),
    (theirs.ChunkedEncodingError, ConnectionLost),
    (requests.ConnectionError, ConnectionFailed),
    (theirs.MissingSchema, InvalidAddress),
    (theirs.InvalidSchema, InvalidAddress),
    (theirs.InvalidURL, InvalidAddress),
    (LocationValueError, InvalidAddress),
)


def translate(error: Exception, url: str, timeout: tuple[float | None, float | None]) -> NetworkError:
    """Return our error for one of `requests` or `urllib3`.

    Args:
        error: what was raised.
        url: where the request went; credentials in it are not shown.
        timeout: the connect and read timeouts that were in force, in seconds.
    """
    shown = without_credentials(url)
    kind = _kind_of(error)
    message = kind.wording.format(url=shown, reason=_reason(error, url), connect=timeout[0], read=timeout[1])
    return kind(message, request=getattr(error, "request", None))


def may_be_shown(error: Exception, url: str) -> bool:
    """Tell whether what `requests` says is free of secrets: it quotes addresses and headers in full."""
    return not isinstance(error, theirs.InvalidHeader) and without_credentials(url) == url


def without_credentials(url: str) -> str:
    """Return a URL as it may be shown and logged."""
    return USERINFO.sub("", url)


def _kind_of(error: Exception) -> type[NetworkError]:
    cause = error.args[0] if error.args else None
    if isinstance(cause, ReadTimeoutError):
        return ReadTimedOut
    if isinstance(cause, ProtocolError):
        return ConnectionLost
    return next((ours for kind, ours in KINDS if isinstance(error, kind)), NetworkError)


def _reason(error: Exception, url: str) -> str:
    """Return the words of the operating system or of the TLS library, which are the shortest to the point."""
    if isinstance(error, theirs.InvalidHeader):
        return "a header holds a line break, or another character that headers cannot have"
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", None) or cause
    deepest = getattr(cause, "__cause__", None) or (getattr(cause, "args", None) or (cause,))[-1]
    words = getattr(deepest, "strerror", None) or str(deepest) or type(error).__name__
    return without_credentials(words.replace(url, without_credentials(url))).rstrip(".")
