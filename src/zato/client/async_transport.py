"""One `aiohttp.ClientSession` a client: timeouts, connect retries, and errors in our own words.

The only file that knows aiohttp. What a client takes from the environment (proxies, authorities to trust, netrc
files) and what an address is, `requests` decides here too, so that both clients agree.
"""

import asyncio
import logging
import os
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

import aiohttp
import requests
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_auth_from_url, get_netrc_auth, select_proxy, urldefragauth
from yarl import URL

from zato.client.conversation import Post
from zato.client.errors import (
    ConnectionFailed,
    ConnectionLost,
    ConnectTimedOut,
    InvalidAddress,
    NetworkError,
    ProxyFailed,
    ReadTimedOut,
    TLSFailed,
    WrongEventLoop,
    explain,
    may_be_shown,
    translate,
    without_credentials,
)
from zato.client.limits import Limits, pauses
from zato.client.reply import HTTPReply
from zato.core.errors import InvalidSetting

__all__ = ["AsyncTransport"]

SHA256 = re.compile("[0-9a-fA-F]{64}")

# The first one that fits: some of these are subclasses of others.
KINDS: tuple[tuple[type[Exception], type[NetworkError]], ...] = (
    (aiohttp.ClientSSLError, TLSFailed),
    (aiohttp.ServerFingerprintMismatch, TLSFailed),
    (aiohttp.ClientProxyConnectionError, ProxyFailed),
    (aiohttp.ClientHttpProxyError, ProxyFailed),
    (aiohttp.ConnectionTimeoutError, ConnectTimedOut),
    (aiohttp.ServerTimeoutError, ReadTimedOut),
    (aiohttp.ClientConnectorError, ConnectionFailed),
    (aiohttp.InvalidURL, InvalidAddress),
    (aiohttp.NonHttpUrlClientError, InvalidAddress),
    (aiohttp.TooManyRedirects, NetworkError),
    (aiohttp.ClientResponseError, ConnectionLost),
    (aiohttp.ClientConnectionError, ConnectionLost),
    (aiohttp.ClientPayloadError, ConnectionLost),
)


class AsyncTransport:
    """Posts to one address, with the same credentials and limits each time.

    Args:
        url: the address; credentials in it are used if there are no others.
        auth: user and password.
        tls_verify: False to accept any certificate, or the path of a file with authorities to trust.
        tls_fingerprint: SHA-256, in hex with or without colons, of the one certificate to accept.
        limits: how long to wait.
        max_connections: how many connections there may be; 0 for any number.
        logger: where debug lines go; they hold no credentials and no payload.

    Raises:
        InvalidSetting: the fingerprint is no SHA-256 in hex.
    """

    def __init__(
        self,
        url: str,
        *,
        auth: tuple[str | bytes, str | bytes] | None,
        tls_verify: bool | str,
        tls_fingerprint: str | None,
        limits: Limits,
        max_connections: int,
        logger: logging.Logger | None,
    ) -> None:
        self._url = url
        self._auth = auth
        self._verify = tls_verify
        self._fingerprint = None if tls_fingerprint is None else _sha256(tls_fingerprint)
        self._limits = limits
        self._max_connections = max_connections
        self._logger = logger or logging.getLogger(__name__)
        self._line: _Line | None = None

    async def send(self, post: Post) -> HTTPReply:
        """Send a request and return the complete reply, whatever its HTTP status.

        Raises:
            NetworkError: no complete reply came.
            WrongEventLoop: the client's connections belong to another event loop.
        """
        shown = without_credentials(self._url)
        timeout = self._limits.of_call(post.patience)
        self._logger.debug("POST %s, %d bytes", shown, len(post.body))
        try:
            line = await self._opened()
            reply = await line.post(post, timeout)
        except _ClosedMeanwhile:
            raise ConnectionFailed(
                f"The request to {shown} failed: the client was closed; nothing was sent. "
                "Call aclose() when the last call has returned."
            ) from None
        except (aiohttp.ClientError, requests.RequestException, OSError, ValueError) as error:
            raise _translated(error, self._url, timeout) from (error if may_be_shown(error, self._url) else None)
        self._logger.debug("POST %s -> HTTP %d, %d bytes", shown, reply.status_code, len(reply.content))
        return reply

    async def aclose(self) -> None:
        """Close the connections.

        Raises:
            WrongEventLoop: they belong to another event loop, which is still open.
        """
        if self._line is not None:
            self._check_loop(self._line)
            line, self._line = self._line, None
            await line.close()

    async def _opened(self) -> "_Line":
        """Return the connections of this event loop; those of a loop that was closed went with it."""
        dead = self._line
        if dead is not None:
            self._check_loop(dead)
            if not dead.is_dead():
                return dead
        self._line = opened = _Line(
            _Route(self._url, self._auth, self._verify, self._fingerprint), self._max_connections
        )
        if dead is not None:
            await dead.close()
        return opened

    def _check_loop(self, line: "_Line") -> None:
        if line.loop is not asyncio.get_running_loop() and not line.is_dead():
            raise WrongEventLoop(
                "This client's connections belong to another event loop. "
                "Close it there with 'await client.aclose()', or make a client for each loop."
            )


