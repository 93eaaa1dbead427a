"""What is deployed: searched, sorted and paged by the server."""

from typing import Any

from starlette.responses import Response

from zato.web_admin.errors import BadAddress
from zato.web_admin.page import page
from zato.web_admin.visit import Visit

__all__ = ["routes"]

PAGE = 50
LAST_PAGE = 10_000
SORTS = ("name", "impl_name", "file", "calls", "errors")


def show(visit: Visit) -> Response:
    """Show the page that the address asks for."""
    number, sort = _page_of(visit), _sort_of(visit)
    internal, reverse = _flag(visit, "internal"), _flag(visit, "reverse")
    query = visit.query.get("query", "").strip()
    asked: dict[str, Any] = {"query": query or None, "sort": sort, "reverse": reverse, "internal": internal}
    found = visit.ask("zato.service.get-list", {**asked, "limit": PAGE, "offset": (number - 1) * PAGE})
    return visit.render(
        "services.html",
        items=found["items"],
        total=found["total"],
        first=(number - 1) * PAGE,
        pages=-(-found["total"] // PAGE),
        number_of_page=number,
        query=query,
        sort=sort,
        reverse=reverse,
        internal=internal,
        folder=visit.door.address.folder,
    )


def _page_of(visit: Visit) -> int:
    given = visit.query.get("page", "1")
    is_number = given.isascii() and given.isdecimal() and len(given) <= len(str(LAST_PAGE))
    if is_number and 1 <= int(given) <= LAST_PAGE:
        return int(given)
    raise BadAddress(f"page={given!r:.40} in the address is no page: give a whole number from 1.")


def _sort_of(visit: Visit) -> str:
    given = visit.query.get("sort", "name")
    if given in SORTS:
        return given
    raise BadAddress(f"sort={given!r:.40} in the address is no column to sort by: give one of {', '.join(SORTS)}.")


def _flag(visit: Visit, name: str) -> bool:
    given = visit.query.get(name, "")
    if given in ("", "1"):
        return given == "1"
    raise BadAddress(f"{name}={given!r:.40} in the address makes no sense: give 1, or leave it out.")


routes = [page("/services", show)]
