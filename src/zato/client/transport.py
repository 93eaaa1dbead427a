"""One `requests.Session` a client: timeouts, connect retries, and errors in our own words.

Only making a connection is tried again. A request that was sent is never sent a second time.
"""

import logging
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from zato.client.errors import may_be_shown, translate, without_credentials
from zato.client.limits import BACKOFF, CONNECT_RETRIES, CONNECT_TIMEOUT, READ_TIMEOUT, Limits

__all__ = ["Transport", "in_utf8", "local_session", "pinned_session"]


class Transport:
    """Sends requests, with the same credentials and limits each time.

    Args:
        auth: what `requests` accepts; a session that has its own keeps it.
        session: a session to use as it is: it is not changed, and not closed. By default the transport makes
            its own, which tries to connect 4 times more, after 0, 0.2, 0.4 and 0.8 seconds.
        tls_verify: False to accept any certificate, or the path of a file with authorities to trust.
            True and None leave it to the session, which checks certificates unless it was told otherwise.
        tls_cert: path of a client certificate, or of one and its key.
        connect_timeout: seconds to wait for a connection, each time it is tried. None: for ever.
        read_timeout: seconds in which the server may send nothing. None: for ever.
        logger: where debug lines go; they hold no credentials and no payload.
    """

    def __init__(
        self,
        *,
        auth: Any = None,
        session: requests.Session | None = None,
        tls_verify: bool | str | None = None,
        tls_cert: str | tuple[str, str] | None = None,
        connect_timeout: float | None = CONNECT_TIMEOUT,
        read_timeout: float | None = READ_TIMEOUT,
        logger: logging.Logger | None = None,
    ) -> None:
        self.session = _new_session(auth) if session is None else session
        self._owns_session = session is None
        self._auth = in_utf8(auth)
        self._verify = None if tls_verify is True else tls_verify
        self._cert = tls_cert
        self._limits = Limits(connect_timeout, read_timeout)
        self._logger = logger or logging.getLogger(__name__)

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        patience: float = 0.0,
    ) -> requests.Response:
        """Send a request and return the complete reply, whatever its HTTP status.

        Args:
            patience: seconds the server is asked to take at most; the read timeout is longer than that.

        Raises:
            NetworkError: no complete reply came.
        """
        shown = without_credentials(url)
        timeout = self._limits.of_call(patience)
        self._logger.debug("%s %s, %d bytes", method, shown, len(body or b""))
        try:
            reply = self.session.request(
                method,
                url,
                data=body,
                headers=headers,
                params=params,
                auth=None if self.session.auth else self._auth,
                timeout=timeout,
                verify=self._verify,
                cert=self._cert,
                stream=False,
            )
        except (OSError, HTTPError) as error:
            raise translate(error, url, timeout) from (error if may_be_shown(error, url) else None)
        self._logger.debug("%s %s -> HTTP %d, %d bytes", method, shown, reply.status_code, len(reply.content))
        return reply

    def close(self) -> None:
        """Close the connections, unless the session is the caller's."""
        if self._owns_session:
            self.session.close()


def pinned_session(fingerprint: str) -> requests.Session:
    """Return a session for the one HTTPS server that has this certificate, whatever name and authority are in it.

    No proxy, no authority and no password that environment variables or files name has a say.

    Args:
        fingerprint: SHA-256 of the certificate, in hex.
    """
    session = requests.Session()
    session.trust_env = False
    # The fingerprint is compared all the same, and says more than any signature.
    session.verify = False
    session.adapters.clear()
    session.mount("https://", _PinningAdapter(fingerprint))
    return session


def local_session(fingerprint: str | None) -> requests.Session:
    """Return a session for a server on this machine, past every proxy that environment variables name.

    Args:
        fingerprint: SHA-256 of its certificate, in hex, or None if it speaks plain HTTP.
    """
    if fingerprint is not None:
        return pinned_session(fingerprint)
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(max_retries=_retry()))
    return session


class _PinningAdapter(HTTPAdapter):
    """Sends nothing before the server has shown the right certificate."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__(max_retries=_retry())

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Have every connection compare the certificate."""
        super().init_poolmanager(*args, **kwargs, assert_fingerprint=self._fingerprint)


class _Session(requests.Session):
    """A session whose credentials are not replaced by those of a netrc file on a redirect."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Keep the credentials on a redirect within the same host, and drop them on one to another."""
        is_elsewhere: Any = self.should_strip_auth
        if is_elsewhere(response.request.url, prepared_request.url):
            prepared_request.headers.pop("Authorization", None)


def in_utf8(auth: Any) -> Any:
    """Return a user and password as servers expect them (RFC 7617); `requests` would use Latin-1, and fail."""
    if not isinstance(auth, tuple):
        return auth
    return tuple(part.encode() if isinstance(part, str) else part for part in auth)


def _new_session(auth: Any) -> requests.Session:
    session = _Session() if auth else requests.Session()
    adapter = HTTPAdapter(max_retries=_retry())
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _retry() -> Retry:
    # Without a total, urllib3 does not act on Retry-After either.
    return Retry(
        total=None,
        connect=CONNECT_RETRIES,
        read=False,
        redirect=0,
        status=0,
        other=0,
        backoff_factor=BACKOFF,
    )
