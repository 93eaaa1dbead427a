"""What is going on now, and what to do next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from zato.web_admin.live import live
from zato.web_admin.page import page
from zato.web_admin.visit import Visit

__all__ = ["Worry", "lately_failed", "routes", "worries"]

HOUR = timedelta(hours=1)
LATELY_FAILED = "/invocations?status=failed&within=1h"
# How many failures, and how many things that run, the page lists.
FAILURES, RUNNING = 8, 6
KINDS = ("waiting", "running", "delayed", "stranded")
# Seconds between two looks: the page is left open all day.
EVERY = 3.0

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Worry:
    """Something that wants a person.

    Attributes:
        text: what it is.
        path: the page that shows it.
        advice: what to do.
        is_grave: whether something has gone wrong already.
    """

    text: str
    path: str
    advice: str
    is_grave: bool = False


def worries(*, failed: int, queues: Sequence[Item], servers: Sequence[Item]) -> Iterator[Worry]:
    """Say what wants a person, the worst first.

    Args:
        failed: how many calls failed in the last hour.
        queues: what `zato.queue.get-list` tells.
        servers: what `zato.cluster.get-servers` tells.
    """
    for server in servers:
        if not server["alive"]:
            yield Worry(f"Server {server['name']} does not answer", "/servers", "Its calls are taken over.", True)
    if failed:
        advice = "See why, and replay them."
        yield Worry(f"{_calls(failed)} failed in the last hour", LATELY_FAILED, advice, True)
    if stranded := sum(queue["stranded"] for queue in queues):
        advice = "The service they are for is deployed on no server. Deploy it, or cancel them."
        yield Worry(f"{_calls(stranded)} stranded", "/invocations?status=stranded", advice, True)
    for queue in queues:
        if queue["paused"]:
            yield Worry(f"Queue {queue['name']} is paused", "/servers", "Its calls wait until it is resumed.")
    for server in servers:
        if server["alive"] and server["draining"]:
            yield Worry(f"Server {server['name']} drains", "/servers", "It takes no new background calls.")


def lately_failed(now: datetime) -> dict[str, str]:
    """Return what `zato.invocation.count` is asked for: what `LATELY_FAILED` leads to."""
    return {"status": "failed", "since": (now - HOUR).isoformat()}


def show(visit: Visit) -> Response:
    """Show the page."""
    return visit.render("overview.html", **_values(visit))


def now(visit: Visit) -> str:
    """Return the part that changes."""
    return visit.fragment("overview_now.html", **_values(visit))


def _values(visit: Visit) -> dict[str, Any]:
    queues = visit.ask("zato.queue.get-list")["items"]
    servers = visit.ask("zato.cluster.get-servers")["items"]
    failed = visit.ask("zato.invocation.count", lately_failed(datetime.now(UTC)))["count"]
    failures = visit.ask("zato.invocation.get-list", {"status": "failed", "limit": FAILURES})["items"]
    counts = {kind: sum(queue[kind] for queue in queues) for kind in KINDS}
    return {
        "servers": servers,
        "alive": sum(server["alive"] for server in servers),
        "paused": sum(queue["paused"] for queue in queues),
        "failed": failed,
        "failures": failures,
        "lately_failed": LATELY_FAILED,
        "counts": counts,
        "current": _longest(servers),
        "worries": list(worries(failed=failed, queues=queues, servers=servers)),
        "step": "" if failures or any(counts.values()) else _next_step(visit),
    }


def _longest(servers: Sequence[Item]) -> list[dict[str, Any]]:
    """Return what has run longest on all servers."""
    running = [{**item, "server": server["name"]} for server in servers for item in server["current"]]
    return sorted(running, key=lambda item: str(item["since"]))[:RUNNING]


def _next_step(visit: Visit) -> str:
    """Return what somebody who is new here has not done yet: `deploy`, `call`, or nothing."""
    if not visit.ask("zato.service.get-list", {"internal": False, "limit": 1})["total"]:
        return "deploy"
    return "" if visit.ask("zato.invocation.get-list", {"limit": 1})["items"] else "call"


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"


routes = [page("/", show), live("/live/overview", now, every=EVERY)]
