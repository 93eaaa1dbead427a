"""Whoever is logged in: their session, and their own password."""

from starlette.responses import Response

from zato.web_admin.errors import Refused
from zato.web_admin.page import page
from zato.web_admin.pages.log_in import LOG_IN, opened
from zato.web_admin.visit import Visit

__all__ = ["routes"]

ME = "/me"


def show(visit: Visit) -> Response:
    """Show the page."""
    return _shown(visit)


def change_password(visit: Visit) -> Response:
    """Set the person's own password, which ends all their sessions, and open another one here."""
    new = visit.form.get("password", "")
    if new != visit.form.get("again", ""):
        return _shown(visit, error=Refused("The two new passwords differ. Type the same one twice.", status=400))
    given = {"name": visit.user, "password": new, "old_password": visit.form.get("old_password", "")}
    try:
        visit.ask("zato.user.set-password", given)
    except Refused as error:
        return _shown(visit, error=error)
    return _logged_in_again(visit, new)


def _logged_in_again(visit: Visit, password: str) -> Response:
    try:
        token = opened(visit, visit.user, password)
    except Refused:
        return visit.redirect(LOG_IN, notice="Your password is changed. Log in with the new one.")
    response = visit.redirect(
        ME, notice="Your password is changed. Wherever else you were logged in, you are not any more."
    )
    visit.set_cookie(response, "session", token)
    return response


def _shown(visit: Visit, *, error: Refused | None = None) -> Response:
    session = visit.ask("zato.session.get")
    status = 200 if error is None else error.http_status
    return visit.render("me.html", status=status, session=session, error=error)


routes = [page(ME, show), page("/me/password", change_password, methods=["POST"])]
