"""Addresses, and what is behind them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qsl

from zato.core.call import HTTPInfo
from zato.core.envelope import encode_ping, encode_success, parse_request
from zato.core.errors import MethodNotAllowed, NotFound, Overloaded, ServiceUnavailable, ShuttingDown, hint_for
from zato.server.failures import log_failure
from zato.server.front import Front, Origin
from zato.server.http.auth import BasicAuth
from zato.server.http.bodies import ClientLeft
from zato.server.http.errors import error_reply
from zato.server.http.message import Reply, Request

__all__ = ["ADMIN_INVOKE", "LIVE", "PING", "READY", "Application", "Health"]

ADMIN_INVOKE = "/zato/admin/invoke"
PING = "/zato/ping"
LIVE = "/zato/live"
READY = "/zato/ready"

Handler = Callable[[Request], Awaitable[Reply]]


class Health:
    """What liveness and readiness say, and whether the doors are open.

    Attributes:
        not_ready: why this server should get no requests now, or an empty text.
        closing: the server takes no new requests.
    """

    def __init__(self, stuck: Callable[[], str]) -> None:
        """Take what tells, at the time of asking, that the server cannot work, or an empty text."""
        self.not_ready = "starting"
        self.closing = False
        self._stuck = stuck

    def reason(self) -> str:
        """Return why the server is not ready, or an empty text."""
        return self.not_ready or self._stuck()


@dataclass(frozen=True, slots=True)
class _Route:
    handler: Handler
    methods: tuple[str, ...]
    counted: bool = True


class Application:
    """Answers requests."""

    def __init__(
        self,
        front: Front,
        admin: BasicAuth,
        health: Health,
        *,
        max_requests: int,
        tracebacks: bool,
        honour_default_expiration: bool,
    ) -> None:
        """Take what carries requests out, who may ask, and the settings of the same names."""
        self._front = front
        self._admin = admin
        self._health = health
        self._max_requests = max_requests
        self._tracebacks = tracebacks
        self._honour_default_expiration = honour_default_expiration
        self._in_progress = 0
        self._routes: Mapping[str, _Route] = {
            ADMIN_INVOKE: _Route(self._admin_invoke, ("POST",)),
            PING: _Route(self._ping, ("GET", "POST"), counted=False),
            LIVE: _Route(self._live, ("GET",), counted=False),
            READY: _Route(self._ready, ("GET",), counted=False),
        }

    async def handle(self, request: Request) -> Reply:
        """Return the reply to a request, whatever happens, unless the client has left."""
        try:
            route = self._route(request)
            return await (self._counted(route, request) if route.counted else route.handler(request))
        except ClientLeft:
            raise
        except Exception as error:
            return error_reply(error, request.cid, tracebacks=self._tracebacks, realm=self._admin.realm)

    async def _counted(self, route: _Route, request: Request) -> Reply:
        if self._health.closing:
            raise ShuttingDown("This server is stopping. Try again on another one, or later.")
        if self._in_progress >= self._max_requests:
            raise Overloaded(f"{self._max_requests} requests are in progress (setting max_requests). Try again later.")
        self._in_progress += 1
        try:
            return await route.handler(request)
        finally:
            self._in_progress -= 1

    def _route(self, request: Request) -> _Route:
        route = self._routes.get(request.path)
        if route is None:
            hint = hint_for(request.path, self._routes) or f"Services are invoked at {ADMIN_INVOKE}."
            raise NotFound(f"There is nothing at {request.path[:200]!r}. {hint}")
        if request.method not in route.methods:
            raise MethodNotAllowed.allowing(request.path, request.method, route.methods)
        return route

    async def _admin_invoke(self, request: Request) -> Reply:
        self._admin.check(request.header("authorization"))
        body = await request.read()
        asked = parse_request(body, honour_default_expiration=self._honour_default_expiration)
        try:
            text = await self._front.invoke(asked, Origin(request.cid, ADMIN_INVOKE, partial(_http_info, request)))
        except Exception as error:
            log_failure(asked.name, request.cid, asked.channel, error)
            raise
        return Reply(200, encode_success(text, request.cid, nested=asked.nested))

    async def _ping(self, request: Request) -> Reply:
        return Reply(200, encode_ping(request.cid))

    async def _live(self, request: Request) -> Reply:
        return Reply(200, b'{"live":true}')

    async def _ready(self, request: Request) -> Reply:
        reason = self._health.reason()
        if reason:
            raise ServiceUnavailable(f"Not ready: {reason}.")
        return Reply(200, b'{"ready":true}')


def _http_info(request: Request) -> HTTPInfo:
    return HTTPInfo(
        method=request.method,
        path=request.path,
        headers=request.headers(),
        params=dict(parse_qsl(request.query, keep_blank_values=True)),
    )
