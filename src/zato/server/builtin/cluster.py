"""`zato.cluster.*` and `zato.server.drain`: the servers that share a store, and which of them take new work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from zato.broker import cluster
from zato.broker.batcher import Batcher
from zato.broker.cluster import Members, Seen
from zato.core.errors import NotFound, hint_for
from zato.core.member import Member, Running, ThreadsState
from zato.server.builtin.inputs import read_object, text_of, truth_of
from zato.server.records import iso_time
from zato.server.service import AsyncService

__all__ = ["Drain", "GetServers"]

Here = Callable[[], Member]


class GetServers(AsyncService):
    """Lists the servers that share the broker, by name.

    A server that ended in good order is not among them; one that did not is, for a day, and `alive` is false.
    Input: nothing.
    Output: `items`, a list of objects with `name`, `host`, `address`, `version`, `started`, `services`, `running`,
    `slots`, `draining`, `drained`, `alive`, `ago`, `threads`, `current` and `workers`, a list of objects with `worker`,
    `pid`, `running`, `slots` and `threads`. `running` counts background calls; a server is `drained` if it drains and
    runs none any more; `ago` is seconds since it was heard of. `threads` has `total` and `busy`, and of requests for
    blocking services `http_limit`, `http_running` and `http_waiting`. `current` is what runs now, longest first and at
    most 20 of each process: objects with `service`, `cid`, `channel`, `since` and `worker`; of processes other than the
    one that answers, what had run for a second when they were heard of. Built-in services are not in it.
    """

    name = "zato.cluster.get-servers"

    def __init__(self, batcher: Batcher, here: Here) -> None:
        """Take what asks the broker, and what tells of this process now."""
        self._batcher = batcher
        self._here = here

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...]}`."""
        read_object(self.request.payload)
        return {"items": await _servers(self._batcher, self._here)}


class Drain(AsyncService):
    """Has a server take no new background work, or take it again; what runs goes on and is recorded.

    It gives notice within a second: `/zato/ready` then says no, while requests are still answered. It holds until
    it is undone, or until the server starts again.
    Input: `name` of the server, by default the one that is asked; `undo`.
    Output: what `zato.cluster.get-servers` tells of the server. An unknown name is a 404.
    """

    name = "zato.server.drain"

    def __init__(self, batcher: Batcher, here: Here) -> None:
        """Take what asks the broker, and what tells of this process now."""
        self._batcher = batcher
        self._here = here

    async def handle(self) -> dict[str, Any]:
        """Return the server as it is now."""
        fields = read_object(self.request.payload, "name", "undo")
        asked = text_of(fields, "name")
        name = self._here().holder.server if asked is None else asked
        known = await self._batcher.ask(cluster.Drain(name, not truth_of(fields, "undo")))
        servers = {server["name"]: server for server in await _servers(self._batcher, self._here)}
        if not known or name not in servers:
            raise NotFound(f"There is no server {name!r}. {hint_for(name, servers) or _all_of(servers)}")
        return servers[name]


async def _servers(batcher: Batcher, here: Here) -> list[dict[str, Any]]:
    by_name: dict[str, list[Seen]] = {}
    own = here()
    for seen in await batcher.ask(Members()):
        by_name.setdefault(seen.member.holder.server, []).append(_renewed(seen, own))
    return [_server(name, by_name[name]) for name in sorted(by_name)]


def _renewed(seen: Seen, own: Member) -> Seen:
    """Return what was told last of a process; of this one, what is so now."""
    return replace(seen, member=own) if seen.member.holder == own.holder else seen


def _server(name: str, processes: Sequence[Seen]) -> dict[str, Any]:
    """Return what is told of a server: of the run that was heard of last, not of those that were killed before."""
    last = min(processes, key=lambda seen: seen.ago)
    members = [seen for seen in processes if seen.member.holder.run == last.member.holder.run]
    # A process that was killed and is being replaced is gone before its server is.
    living = [seen for seen in members if seen.alive] or members
    first = min(seen.member.started for seen in living)
    return {
        "name": name,
        "host": last.member.host,
        "address": last.member.address,
        "version": last.member.version,
        "started": iso_time(first),
        "services": max(seen.member.services for seen in living),
        "running": sum(seen.member.running for seen in living),
        "slots": sum(seen.member.slots for seen in living),
        "draining": last.draining,
        "drained": last.draining and all(seen.member.drained for seen in living),
        "alive": last.alive,
        "ago": last.ago,
        "threads": _threads([seen.member.threads for seen in living]),
        "current": sorted(
            (_running(each, seen) for seen in living for each in seen.member.current), key=itemgetter("since")
        ),
        "workers": [_worker(seen) for seen in sorted(living, key=lambda seen: seen.member.holder.worker)],
    }


def _worker(seen: Seen) -> dict[str, Any]:
    member = seen.member
    return {
        "worker": member.holder.worker,
        "pid": member.pid,
        "running": member.running,
        "slots": member.slots,
        "threads": _threads([member.threads]),
    }


def _threads(states: Sequence[ThreadsState]) -> dict[str, int]:
    """Return what is told of the threads of some processes together."""
    return {name: sum(getattr(state, name) for state in states) for name in ThreadsState.__struct_fields__}


def _running(running: Running, seen: Seen) -> dict[str, Any]:
    return {
        "service": running.service,
        "cid": running.cid,
        "channel": running.channel,
        "since": iso_time(running.since),
        "worker": seen.member.holder.worker,
    }


def _all_of(servers: Mapping[str, object]) -> str:
    return f"Servers: {', '.join(servers)}." if servers else "None is known."
