"""A page, as the application serves it: who may see it, whose forms it takes, and what is shown if it fails."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from zato.web_admin.errors import BadAddress, Refused, ServerAway, SessionOver
from zato.web_admin.security import TOKEN_FIELD, TOKEN_HEADER, from_elsewhere, is_token
from zato.web_admin.visit import Shared, Visit

__all__ = ["MAX_FORM", "Handler", "admitted", "page", "visit_of"]

# A payload of 20 MB, the server's own limit, and what a form makes of it at worst.
MAX_FORM = 64_000_000
# What those may send who are not logged in: a name and a password.
MAX_PUBLIC_FORM = 64_000
# Seconds that a form has to arrive completely.
FORM_WITHIN = 60.0

Handler = Callable[[Visit], Response]


def page(path: str, handler: Handler, *, methods: Sequence[str] = ("GET",), is_public: bool = False) -> Route:
    """Return a route whose handler runs on a thread, for people who are logged in.

    Args:
        path: as Starlette writes it.
        handler: gets the visit, and returns the response; what it raises becomes a page.
        methods: HTTP methods; with anything but GET the form's token is checked first.
        is_public: also for those who are not logged in; the handler checks forms itself.
    """

    async def endpoint(request: Request) -> Response:
        visit = visit_of(request)
        if request.method in ("GET", "HEAD"):
            return await run_in_threadpool(_answered, visit, _admitting(handler, is_public))
        return await _sent(visit, handler, is_public)

    return Route(path, endpoint, methods=list(methods), name=f"{path} {handler.__name__}")


def visit_of(request: Request) -> Visit:
    """Return the visit that a request makes, without the form it may bring."""
    shared: Shared = request.app.state.shared
    return Visit(request, shared)


def admitted(visit: Visit) -> Mapping[str, Any]:
    """Return the session of a visit, and note who it is.

    Raises:
        SessionOver: nobody is logged in.
        ServerAway: there is no answer.
    """
    if not visit.token:
        raise SessionOver("Log in first.")
    session: Mapping[str, Any] = visit.ask("zato.session.get")
    visit.user, visit.role = session["user"], session["role"]
    return session


def _admitting(handler: Handler, is_public: bool) -> Handler:
    def admitting(visit: Visit) -> Response:
        admitted(visit)
        return handler(visit)

    return handler if is_public else admitting


async def _sent(visit: Visit, handler: Handler, is_public: bool) -> Response:
    """Answer to a form. Nothing of it is read for those who are not logged in, beyond a log-in."""
    if not is_public:
        refusal = await run_in_threadpool(_answered, visit, _admission)
        if not visit.user:
            return refusal
    try:
        visit.body = await _body(visit.request, MAX_PUBLIC_FORM if is_public else MAX_FORM)
    except Refused as error:
        return _failed(visit, "refused.html", error.http_status, error=error)
    return await run_in_threadpool(_answered, visit, handler if is_public else _checking(handler))


def _admission(visit: Visit) -> Response:
    admitted(visit)
    return Response()


def _checking(handler: Handler) -> Handler:
    def checked(visit: Visit) -> Response:
        _check_form(visit)
        return handler(visit)

    return checked


def _answered(visit: Visit, handler: Handler) -> Response:
    try:
        return handler(visit)
    except SessionOver:
        return _to_log_in(visit)
    except ServerAway as error:
        return _failed(visit, "away.html", error.status, error=error)
    except Refused as error:
        return _failed(visit, "refused.html", error.http_status, error=error)
    except BadAddress as error:
        return _failed(visit, "refused.html", error.status, error=error)


def _check_form(visit: Visit) -> None:
    if from_elsewhere(visit.request.headers):
        raise Refused("This form comes from another site, and nothing was done.", status=403)
    given = visit.request.headers.get(TOKEN_HEADER) or visit.form.get(TOKEN_FIELD)
    if not is_token(given, visit.token):
        raise Refused(
            "This form is of an earlier log-in, and nothing was done. Go back, load the page again, and repeat it.",
            status=403,
        )


def _to_log_in(visit: Visit) -> Response:
    if visit.request.headers.get(TOKEN_HEADER) is not None:
        return visit.json({"error": "You are not logged in any more. Load the page again."}, status=401)
    wanted = visit.path if visit.request.method == "GET" and visit.path != "/" else ""
    response = visit.redirect(f"/login?{urlencode({'next': wanted})}" if wanted else "/login")
    if visit.cookie("session"):
        visit.set_cookie(response, "session", "")
    return response


def _failed(visit: Visit, template: str, status: int, *, error: Exception) -> Response:
    if visit.request.headers.get(TOKEN_HEADER) is not None:
        return visit.json({"error": str(error)}, status=status)
    return visit.render(template, status=status, error=error)


async def _body(request: Request, most: int) -> bytes:
    """Return the body of a request.

    Raises:
        Refused: it is larger than `most` bytes, or does not arrive.
    """
    parts, total = [], 0
    try:
        async with asyncio.timeout(FORM_WITHIN):
            async for part in request.stream():
                total += len(part)
                if total > most:
                    raise Refused("This form is larger than any that a page of the web admin sends.", status=413)
                parts.append(part)
    except (TimeoutError, ClientDisconnect) as error:
        raise Refused("The form did not arrive completely, and nothing was done.", status=408) from error
    return b"".join(parts)
