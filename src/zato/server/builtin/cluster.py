"""`zato.cluster.*` and `zato.server.drain`: the servers that share a store, and which of them take new work."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from zato.broker import cluster
from zato.broker.batcher import Batcher
from zato.broker.cluster import Members, Seen
from zato.core.errors import NotFound, hint_for
from zato.server.builtin.inputs import read_object, text_of, truth_of
from zato.server.service import AsyncService

__all__ = ["Drain", "GetServers"]


class GetServers(AsyncService):
    """Lists the servers that share the broker, by name.

    A server that ended in good order is not among them; one that did not is, for a day, and `alive` is false.
    Input: nothing.
    Output: `items`, a list of objects with `name`, `host`, `address`, `version`, `started`, `services`, `running`,
    `slots`, `draining`, `drained`, `alive`, `ago` and `workers`, a list of objects with `worker`, `pid`, `running` and
    `slots`. `running` counts background calls; a server is `drained` if it drains and runs none any more; `ago` is
    seconds since it was heard of.
    """

    name = "zato.cluster.get-servers"

    def __init__(self, batcher: Batcher) -> None:
        """Take what asks the broker."""
        self._batcher = batcher

    async def handle(self) -> dict[str, Any]:
        """Return `{"items": [...]}`."""
        read_object(self.request.payload)
        return {"items": await _servers(self._batcher)}


class Drain(AsyncService):
    """Has a server take no new background work, or take it again; what runs goes on and is recorded.

    It gives notice within a second: `/zato/ready` then says no, while requests are still answered. It holds until
    it is undone, or until the server starts again.
    Input: `name` of the server, by default the one that is asked; `undo`.
    Output: what `zato.cluster.get-servers` tells of the server. An unknown name is a 404.
    """

    name = "zato.server.drain"

    def __init__(self, batcher: Batcher, server: str) -> None:
        """Take what asks the broker, and the name of this server."""
        self._batcher = batcher
        self._server = server

    async def handle(self) -> dict[str, Any]:
        """Return the server as it is now."""
        fields = read_object(self.request.payload, "name", "undo")
        asked = text_of(fields, "name")
        name = self._server if asked is None else asked
        known = await self._batcher.ask(cluster.Drain(name, not truth_of(fields, "undo")))
        servers = {server["name"]: server for server in await _servers(self._batcher)}
        if not known or name not in servers:
            raise NotFound(f"There is no server {name!r}. {hint_for(name, servers) or _all_of(servers)}")
        return servers[name]


async def _servers(batcher: Batcher) -> list[dict[str, Any]]:
    by_name: dict[str, list[Seen]] = {}
    for seen in await batcher.ask(Members()):
        by_name.setdefault(seen.member.holder.server, []).append(seen)
    return [_server(name, by_name[name]) for name in sorted(by_name)]


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
        "started": datetime.fromtimestamp(first / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "services": max(seen.member.services for seen in living),
        "running": sum(seen.member.running for seen in living),
        "slots": sum(seen.member.slots for seen in living),
        "draining": last.draining,
        "drained": last.draining and all(seen.member.drained for seen in living),
        "alive": last.alive,
        "ago": last.ago,
        "workers": [_worker(seen) for seen in sorted(living, key=lambda seen: seen.member.holder.worker)],
    }


def _worker(seen: Seen) -> dict[str, Any]:
    member = seen.member
    return {
        "worker": member.holder.worker,
        "pid": member.pid,
        "running": member.running,
        "slots": member.slots,
    }


def _all_of(servers: Mapping[str, object]) -> str:
    return f"Servers: {', '.join(servers)}." if servers else "None is known."
