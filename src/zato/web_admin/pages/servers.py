"""Servers and queues: what each does now, draining the one and pausing the other."""

from typing import Any

from starlette.responses import Response

from zato.web_admin.errors import BadAddress
from zato.web_admin.live import live
from zato.web_admin.page import page
from zato.web_admin.visit import Visit

__all__ = ["routes"]

SERVERS = "/servers"


def show(visit: Visit) -> Response:
    """Show the page."""
    return visit.render("servers.html", **_values(visit))


def now(visit: Visit) -> str:
    """Return the part that changes."""
    return visit.fragment("servers_now.html", **_values(visit))


def ask_drain(visit: Visit) -> Response:
    """Say what draining a server means, and ask whether that is meant."""
    name = _name(visit.query)
    servers = visit.ask("zato.cluster.get-servers")["items"]
    server = next((server for server in servers if server["name"] == name), None)
    if server is None:
        raise BadAddress(f"There is no server {name!r}. See the page Servers and queues.")
    others = [other["name"] for other in servers if other["alive"] and not other["draining"] and other["name"] != name]
    return visit.render("drain.html", server=server, others=others)


def drain(visit: Visit) -> Response:
    """Have a server take no new work, or take it again."""
    name, undo = _name(visit.form), "undo" in visit.form
    visit.ask("zato.server.drain", {"name": name, "undo": undo})
    said = f"Server {name} takes background calls again." if undo else f"Server {name} drains: what runs goes on."
    return visit.redirect(SERVERS, notice=said)


def pause(visit: Visit) -> Response:
    """Have no call of a queue started."""
    name = _name(visit.form)
    state = visit.ask("zato.queue.pause", {"name": name})
    said = "is paused. Its calls wait until it is resumed." if state["changed"] else "was paused already."
    return visit.redirect(SERVERS, notice=f"Queue {name} {said}")


def resume(visit: Visit) -> Response:
    """Have the calls of a queue started again."""
    name = _name(visit.form)
    state = visit.ask("zato.queue.resume", {"name": name})
    said = "runs again." if state["changed"] else "was not paused."
    return visit.redirect(SERVERS, notice=f"Queue {name} {said}")


def _values(visit: Visit) -> dict[str, Any]:
    return {
        "servers": visit.ask("zato.cluster.get-servers")["items"],
        "queues": visit.ask("zato.queue.get-list")["items"],
    }


def _name(fields: dict[str, str]) -> str:
    if name := fields.get("name", ""):
        return name
    raise BadAddress("Nothing is named. Go back to Servers and queues, and choose one there.")


routes = [
    page(SERVERS, show),
    page("/servers/drain", ask_drain),
    page("/servers/drain", drain, methods=["POST"]),
    page("/servers/pause", pause, methods=["POST"]),
    page("/servers/resume", resume, methods=["POST"]),
    live("/live/servers", now),
]
