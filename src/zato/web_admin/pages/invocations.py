"""The list of invocations: filters, pages, and going on by itself."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from zato.core.invocation import PENDING
from zato.web_admin.errors import BadAddress, Refused
from zato.web_admin.filters import SPANS, STATUSES, Filters, iso, read_filters
from zato.web_admin.live import live
from zato.web_admin.page import page
from zato.web_admin.visit import Visit

__all__ = ["routes"]

PAGE = 50
# Calls of one CID among which the one with an id is looked for.
MOST_OF_A_CID = 1000


def show(visit: Visit) -> Response:
    """Show the invocations that match, or what is wrong with a filter."""
    filters = read_filters(visit.query)
    if filters.problems:
        return visit.render("invocations.html", status=400, filters=filters, statuses=STATUSES, spans=SPANS, found=None)
    found = _found(visit, filters)
    return visit.render("invocations.html", filters=filters, statuses=STATUSES, spans=SPANS, **found)


def now(visit: Visit) -> str:
    """Return the list as it is now.

    Raises:
        BadAddress: there is no such list.
    """
    filters = read_filters(visit.query)
    if filters.problems:
        raise BadAddress(" ".join(filters.problems.values()))
    return visit.fragment("invocations_now.html", filters=filters, **_found(visit, filters))


def _found(visit: Visit, filters: Filters) -> dict[str, Any]:
    moment = datetime.now(UTC)
    asked = {**filters.asked(moment), "limit": PAGE, "cursor": filters.cursor or None}
    found: Mapping[str, Any] = visit.ask("zato.invocation.get-list", asked)
    items: Sequence[Mapping[str, Any]] = found["items"]
    is_by_id = not items and bool(filters["cid"])
    if is_by_id:
        items = _by_id(visit, filters, moment)
    status = filters["status"]
    return {
        "found": items,
        "cursor": found["cursor"],
        "now": iso(moment),
        "may_replay": not is_by_id and status not in PENDING,
        "may_cancel": not is_by_id and status in ("", *PENDING),
    }


def _by_id(visit: Visit, filters: Filters, moment: datetime) -> list[Mapping[str, Any]]:
    """Return the call whose id was given as a CID, if it has the rest that is asked for, too."""
    try:
        record = visit.ask("zato.invocation.get", {"id": filters["cid"], "cut": 0})
    except Refused as error:
        if error.http_status == 404:
            return []
        raise
    asked = {**filters.asked(moment), "cid": record["cid"], "limit": MOST_OF_A_CID}
    found = visit.ask("zato.invocation.get-list", asked)["items"]
    return [item for item in found if item["id"] == record["id"]]


routes = [page("/invocations", show), live("/live/invocations", now)]
