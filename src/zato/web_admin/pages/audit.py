"""Who did what: a page of the audit, with filters."""

from collections.abc import Mapping

from starlette.responses import Response

from zato.core.errors import hint_for
from zato.web_admin.errors import BadAddress, Refused
from zato.web_admin.page import page
from zato.web_admin.visit import Visit

__all__ = ["routes"]

FILTERS = ("user", "action", "object", "cid", "since", "until")
# What the field for the action suggests.
ACTIONS = (
    "invoke",
    "invoke-async",
    "zato.invocation.cancel",
    "zato.invocation.replay",
    "zato.log.set-level",
    "zato.queue.pause",
    "zato.queue.resume",
    "zato.server.drain",
    "zato.session.close",
    "zato.session.open",
    "zato.user.create",
    "zato.user.delete",
    "zato.user.set-password",
    "zato.user.set-role",
)


def show(visit: Visit) -> Response:
    """Show a page of it, newest first, or what is wrong with a filter."""
    wanted = _wanted(visit.query)
    try:
        found = visit.ask("zato.audit.get-list", {**wanted, "cursor": visit.query.get("cursor")})
    except Refused as error:
        if error.http_status != 400:
            raise
        return visit.render("audit.html", status=400, error=error, found=None, wanted=wanted, actions=ACTIONS)
    return visit.render("audit.html", error=None, found=found, wanted=wanted, actions=ACTIONS)


def _wanted(query: Mapping[str, str]) -> dict[str, str]:
    for name in query:
        if name not in (*FILTERS, "cursor"):
            raise BadAddress(
                f"There is no filter {name!r:.80}. {hint_for(name, FILTERS) or 'Filters: ' + ', '.join(FILTERS)}"
            )
    return {name: text for name in FILTERS if (text := query.get(name, "").strip())}


routes = [page("/audit", show)]
