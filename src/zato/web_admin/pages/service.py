"""One service: what it is for, what it takes and gives, how it is written, and how it fared lately."""

import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from zato.core.envelope import API_USER
from zato.core.names import is_reserved
from zato.web_admin.declared import example_of, rows_of
from zato.web_admin.door import Address
from zato.web_admin.errors import Refused
from zato.web_admin.highlighting import lines_of_source
from zato.web_admin.page import page
from zato.web_admin.rendering import duration
from zato.web_admin.snippets import curl_as
from zato.web_admin.visit import Visit

__all__ = ["routes"]

LAST = 10
API = "/zato/api/invoke/"
USUAL_VERB = "POST"


def show(visit: Visit) -> Response:
    """Show the service of that name."""
    name = visit.request.path_params["name"]
    service = visit.ask("zato.service.get", {"name": name})
    sides = {side: rows_of(service[side]) for side in ("input", "output") if service[side] is not None}
    address = visit.door.address
    return visit.render(
        "service.html",
        service=service,
        sides=sides,
        options=_options(service),
        source=_source(visit, service),
        last=visit.ask("zato.invocation.get-list", {"service": service["name"], "limit": LAST})["items"],
        endpoint=None if _is_closed(service["name"]) else f"{address.url}{API}{quote(service['name'], safe='')}",
        curl=None if _is_closed(service["name"]) else curl_line(service, address),
    )


def curl_line(service: Mapping[str, Any], address: Address) -> str:
    """Return a command that invokes a service at its own endpoint; `pubapi`'s password comes from the environment."""
    verb = (service["methods"] or [USUAL_VERB])[0]
    words = [curl_as(API_USER, address)]
    if verb != "GET":
        body = example_of(service["input"]) or "{}"
        words.append(
            f" \\\n  --request {verb} --header 'Content-Type: application/json' --data-raw {shlex.quote(body)}"
        )
    return "".join([*words, f" \\\n  {shlex.quote(address.url + API + quote(service['name'], safe=''))}"])


def _is_closed(name: str) -> bool:
    """Tell whether the public endpoint refuses a service."""
    return is_reserved(name) and name != "zato.ping"


def _options(service: Mapping[str, Any]) -> dict[str, str]:
    """Return the options in force, as people read them."""
    retry, limit, at_once = service["retry"], service["time_limit"], service["max_concurrency"]
    return {
        "Retries": "none" if retry is None else _retries(retry),
        "Time limit": "none" if limit is None else f"{duration(limit)} an attempt",
        "At once": "any number" if at_once is None else f"at most {at_once:,} in the cluster",
        "Priority": service["priority"] or "normal",
        "Queue": service["queue"] or "default",
        "HTTP methods": ", ".join(service["methods"] or ()) or "all, by handle",
    }


def _retries(retry: Mapping[str, Any]) -> str:
    said = [f"up to {retry['attempts']} attempts, the first pause {duration(retry['backoff'])}"]
    said.append(f"doubled up to {duration(retry['cap'])}")
    said += [f"only after {', '.join(retry['on'])}"] if retry["on"] else []
    said += [f"not after {', '.join(retry['not_on'])}"] if retry["not_on"] else []
    return ", ".join(said)


def _source(visit: Visit, service: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source of a service, as lines of HTML with their numbers, or why there is none."""
    try:
        found = visit.ask("zato.service.get-source", {"name": service["name"]})
    except Refused as error:
        return {"lines": [], "file": service["file"], "why_not": str(error)}
    first = found["line"] or 1
    lines = list(enumerate(lines_of_source(found["source"] or ""), first))
    return {"lines": lines, "file": found["file"], "why_not": _why_not(found)}


def _why_not(found: Mapping[str, Any]) -> str:
    if found["source"] is not None:
        return ""
    if found.get("has_changed"):
        return (
            "The file has changed since it was loaded. Restart the server to have it loaded, and shown, as it is now."
        )
    return "This service is built in." if found["file"] is None else "Its source cannot be read."


routes = [page("/services/{name:path}", show)]
