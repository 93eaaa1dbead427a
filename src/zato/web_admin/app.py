"""The application: routes, headers of every reply, static files."""

import logging
from contextlib import suppress
from pathlib import PurePosixPath

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zato.core.errors import ZatoError
from zato.web_admin.door import Door
from zato.web_admin.live import Lookers
from zato.web_admin.page import admitted
from zato.web_admin.pages import ROUTES
from zato.web_admin.rendering import STATIC, Templates
from zato.web_admin.security import HEADERS
from zato.web_admin.visit import Options, Shared, Visit

__all__ = ["make_app"]

FOR_EVER = "public, max-age=31536000, immutable"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FILES = frozenset(item.name for item in STATIC.iterdir() if PurePosixPath(item.name).suffix in TYPES)

logger = logging.getLogger("zato.web_admin")


def make_app(door: Door, options: Options) -> Starlette:
    """Return the application.

    Args:
        door: the way to the server.
        options: how it is served.
    """
    routes = [*ROUTES, Route("/static/{hash}/{name}", _static, name="static"), Route("/favicon.ico", _favicon)]
    handlers = {HTTPException: _not_found, Exception: _failed}
    app = Starlette(routes=routes, middleware=[Middleware(_Headers)], exception_handlers=handlers)
    # It would lead to an address of whatever host the request named, by HTTP even behind a proxy with TLS.
    app.router.redirect_slashes = False
    app.state.shared = Shared(door, Templates(), options)
    app.state.lookers = Lookers()
    return app


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in FILES:
        raise HTTPException(404)
    headers = {"Cache-Control": FOR_EVER}
    return Response((STATIC / name).read_bytes(), media_type=TYPES[PurePosixPath(name).suffix], headers=headers)


async def _favicon(_: Request) -> Response:
    return Response((STATIC / "icon.svg").read_bytes(), media_type=TYPES[".svg"])


def _not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    text = "There is no such page." if status == 404 else f"This address takes no {request.method}."
    visit = Visit(request, request.app.state.shared)
    # Whoever is logged in finds the way to other pages.
    with suppress(ZatoError):
        admitted(visit)
    return visit.render("refused.html", status=status, error=text)


def _failed(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    text = "Something went wrong in the web admin itself. Its log says what."
    try:
        response = Visit(request, request.app.state.shared).render("refused.html", status=500, error=text)
    except Exception:
        logger.exception("The page that says so failed, too")
        response = PlainTextResponse(text, 500)
    # Starlette answers here from outside of all middleware.
    response.headers.update({**HEADERS, "Cache-Control": "no-store"})
    return response


class _Headers:
    """Adds to every reply what browsers are to be told."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)
