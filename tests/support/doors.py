"""A server's HTTP doors, knocked at without our own client: plain requests and raw bytes."""

import json
import socket
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.support.environments import PASSWORD

__all__ = [
    "ADMIN",
    "ADMIN_INVOKE",
    "Answer",
    "ask",
    "b64",
    "basic",
    "call",
    "connect",
    "converse",
    "envelope",
    "head",
    "post",
    "read_answer",
    "services",
]

ADMIN = ("admin.invoke", PASSWORD)
ADMIN_INVOKE = "/zato/admin/invoke"
SERVICES = Path(__file__).parents[1] / "integration" / "services"
LIMIT = 30.0


def services(*stems: str) -> dict[str, str]:
    """Return files of services by name, as `make_environment` takes them."""
    return {f"{stem}.py": (SERVICES / f"{stem}.py").read_text("utf-8") for stem in stems}


def b64(value: object) -> str:
    """Return what goes into `payload`: the base64 of a text or bytes as they are, or of a value's JSON."""
    text = value if isinstance(value, str | bytes) else json.dumps(value)
    return b64encode(text.encode() if isinstance(text, str) else text).decode("ascii")


def basic(credentials: str | bytes) -> dict[str, str]:
    """Return the header that carries these credentials."""
    return {"Authorization": f"Basic {b64(credentials)}"}


def post(address: str, body: object, *, path: str = ADMIN_INVOKE, **options: Any) -> requests.Response:
    """Send a body, bytes as they are and anything else as JSON, with the right credentials unless others are given."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return requests.post(address + path, data, **{"auth": ADMIN, "timeout": LIMIT, **options})


def call(address: str, name: str, payload: object = "", **fields: object) -> requests.Response:
    """Invoke a service as a client of 3.2 does."""
    return post(address, {"name": name, "payload": b64(payload), "is_async": False, **fields})


def ask(address: str, name: str, payload: object = "", **fields: object) -> str:
    """Invoke a service and return the text of its response."""
    response = call(address, name, payload, **fields)
    assert response.status_code == 200, response.text
    return b64decode(response.json()["response"]).decode()


def envelope(response: "requests.Response | Answer") -> tuple[int, str, str]:
    """Return status, result and details, once it is sure that both CIDs are there and the same."""
    env = response.json()["zato_env"]
    assert response.headers["X-Zato-CID"] == env["cid"], response.text
    assert response.headers["Content-Type"] == "application/json"
    return response.status_code, env["result"], env["details"]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read from a socket."""

    status_code: int
    headers: requests.structures.CaseInsensitiveDict[str]
    text: str

    def json(self) -> Any:
        """Return the body, parsed."""
        return json.loads(self.text)


def converse(address: str, *pieces: bytes) -> Answer:
    """Send bytes over one connection, and return what comes back until the server closes it or says no more."""
    with connect(address) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return read_answer(connection)


def connect(address: str) -> socket.socket:
    """Return an open connection."""
    parts = urlsplit(address)
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=LIMIT)


def head(path: str = ADMIN_INVOKE, method: str = "POST", **headers: object) -> bytes:
    """Return the head of a request with the right credentials; `X_Name=` becomes the header `X-Name`."""
    named = {"Host": "localhost", **basic(":".join(ADMIN)), **{k.replace("_", "-"): v for k, v in headers.items()}}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer whose length its head tells."""
    with connection.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        headers = requests.structures.CaseInsensitiveDict[str]()
        while line := stream.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name] = value.strip()
        body = stream.read(int(headers.get("Content-Length") or 0))
    return Answer(status, headers, body.decode())
