"""The one way from the pages to the server: `AnyServiceInvoker`, as any other client."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zato.client import AnyServiceInvoker, NetworkError, ServiceInvokeResponse
from zato.client.errors import ReadTimedOut
from zato.client.response import NO_CID
from zato.client.transport import local_session
from zato.core.envelope import ADMIN_INVOKE
from zato.core.errors import EnvironmentFault, ServerNotRunning
from zato.web_admin.errors import Refused, ServerAway, SessionOver

__all__ = ["CLIENT_HEADER", "SESSION_HEADER", "Address", "Door", "Locate", "Person", "is_own_header"]

SESSION_HEADER = "X-Zato-Session"
CLIENT_HEADER = "X-Zato-Client"
SESSION_SCHEME = "zato-session"
# Who asks whom, and where a request ends; RFC 9110, section 7.6.1, and RFC 9112, section 6.
OWN_HEADERS = frozenset(
    ("authorization", "connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade")
)
# Seconds in which the server answers a page. One that hangs would hold all threads otherwise, and nobody would be told.
ANSWERS_WITHIN = 30.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server answers, and what it is asked with.

    Attributes:
        url: such as `http://127.0.0.1:11223`.
        user: the machine user, `admin.invoke`.
        password: of that user.
        folder: the environment, for the commands that pages show.
        tls_fingerprint: SHA-256 of its certificate in hex, or None if it speaks plain HTTP.
    """

    url: str
    user: str
    password: str = field(repr=False)
    folder: str
    tls_fingerprint: str | None = None


