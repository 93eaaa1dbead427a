"""A real HTTP server on a free port of this machine, which records requests and gives scripted replies."""

import json
import socket
import ssl
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, cast

__all__ = ["Refuser", "Reply", "Request", "ScriptedServer", "Unanswering"]

CID = "e7a1b2c3d4e5f60718293a4b"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived.

    Attributes:
        connection: the port it came from, which tells connections apart.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int = 0

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to give.

    Attributes:
        promised: what Content-Length says; by default the truth.
        drops: close the connection instead of replying.
        hangs: keep the connection open, until the server stops, once the body was sent; without one, send nothing.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    drops: bool = False
    hangs: bool = False

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> Self:
        """Reply with a value's JSON; `X_Name=` becomes the header `X-Name`."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(json.dumps(value).encode(), status, {"Content-Type": "application/json", **named})

    @classmethod
    def flat(cls, text: str, cid: str = CID) -> Self:
        """Reply as a server of 3.2 does when a service returned this text."""
        return cls.of({"response": _base64(text), "zato_env": {"result": "ZATO_OK", "cid": cid, "details": ""}})

    @classmethod
    def nested(cls, text: str, cid: str = CID) -> Self:
        """Reply as a server of 2.0 or 3.0 does when a service returned this text."""
        env = {"result": "ZATO_OK", "cid": cid, "details": ""}
        return cls.of({"zato_env": env, "zato_service_invoke_response": {"response": _base64(text)}})

    @classmethod
    def error(cls, details: object, status: int = 500) -> Self:
        """Reply as every server does when the call failed."""
        return cls.of({"zato_env": {"result": "ZATO_ERROR", "cid": CID, "details": details}}, status)


class ScriptedServer(ThreadingHTTPServer):
    """Gives the replies in `replies` one after the other, and the last one for ever. Use it in a `with`.

    Attributes:
        requests: what arrived, oldest first.
        replies: what is still to be given: replies, or functions that make one of a request.
        accepted: how many connections there were.
    """

    daemon_threads = False
    block_on_close = True

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[Request] = []
        self.replies: deque[Reply | Callable[[Request], Reply]] = deque()
        self.accepted = 0
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._scheme = "http"
        if certificate is not None:
            self._secure(certificate)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self._scheme}://127.0.0.1:{self.server_address[1]}"

    def hang_up(self) -> None:
        """End all connections."""
        for connection in list(self._open):
            _hang_up(connection)

    def script(self, *replies: Reply | Callable[[Request], Reply]) -> None:
        """Give these replies from now on."""
        self.replies = deque(replies)

    def answer(self, request: Request) -> Reply:
        """Record a request and return its reply."""
        self.requests.append(request)
        reply = self.replies.popleft() if len(self.replies) > 1 else self.replies[0]
        return reply if isinstance(reply, Reply) else reply(request)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), name="scripted-server")
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        self.hang_up()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember a connection, to end it when the server stops."""
        self.accepted += 1
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that leave early are what is tested."""

    def _secure(self, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._scheme = "https"


class _Handler(BaseHTTPRequestHandler):
    server: ScriptedServer
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = cast(Mapping[str, str], self.headers)
        reply = self.server.answer(Request(self.command, self.path, headers, body, self.client_address[1]))
        self.close_connection = reply.promised is not None or reply.hangs or reply.drops
        if not reply.drops and (reply.body or not reply.hangs):
            self._write(reply)
        if reply.hangs:
            self.server.stopping.wait()

    def _write(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) if reply.promised is None else reply.promised))
        # One write, so that no reply waits for the acknowledgement of its headers.
        head = b"".join(self._headers_buffer) + b"\r\n"
        self._headers_buffer.clear()
        self.wfile.write(head + reply.body)

    def __getattr__(self, name: str) -> Any:
        """Serve every method alike: the standard library looks for `do_GET`, `do_POST` and so on."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""


class Refuser:
    """An address that refuses every connection: bound, so that nobody else gets it, and not listening."""

    def __enter__(self) -> str:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *exception: object) -> None:
        self._socket.close()


class Unanswering:
    """An address where connecting never ends: its queue of connections is full, and nobody empties it."""

    def __enter__(self) -> str:
        self._sockets = [socket.create_server(("127.0.0.1", 0), backlog=0)]
        address = self._sockets[0].getsockname()
        for _ in range(8):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(address)
            self._sockets.append(waiting)
        return f"http://127.0.0.1:{address[1]}"

    def __exit__(self, *exception: object) -> None:
        for each in self._sockets:
            each.close()


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
