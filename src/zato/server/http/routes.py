"""Addresses, and what is behind them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from zato.core.envelope import ADMIN_INVOKE
from zato.core.errors import MethodNotAllowed, NotFound, ShuttingDown, hint_for
from zato.server.gate import Gate
from zato.server.http.addresses import API_ADDRESS, DOORS, LIVE, PING, READY
from zato.server.http.admin import AdminDoor
from zato.server.http.api import API_INVOKE, ApiDoor
from zato.server.http.bodies import ClientLeft
from zato.server.http.errors import error_reply
from zato.server.http.health import Health
from zato.server.http.message import Reply, Request

__all__ = ["Application"]

UNCOUNTED = (PING, LIVE, READY)

Handler = Callable[[Request], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class _Route:
    handler: Handler
    methods: tuple[str, ...]
    counted: bool


class Application:
    """Answers requests."""

    def __init__(self, admin: AdminDoor, api: ApiDoor, health: Health, *, gate: Gate, tracebacks: bool) -> None:
        """Take the doors, what limits the requests in progress, and whether callers are shown tracebacks."""
        self._health = health
        self._gate = gate
        self._tracebacks = tracebacks
        handlers: Mapping[str, Handler] = {
            ADMIN_INVOKE: admin.invoke,
            API_ADDRESS: api.invoke,
            PING: health.ping,
            LIVE: health.live,
            READY: health.ready,
        }
        self._routes = {
            door.address: _Route(handlers[door.address], door.methods, door.address not in UNCOUNTED) for door in DOORS
        }
        self._api = self._routes[API_ADDRESS]

    async def handle(self, request: Request) -> Reply:
        """Return the reply to a request, whatever happens, unless the client has left."""
        try:
            route = self._route(request)
            return await (self._counted(route, request) if route.counted else route.handler(request))
        except ClientLeft:
            raise
        except Exception as error:
            return error_reply(error, request.cid, tracebacks=self._tracebacks)

    async def _counted(self, route: _Route, request: Request) -> Reply:
        if self._health.closing:
            raise ShuttingDown("This server is stopping. Try again on another one, or later.")
        place = self._gate.enter()
        try:
            return await route.handler(request)
        finally:
            self._gate.leave(place)

    def _route(self, request: Request) -> _Route:
        route = self._routes.get(request.path)
        if route is None and request.path.startswith(API_INVOKE):
            route = self._api
        if route is None:
            hint = hint_for(request.path, self._routes) or f"Services are invoked at {ADMIN_INVOKE}."
            raise NotFound(f"There is nothing at {request.path[:200]!r}. {hint}")
        if request.method not in route.methods:
            raise MethodNotAllowed.allowing(request.path, request.method, route.methods)
        return route
