"""The adapter between granian's RSGI interface and the application.

What granian does not do is done here: bodies have limits of size and time, every answer carries a CID,
and a handler never ends without an answer. docs/decisions/0002-granian.md says what was tried.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, Callable, Mapping
from functools import partial
from time import perf_counter
from typing import Any, Protocol

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]

from zato.core.access import Answered, kept
from zato.core.envelope import CID_HEADER
from zato.core.errors import ShuttingDown
from zato.server.failures import contained
from zato.server.http.bodies import BodyDeadlines, ClientLeft, declared_length, read_chunks
from zato.server.http.errors import error_reply
from zato.server.http.message import Reply, Request
from zato.server.http.routes import Application
from zato.server.identity import new_cid

__all__ = ["RSGIAdapter"]

# Not sent to anybody: what the log says of a request whose client left before it was answered.
CLIENT_LEFT = 499

logger = logging.getLogger("zato.server")


class _Headers(Protocol):
    def get(self, key: str, default: Any = None) -> Any: ...
    def get_all(self, key: str) -> list[str]: ...
    def items(self) -> list[tuple[str, str]]: ...
    def __contains__(self, key: str) -> bool: ...


class _Scope(Protocol):
    proto: str
    method: str
    path: str
    query_string: str
    client: str
    headers: _Headers


class _Protocol(AsyncIterable[bytes], Protocol):
    async def __call__(self) -> bytes: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class RSGIAdapter:
    """Answers granian's calls with what the application replies."""

    def __init__(
        self,
        application: Application,
        *,
        max_body: int,
        body_timeout: float,
        access: Callable[[Answered], None] | None = None,
    ) -> None:
        """Take the application, the limits of bodies in bytes and seconds, and what logs each request."""
        self._access = access
        self._application = application
        self._max_body = max_body
        self._deadlines = BodyDeadlines(body_timeout)
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def in_progress(self) -> int:
        """How many requests have not been answered yet."""
        return len(self._tasks)

    @property
    def half_sent(self) -> int:
        """How many of them have bodies that have not arrived."""
        return self._deadlines.watched

    def end_all(self) -> None:
        """Cancel every request in progress; each gets a 503."""
        for task in self._tasks:
            task.cancel()

    async def __rsgi__(self, scope: _Scope, proto: _Protocol) -> None:
        """Answer one request. The name is the one that granian looks for."""
        began = perf_counter()
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
        cid = new_cid()
        request = self._request(cid, scope, proto)
        reply: Reply | None = None
        try:
            reply = await self._application.handle(request)
        except asyncio.CancelledError:
            reply = self._stopped(cid)
        except ClientLeft:
            pass
        except BaseException as error:
            logger.exception("A request failed outside of its handler", extra={"cid": cid})
            reply = error_reply(contained(error), cid, tracebacks=False)
        finally:
            self._tasks.discard(task)
        sent = reply is not None and self._send(proto, reply, cid)
        if self._access is not None:
            self._access(_answered(request, scope, reply if sent else None, began))

    def _request(self, cid: str, scope: _Scope, proto: _Protocol) -> Request:
        headers = scope.headers

        async def read() -> bytes:
            length = declared_length(headers.get("content-length"), self._max_body)
            with self._deadlines.watch():
                if length is None:
                    return await read_chunks(proto, self._max_body)
                return await _whole(proto)

        return Request(
            cid=cid,
            method=scope.method,
            path=scope.path,
            query=scope.query_string,
            header=headers.get,
            header_values=partial(_values_of, headers),
            headers=_all_of(headers),
            read=read,
            client=scope.client,
        )

    def _stopped(self, cid: str) -> Reply:
        error = ShuttingDown("The server stopped before the call ended. Try again on another one, or later.")
        return error_reply(error, cid, tracebacks=False)

    def _send(self, proto: _Protocol, reply: Reply, cid: str) -> bool:
        headers = [("content-type", reply.content_type), (CID_HEADER.lower(), cid), *reply.headers]
        try:
            proto.response_bytes(reply.status, headers, reply.body)
        except ProtocolClosed:
            logger.debug("The client left before its answer", extra={"cid": cid})
            return False
        return True


def _answered(request: Request, scope: _Scope, reply: Reply | None, began: float) -> Answered:
    """Return a request for the log, with its reply, or without one if the client left before."""
    status, size = (CLIENT_LEFT, 0) if reply is None else (reply.status, len(reply.body))
    return Answered(
        began,
        perf_counter(),
        request.cid,
        kept(request.method),
        kept(request.path),
        status,
        request.size,
        size,
        scope.client,
        request.service and kept(request.service),
        request.channel and kept(request.channel),
        request.user,
        request.accepted,
    )


async def _whole(proto: _Protocol) -> bytes:
    """Return a body whose length was announced: granian reads that much, or says that the client left."""
    try:
        return await proto()
    except ProtocolClosed as error:
        raise ClientLeft from error


def _values_of(headers: _Headers, name: str) -> list[str | None]:
    """Return every value of a header. One that is not visible ASCII granian leaves out, but not its name."""
    return [*headers.get_all(name)] or ([None] if name in headers else [])


def _all_of(headers: _Headers) -> Callable[[], Mapping[str, str]]:
    return lambda: dict(headers.items())