Locate = Callable[[], Address]


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a request to the server is made for.

    Attributes:
        token: of the session.
        client: the address that the browser has.
    """

    token: str = field(repr=False)
    client: str

    def headers(self) -> dict[str, str]:
        """Return what tells the server whom it answers. An empty token is sent, too, and refused.

        A request without one would be the machine user's own, who may do everything.
        """
        return {SESSION_HEADER: self.token, CLIENT_HEADER: self.client}


class Door:
    """Asks the server. Usable from several threads."""

    def __init__(self, locate: Locate, *, answers_within: float = ANSWERS_WITHIN) -> None:
        """Take what finds the server; it is asked each time, because a server may come back elsewhere.

        It raises `ServerNotRunning` or `EnvironmentFault` if there is none.

        Args:
            locate: finds it.
            answers_within: seconds in which it has to answer a page.
        """
        self._locate = locate
        self._answers_within = answers_within
        self._lock = threading.Lock()
        self._clients: _Clients | None = None

    @property
    def address(self) -> Address:
        """Where the server is now.

        Raises:
            ServerAway: there is none.
        """
        try:
            return self._locate()
        except (EnvironmentFault, ServerNotRunning) as error:
            raise ServerAway(str(error)) from error

    def open_session(self, client: str, name: str, password: str) -> str:
        """Return the token of a new session. It is the only request that is made for nobody yet.

        Args:
            client: the address that the browser has.
            name: as somebody typed it.
            password: likewise.

        Raises:
            ServerAway: there is no answer.
            Refused: the answer is no.
        """
        given = {"name": name, "password": password, "client": client}
        response = self._sent(_ask, "zato.session.open", given, {CLIENT_HEADER: client})
        if not response.ok:
            raise _refusal(response)
        return str(response.data["token"])

    def ask(self, person: Person, service: str, payload: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Invoke a built-in service and return what it answers.

        Raises:
            ServerAway: there is no answer.
            SessionOver: the person is not logged in any more.
            Refused: the answer is no.
        """
        response = self._call(_ask, person, service, payload or "", **options)
        if not response.ok:
            raise _refusal(response)
        return response.data

    def invoke(self, person: Person, service: str, payload: object, **options: Any) -> ServiceInvokeResponse[Any]:
        """Invoke any service with options of `AnyServiceInvoker.invoke`, and return the response, good or bad.

        Raises:
            ServerAway: there is no answer.
            SessionOver: the person is not logged in any more.
        """
        return self._call(_invoke, person, service, payload, **options)

    def invoke_async(self, person: Person, service: str, payload: object, **options: Any) -> ServiceInvokeResponse[Any]:
        """Have a service run in the background, with options of `AnyServiceInvoker.invoke_async`.

        Raises:
            ServerAway: there is no answer.
            SessionOver: the person is not logged in any more.
        """
        return self._call(_invoke_async, person, service, payload, **options)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            if self._clients is not None:
                self._clients.close()
            self._clients = None

    def _call(
        self,
        send: "Send",
        person: Person,
        service: str,
        payload: object,
        *,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> ServiceInvokeResponse[Any]:
        given = {name: value for name, value in (headers or {}).items() if not is_own_header(name)}
        response = self._sent(send, service, payload, {**given, **person.headers()}, **options)
        if _is_over(response):
            raise SessionOver("You are not logged in any more.")
        return response

    def _sent(
        self, send: "Send", service: str, payload: object, headers: Mapping[str, str], **options: Any
    ) -> ServiceInvokeResponse[Any]:
        clients = self._located()
        try:
            return send(clients)(service, payload, headers, **options)
        except ReadTimedOut as error:
            raise ServerAway(
                "The server has taken the request, and has not answered in time. What was asked for may still be done."
            ) from error
        except NetworkError as error:
            raise ServerAway(str(error)) from error

    def _located(self) -> "_Clients":
        """Return the clients for where the server is now."""
        address = self.address
        with self._lock:
            if self._clients is None or address != self._clients.address:
                # What other threads still use is not closed under them; it goes when the last one is done.
                self._clients = _Clients.of(address, self._answers_within)
            return self._clients


@dataclass(frozen=True, slots=True)
class _Clients:
    """The clients of one address: what pages ask is answered in time or not at all, services may take theirs."""

    address: Address
    asks: AnyServiceInvoker
    calls: AnyServiceInvoker

    @classmethod
    def of(cls, address: Address, answers_within: float) -> "_Clients":
        session = local_session(address.tls_fingerprint)
        where = (address.url, ADMIN_INVOKE, (address.user, address.password), session)
        return cls(address, AnyServiceInvoker(*where, read_timeout=answers_within), AnyServiceInvoker(*where))

    def close(self) -> None:
        # Both have the same one.
        self.calls.session.close()


Send = Callable[[_Clients], Callable[..., ServiceInvokeResponse[Any]]]


def _ask(clients: _Clients) -> Callable[..., ServiceInvokeResponse[Any]]:
    return clients.asks.invoke


def _invoke(clients: _Clients) -> Callable[..., ServiceInvokeResponse[Any]]:
    return clients.calls.invoke


def _invoke_async(clients: _Clients) -> Callable[..., ServiceInvokeResponse[Any]]:
    return clients.asks.invoke_async


def is_own_header(name: str) -> bool:
    """Tell whether a header is one that nobody else may set on a request that is made for them."""
    return name.lower().startswith("x-zato-") or name.lower() in OWN_HEADERS


def _is_over(response: ServiceInvokeResponse[Any]) -> bool:
    challenge: str = response.inner.headers.get("WWW-Authenticate", "")
    is_refused: bool = response.inner.status_code == 401
    return is_refused and challenge.lower().startswith(SESSION_SCHEME)


def _refusal(response: ServiceInvokeResponse[Any]) -> Refused | ServerAway:
    inner = response.inner
    if inner.status_code == 401:
        # It is about this process, and not about the person whom a page is for.
        return ServerAway(
            "The server takes another password of 'admin.invoke' than secrets.toml has. If that was changed, start "
            "the server again."
        )
    after = inner.headers.get("Retry-After", "")
    return Refused(
        str(response.details),
        status=inner.status_code if inner.status_code >= 400 else 500,
        cid="" if response.cid == NO_CID else response.cid,
        retry_after=float(after) if after.isdigit() else None,
    )