class _Route:
    """Where requests go, and how: what follows from the address, the arguments and the environment."""

    def __init__(self, url: str, auth: Any, verify: bool | str, fingerprint: str | None) -> None:
        prepared = requests.Request("POST", url).prepare().url or url
        session = requests.Session()
        session.trust_env = fingerprint is None
        found: Any = session.merge_environment_settings(prepared, {}, None, None, None)
        self.secure = prepared.startswith("https:")
        _check_address(prepared, pinned=fingerprint is not None)
        self.url = URL(urldefragauth(prepared), encoded=True)
        self.proxy: str | None = select_proxy(prepared, found["proxies"])
        self.headers = _authorization(_credentials(auth, prepared))
        self.ssl: ssl.SSLContext | aiohttp.Fingerprint | bool = True
        if fingerprint is not None:
            self.ssl = _Pin(bytes.fromhex(fingerprint))
        elif self.secure or _is_chosen(found["verify"] if verify is True else verify):
            # A plain address may redirect to a secure one.
            self.ssl = _context(verify, found)


class _Line:
    """The connections to one server, within one event loop."""

    def __init__(self, route: _Route, max_connections: int) -> None:
        self.loop = asyncio.get_running_loop()
        self._route = route
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._session = aiohttp.ClientSession(
            connector=_PatientConnector(limit=max_connections, ssl=route.ssl, socket_factory=self._new_socket)
        )

    async def post(self, post: Post, timeout: tuple[float | None, float | None]) -> HTTPReply:
        """Send a request, once."""
        # Lets the loop notice connections that the server has closed while it was not running.
        for _ in range(2):
            await asyncio.sleep(0)
        if self._session.closed:
            raise _ClosedMeanwhile
        async with self._session.post(
            self._route.url,
            data=post.body,
            headers={**_as_text(post.headers), **self._route.headers},
            proxy=self._route.proxy,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeout[0], sock_read=timeout[1]),
        ) as reply:
            content = await reply.read()
            return HTTPReply(reply.status, reply.reason or "", _joined(reply.headers), content, str(reply.url))

    def is_dead(self) -> bool:
        """Tell whether its event loop is closed, and all connections with it."""
        return self.loop.is_closed()

    async def close(self) -> None:
        """Close the connections."""
        if self.is_dead():
            # Without its event loop aiohttp leaves them to the garbage collector.
            for each in list(self._sockets):
                each.close()
        await self._session.close()

    def _new_socket(self, address: tuple[Any, ...]) -> socket.socket:
        made = socket.socket(*address[:3])
        self._sockets.add(made)
        return made


class _ClosedMeanwhile(Exception):
    """The client was closed before a call had a connection, so nothing of it was sent."""


class _PatientConnector(aiohttp.TCPConnector):
    """Tries to connect 4 times more, after 0, 0.2, 0.4 and 0.8 seconds. Nothing is sent before that."""

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        """Return a connection from the pool, or a new one."""
        try:
            return await self._connect_patiently(*args, **kwargs)
        except (aiohttp.ClientConnectionError, TimeoutError, asyncio.CancelledError) as error:
            if self.closed and not _is_being_cancelled():
                raise _ClosedMeanwhile from error
            raise

    async def _connect_patiently(self, *args: Any, **kwargs: Any) -> Any:
        for pause in pauses():
            try:
                return await super().connect(*args, **kwargs)
            except aiohttp.ClientSSLError:
                raise
            except (aiohttp.ClientConnectorError, TimeoutError):
                if self.closed:
                    raise
                await asyncio.sleep(pause)
        return await super().connect(*args, **kwargs)


