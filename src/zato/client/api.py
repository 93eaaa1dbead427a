"""The client of `/zato/api/invoke`: plain JSON in, plain JSON out, and every HTTP verb."""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from zato.client.base import Client
from zato.client.conversation import Headers
from zato.client.limits import CONNECT_TIMEOUT, READ_TIMEOUT
from zato.client.response import APIResponse
from zato.client.transport import Transport
from zato.core.errors import InvalidPayload
from zato.core.payload import encode, to_text

__all__ = ["APIClient"]


class APIClient(Client):
    """Invokes services by their address, as any HTTP client would.

    Args:
        address: where the server is, for instance `http://localhost:11223`.
        username: the user, `pubapi` for instance.
        password: its password.
        path: what follows the address; `{}` stands for the service's name.
        tls_verify: whether to check certificates, by default yes; or the path of a file with authorities to trust.
        tls_cert: path of a client certificate, or of one and its key.
        connect_timeout: seconds to wait for a connection, 5 by default, each of the 5 times it is tried.
            None: for ever.
        read_timeout: seconds in which the server may send nothing, 600 by default. None: for ever.
        logger: where debug lines go, without payloads and credentials.
    """

    def __init__(
        self,
        address: str,
        username: str,
        password: str,
        path: str = "/zato/api/invoke/{}",
        tls_verify: bool | str | None = None,
        tls_cert: str | tuple[str, str] | None = None,
        *,
        connect_timeout: float | None = CONNECT_TIMEOUT,
        read_timeout: float | None = READ_TIMEOUT,
        logger: logging.Logger | None = None,
    ) -> None:
        transport = Transport(
            auth=(username, password),
            tls_verify=tls_verify,
            tls_cert=tls_cert,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            logger=logger,
        )
        super().__init__(transport)
        self.address = address
        self.path = path

    def invoke(self, name: str, payload: object = "", headers: Headers = None) -> APIResponse:
        """Invoke a service with the verb most of them expect, POST."""
        return self.by_verb("POST", name, payload, headers)

    def get(self, name: str, payload: object = "", headers: Headers = None) -> APIResponse:
        """Invoke a service by GET; the payload is a dict, and becomes the query string."""
        return self.by_verb("GET", name, payload, headers)

    def post(self, name: str, payload: object = "", headers: Headers = None) -> APIResponse:
        """Invoke a service by POST."""
        return self.by_verb("POST", name, payload, headers)

    def patch(self, name: str, payload: object = "", headers: Headers = None) -> APIResponse:
        """Invoke a service by PATCH."""
        return self.by_verb("PATCH", name, payload, headers)

    def put(self, name: str, payload: object = "", headers: Headers = None) -> APIResponse:
        """Invoke a service by PUT."""
        return self.by_verb("PUT", name, payload, headers)

    def delete(self, name: str, payload: object = "", headers: Headers = None) -> APIResponse:
        """Invoke a service by DELETE."""
        return self.by_verb("DELETE", name, payload, headers)

    def by_verb(self, verb: str, name: str, payload: object = "", headers: Headers = None) -> APIResponse:
        """Invoke a service by any HTTP verb.

        Args:
            verb: in upper or lower case.
            name: the service.
            payload: what has a JSON form, sent as the body; or with GET and HEAD a dict, sent as the query
                string. None and the empty text send neither.
            headers: HTTP headers to add.

        Raises:
            NotSerializable: the payload has no JSON form.
            InvalidPayload: the verb is GET or HEAD, and the payload is no dict.
            NetworkError: no reply came.
        """
        method = verb.upper()
        url = self.address + self.path.format(quote(name, safe=""))
        if payload is None or payload == "":
            return APIResponse(self._transport.send(method, url, headers=headers))
        if method in ("GET", "HEAD"):
            return APIResponse(self._transport.send(method, url, headers=headers, params=_query(method, payload)))
        return APIResponse(self._send_json(method, url, encode(payload), headers))


def _query(method: str, payload: object) -> dict[str, Any]:
    """Return the parameters of a query string; a list repeats its key, and None leaves it out."""
    if not isinstance(payload, Mapping):
        raise InvalidPayload(f"{method} sends its payload as a query string; a dict is needed for that.")
    return {str(key): _parameter(value) for key, value in payload.items() if value is not None}


def _parameter(value: object) -> Any:
    return [to_text(item) for item in value] if isinstance(value, list | tuple) else to_text(value)
