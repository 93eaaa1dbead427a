"""The floor that HTTP rows are compared with: granian embedded as the server embeds it, and nothing else.

It parses the same JSON and the same base64 as the server does, and answers with a constant of the same size.
"""

import base64
import sys

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from msgspec import json

from zato.server.files import connections_within, raise_file_limit
from zato.server.http.listener import HEADER_TIMEOUT_MS

__all__ = ["main"]

HEADERS = [("content-type", "application/json"), ("x-zato-cid", "a" * 24)]
BODY = (
    b'{"response":"eyJ6YXRvX3BpbmdfcmVzcG9uc2UiOiB7InBvbmciOiAiemF0byJ9fQ==",'
    b'"zato_env":{"result":"ZATO_OK","cid":"aaaaaaaaaaaaaaaaaaaaaaaa","details":""}}'
)

decode = json.Decoder().decode


async def answer(scope, proto) -> None:  # type: ignore[no-untyped-def]
    """Read a request and answer it."""
    body = await proto()
    if scope.method == "POST":
        base64.b64decode(decode(body)["payload"])
    proto.response_bytes(200, HEADERS, BODY)


def main(port: int) -> None:
    """Serve until SIGTERM."""
    server = Server(
        answer,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        websockets=False,
        backlog=1024,
        backpressure=connections_within(raise_file_limit()),
        log_enabled=False,
    )
    uvloop.run(server.serve())


if __name__ == "__main__":
    main(int(sys.argv[1]))
