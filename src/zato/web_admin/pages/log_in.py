"""Logging in and out, and the theme."""

import contextlib
import math
import secrets

from starlette.responses import Response

from zato.web_admin.errors import Refused, SessionOver
from zato.web_admin.page import page
from zato.web_admin.security import TOKEN_FIELD, form_token, from_elsewhere, inside, is_token
from zato.web_admin.visit import THEMES, Visit

__all__ = ["opened", "routes"]

YEAR = 365 * 86_400
LOG_IN = "/login"


def show(visit: Visit) -> Response:
    """Show the form, which carries a token of its own, so that nobody is logged in by another site."""
    return _form(visit)


def log_in(visit: Visit) -> Response:
    """Open a session, under a token that nobody has seen before, and go where the person wanted to go."""
    secret = visit.cookie("before")
    if from_elsewhere(visit.request.headers) or not is_token(visit.form.get(TOKEN_FIELD), secret):
        return _form(visit, refused=Refused("The page was too old. Please log in once more.", status=403))
    name, password = visit.form.get("name", ""), visit.form.get("password", "")
    try:
        token = opened(visit, name, password)
    except Refused as error:
        return _form(visit, refused=error, name=name)
    _end_session(visit)
    response = visit.redirect(_wanted(visit.form.get("next", "")))
    visit.set_cookie(response, "session", token)
    visit.set_cookie(response, "before", "")
    return response


def log_out(visit: Visit) -> Response:
    """End the session, in the server too: a copy of the cookie is worth nothing afterwards."""
    visit.ask("zato.session.close")
    response = visit.redirect(LOG_IN, notice="You are logged out.")
    visit.set_cookie(response, "session", "")
    return response


def theme(visit: Visit) -> Response:
    """Choose light, dark, or what the system has."""
    chosen = visit.form.get("theme", "")
    response = visit.redirect(inside(visit.form.get("next", "")))
    visit.set_cookie(response, "theme", chosen if chosen in THEMES else "", seconds=YEAR)
    return response


def opened(visit: Visit, name: str, password: str) -> str:
    """Open a session and return its token. Whatever session the browser had before plays no part in it.

    Raises:
        Refused: the name or the password is wrong, or there were too many attempts.
    """
    return visit.door.open_session(visit.client, name, password)


def _end_session(visit: Visit) -> None:
    """End the session that the browser had before this one."""
    if visit.token:
        with contextlib.suppress(SessionOver, Refused):
            visit.ask("zato.session.close")


def _form(visit: Visit, *, refused: Refused | None = None, name: str = "") -> Response:
    secret = visit.cookie("before") or secrets.token_urlsafe(32)
    after = math.ceil(refused.retry_after or 0) if refused is not None else 0
    response = visit.render(
        "log_in.html",
        status=200 if refused is None else refused.http_status,
        error=refused,
        wait=after,
        name=name,
        token=form_token(secret),
        wanted=_wanted(visit.form.get("next", "") or visit.query.get("next", "")),
    )
    visit.set_cookie(response, "before", secret)
    if after:
        response.headers["Retry-After"] = str(after)
    return response


def _wanted(path: str) -> str:
    """Return where to go after the log-in: never back to it."""
    path = inside(path)
    return "/" if path.partition("?")[0] == LOG_IN else path


routes = [
    page(LOG_IN, show, is_public=True),
    page(LOG_IN, log_in, methods=["POST"], is_public=True),
    page("/logout", log_out, methods=["POST"]),
    page("/theme", theme, methods=["POST"]),
]