class _Pin(aiohttp.Fingerprint):
    """The one certificate to accept. A connection to a server with another one ends at once."""

    def check(self, transport: asyncio.Transport) -> None:
        """Compare the certificate of a new connection, before anything is sent on it."""
        try:
            super().check(transport)
        except aiohttp.ServerFingerprintMismatch:
            # The farewell that aiohttp begins now would outlast the event loop of a program that ends now.
            asyncio.get_running_loop().call_soon(transport.abort)
            raise


def _is_being_cancelled() -> bool:
    """Tell whether somebody wants the running call to end: aiohttp cancels what waits for a connection, too."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _sha256(fingerprint: str) -> str:
    """Return a fingerprint without its colons."""
    digits = str(fingerprint).replace(":", "")
    if not SHA256.fullmatch(digits):
        raise InvalidSetting(
            f"tls_fingerprint = {fingerprint!r} is no SHA-256 of a certificate. Give its 64 hex digits, with or "
            "without colons: 'openssl x509 -in cert.pem -noout -fingerprint -sha256' prints them."
        )
    return digits


def _as_text(headers: Mapping[str, str | bytes | None]) -> dict[str, str]:
    """Return headers as aiohttp takes them; None leaves one out, as with requests."""
    return {_text(name): _text(value) for name, value in headers.items() if value is not None}


def _text(part: str | bytes) -> str:
    return part.decode() if isinstance(part, bytes) else part


def _joined(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return headers as requests has them: each name once, and in a mapping that can be copied and pickled."""
    joined: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for name, value in headers.items():
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def _check_address(url: str, *, pinned: bool) -> None:
    """Refuse what requests refuses only when it sends."""
    if not url.startswith(("https:",) if pinned else ("http:", "https:")):
        raise requests.exceptions.InvalidSchema(f"No connection adapters were found for {url!r}")
    try:
        (urlsplit(url).hostname or "").encode("idna")
    except UnicodeError as error:
        raise requests.exceptions.InvalidURL(f"{url!r} has no host's name in it") from error


def _is_chosen(verify: bool | str) -> bool:
    """Tell whether there is something other to go by than the usual authorities."""
    return not verify or (isinstance(verify, str) and Path(verify).exists())


def _context(verify: bool | str, found: Mapping[str, Any]) -> ssl.SSLContext | bool:
    """Return what checks certificates: by the caller's file, else by the environment's, else by certifi's."""
    if verify is False:
        return False
    path = verify if isinstance(verify, str) else found["verify"]
    trusted = Path(path if isinstance(path, str) else DEFAULT_CA_BUNDLE_PATH)
    if not trusted.exists():
        raise FileNotFoundError(f"there is no file with authorities at {trusted}")
    if trusted.is_dir():
        return ssl.create_default_context(capath=trusted)
    return ssl.create_default_context(cafile=trusted)


def _credentials(auth: Any, url: str) -> Any:
    """Return the caller's, else those of the address, else those of a netrc file, else None."""
    from_url = get_auth_from_url(url)
    return auth or (from_url if any(from_url) else get_netrc_auth(url))


def _authorization(auth: Any) -> dict[str, str]:
    if not auth:
        return {}
    user, password = (part.encode() if isinstance(part, str) else part for part in auth)
    return {"Authorization": "Basic " + b64encode(user + b":" + password).decode("ascii")}


def _translated(error: Exception, url: str, timeout: tuple[float | None, float | None]) -> NetworkError:
    if isinstance(error, requests.RequestException):
        return translate(error, url, timeout)
    kind = next((ours for theirs, ours in KINDS if isinstance(error, theirs)), NetworkError)
    return kind(explain(kind, url, _reason(error), timeout))


def _reason(error: Exception) -> str:
    """Return the words of the operating system or of the TLS library, without addresses and headers."""
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return f"the certificate's fingerprint is {error.got.hex()}, not {error.expected.hex()}"
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message
    if isinstance(error, aiohttp.InvalidURL) or type(error) is ValueError:
        return "a header holds a line break, or another character that headers cannot have"
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    number = getattr(cause, "errno", None)
    if isinstance(cause, ConnectionError) and number:
        return os.strerror(number)
    words = getattr(cause, "strerror", None) or str(cause) or type(error).__name__
    return without_credentials(words).rstrip(".")
