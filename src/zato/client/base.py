"""What all clients share: the constructor of the contract, one HTTP session, closing it."""

import logging
from typing import Any, Self

import requests

from zato.client.conversation import Headers, json_headers
from zato.client.limits import CONNECT_TIMEOUT, READ_TIMEOUT
from zato.client.response import ResponseOptions
from zato.client.transport import Transport

__all__ = ["AddressClient", "Client"]


class Client:
    """One HTTP session. Usable from several threads, and as a context manager."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def session(self) -> requests.Session:
        """The HTTP session in use."""
        return self._transport.session

    def close(self) -> None:
        """Close the connections, unless the session is the caller's."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _send_json(self, method: str, url: str, body: bytes, headers: Headers) -> requests.Response:
        return self._transport.send(method, url, body=body, headers=json_headers(headers))


class AddressClient(Client):
    """A client that posts to one address.

    Args:
        address: where the server is, for instance `http://localhost:11223`.
        path: what follows it, as text.
        auth: what `requests` accepts, above all a tuple of user and password.
        session: a `requests.Session` to use. It keeps its own credentials if it has some, is not changed and not
            closed, and its own settings decide on retries. By default the client makes one.
        to_bunch: give the dicts in `data` attribute access to their keys.
        max_response_repr: how many characters of a body the `repr` of a response shows.
        max_cid_repr: how many characters it shows of either end of a CID.
        logger: where debug lines go, without payloads and credentials.
        tls_verify: whether to check certificates, or the path of a file with authorities to trust. With True, a
            session of the caller's decides.
        connect_timeout: seconds to wait for a connection, 5 by default, each of the 5 times it is tried.
            None: for ever.
        read_timeout: seconds in which the server may send nothing, 600 by default. None: for ever. A call that
            asks the server to take longer is listened to for longer.
    """

    def __init__(  # noqa: PLR0917 - the order is part of the contract
        self,
        address: str,
        path: str,
        auth: Any = None,
        session: requests.Session | None = None,
        to_bunch: bool = False,
        max_response_repr: int = 2500,
        max_cid_repr: int = 5,
        logger: logging.Logger | None = None,
        tls_verify: bool | str = True,
        *,
        connect_timeout: float | None = CONNECT_TIMEOUT,
        read_timeout: float | None = READ_TIMEOUT,
    ) -> None:
        transport = Transport(
            auth=auth,
            session=session,
            tls_verify=tls_verify,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            logger=logger,
        )
        super().__init__(transport)
        self.address = address
        self.url = address + path
        self._options = ResponseOptions(to_bunch, max_response_repr, max_cid_repr)
