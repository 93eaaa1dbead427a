"""What goes wrong between a client and a server, in our words.

Each error is also the exception of `requests` that it stands for, so that programs written
against `requests` catch it as before. `transport.py` raises them. So does `async_transport.py`, the very same: one
`except` clause serves both clients, and what is raised does not depend on the library that is below.
"""

import re
from typing import Any, ClassVar, Self

import requests
from requests import exceptions as theirs
from urllib3.exceptions import LocationValueError, ProtocolError, ReadTimeoutError

from zato.core.errors import ZatoError
from zato.core.typed import Misfit

__all__ = [
    "ConnectTimedOut",
    "ConnectionFailed",
    "ConnectionLost",
    "InvalidAddress",
    "InvalidType",
    "MissingExtra",
    "NetworkError",
    "ProxyFailed",
    "ReadTimedOut",
    "ResponseMismatch",
    "TLSFailed",
    "WrongEventLoop",
    "explain",
    "may_be_shown",
    "translate",
    "without_credentials",
]

USERINFO = re.compile(r"(?<=//)[^/?#]*@")


class NetworkError(ZatoError, requests.RequestException):
    """No usable reply came from the server. Catch this to catch every error of this module.

    Read its message; the classes below it tell what may be done.
    """

    code = "network_error"
    status = 502
    exit_code = 3
    wording: ClassVar[str] = "The request to {url} failed: {reason}."


class InvalidAddress(NetworkError, theirs.MissingSchema, theirs.InvalidSchema, theirs.InvalidURL):
    """The address a client was given is none.

    Write it as `http://host:port`.
    """

    code = "invalid_address"
    wording = "{url!r} is not a usable address. Write it as 'http://host:port'."


class ConnectionFailed(NetworkError, requests.ConnectionError):
    """No connection could be made, so nothing was sent.

    Check the address, and that the server is running; sending again does no harm.
    """

    code = "connection_failed"
    status = 503
    wording = "Cannot connect to {url}: {reason}. Check the address, and that the server is running."


class ConnectTimedOut(ConnectionFailed, requests.ConnectTimeout):
    """No connection was made within `connect_timeout`, so nothing was sent.

    Check the address, the network and the firewall, or give the client a larger `connect_timeout`.
    """

    code = "connect_timeout"
    status = 504
    wording = (
        "No connection to {url} was made within {connect} s. "
        "Check the address, the network and the firewall, or give the client a larger connect_timeout."
    )


class TLSFailed(ConnectionFailed, theirs.SSLError):
    """The two sides did not agree on a secure connection, so nothing was sent.

    Use `http://` if the server speaks plain HTTP, or pass the authority's file as `tls_verify`.
    """

    code = "tls_failed"
    wording = (
        "No secure connection to {url} could be made: {reason}. If the server speaks plain HTTP, use http://; "
        "if its certificate comes from an authority of your own, pass tls_verify='/path/to/ca.pem'."
    )


class ProxyFailed(ConnectionFailed, theirs.ProxyError):
    """The proxy named in the environment did not connect us.

    Check `HTTP_PROXY` and `HTTPS_PROXY`, or name the server's host in `NO_PROXY`.
    """

    code = "proxy_failed"
    wording = (
        "The proxy on the way to {url} failed: {reason}. Check HTTP_PROXY and HTTPS_PROXY, "
        "or name the server's host in NO_PROXY."
    )


class ConnectionLost(NetworkError, requests.ConnectionError, theirs.ChunkedEncodingError):
    """The connection ended after the request was sent and before the reply was complete.

    The service may have run: look, or use an idempotency key, before sending again.
    """

    code = "connection_lost"
    wording = (
        "{url} closed the connection before its reply was complete: {reason}. "
        "The service may have run; check that before you send the request again."
    )


class ReadTimedOut(NetworkError, requests.ReadTimeout):
    """The server sent nothing for `read_timeout`. The service may still be running.

    Use `invoke_async` for what takes long, or give the client a larger `read_timeout`.
    """

    code = "read_timeout"
    status = 504
    wording = (
        "{url} sent nothing for {read} s. The service may still be running: "
        "use invoke_async for what takes long, or give the client a larger read_timeout."
    )


class ResponseMismatch(ZatoError):
    """A service ran, and what it returned is not of the type that the caller asked for.

    Do not just call again, because the call did run. Compare the type with `response.data` of the error.

    Attributes:
        response: what came back; its `data` is what it is without a type.
    """

    code = "response_mismatch"
    status = 502

    def __init__(self, message: str, response: Any = None) -> None:
        super().__init__(message)
        self.response = response

    @classmethod
    def of(cls, misfit: Misfit, response: Any, *, service: str, wanted: str) -> Self:
        """Say which service returned what, and where in it is something else than expected."""
        return cls(
            f"The call succeeded, but what {service!r} returned is not {wanted}: {misfit.problem} at {misfit.path}. "
            f"The service did run (CID {response.cid}); the error's 'response' has what it returned.",
            response,
        )


class InvalidType(ZatoError, TypeError):
    """A client was asked to read a response as something that JSON can never be.

    Pass a dataclass, a model, a struct, a builtin, or a list, dict or union of these.
    """

    code = "invalid_type"
    exit_code = 2


class WrongEventLoop(ZatoError, RuntimeError):
    """An asynchronous client was used in another event loop than the one its connections belong to.

    Close it with `aclose()` before the first loop ends, or make a client for each loop.
    """

    code = "wrong_event_loop"


class MissingExtra(ZatoError, ImportError):
    """What was asked for needs a library that is not installed.

    Install it with the command in the message.
    """

    code = "missing_extra"
    exit_code = 2


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
    message = explain(_kind_of(error), url, _reason(error, url), timeout)
    return _kind_of(error)(message, request=getattr(error, "request", None))


def explain(kind: type[NetworkError], url: str, reason: str, timeout: tuple[float | None, float | None]) -> str:
    """Return the message of an error; credentials in the address are not shown."""
    return kind.wording.format(url=without_credentials(url), reason=reason, connect=timeout[0], read=timeout[1])


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
