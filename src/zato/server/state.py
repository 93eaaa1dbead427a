"""What a process tells of itself: to the other servers with every word, and to whoever asks for `zato.server.info`."""

import heapq
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zato import __version__
from zato.core.call import Call
from zato.core.member import Member, Running, ThreadsState
from zato.core.names import is_reserved
from zato.core.server_info import ServerInfo
from zato.server.dispatcher import Dispatcher
from zato.server.identity import now_ms
from zato.server.orders import Orders
from zato.server.records import iso_time
from zato.server.registry import Services
from zato.server.threads import Budget, Threads
from zato.server.worker import Worker

__all__ = ["MOST", "State", "longest"]

# As many of the calls that run as a process tells of.
MOST = 20
# Milliseconds that a call has run before others are told: what is over sooner would be old news to them.
WORTH_TELLING = 1000


@dataclass(slots=True, kw_only=True)
class State:
    """One process of a server. Used on the event loop only.

    Attributes:
        identity: tells the environment from all others.
        host: name of the machine.
        started: when the process began.
        draining: the server takes no new work.
    """

    orders: Orders
    identity: str
    host: str
    server: ServerInfo
    started: datetime
    services: Services
    dispatcher: Dispatcher
    threads: Threads
    budget: Budget
    worker: Worker
    draining: bool = False

    def member(self) -> Member:
        """Return what other servers are told of this process."""
        return self._member(told_after=WORTH_TELLING)

    def now(self) -> Member:
        """Return the same for who asks this process itself: with what has just begun."""
        return self._member(told_after=0)

    def info(self) -> dict[str, Any]:
        """Return what `zato.server.info` tells of this server."""
        settings, budget = self.orders.settings, self.budget
        return {
            "name": settings.name,
            "broker": settings.broker,
            "cluster": settings.cluster,
            "draining": self.draining,
            "worker": self.orders.worker,
            "workers": settings.workers,
            "started": iso_time(self._started_ms),
            "services": len(self.services.current.by_name),
            "threads": {
                "total": self.threads.count,
                "busy": self.threads.busy,
                "http": {"limit": budget.limit, "running": budget.running, "waiting": budget.waiting},
                "background": {"limit": settings.background_threads, "running": self.worker.running},
            },
        }

    @property
    def _started_ms(self) -> int:
        return int(self.started.timestamp() * 1000)

    def _member(self, *, told_after: int) -> Member:
        settings, worker = self.orders.settings, self.worker
        return Member(
            holder=self.orders.holder,
            identity=self.identity,
            host=self.host,
            pid=os.getpid(),
            version=__version__,
            address=self.server.address,
            started=self._started_ms,
            services=len(self.services.current.by_name),
            running=worker.running,
            slots=settings.background_threads + settings.background_tasks,
            drained=self.draining and not worker.is_busy,
            threads=self._threads(),
            current=longest(self.dispatcher.roots(), now_ms() - told_after),
        )

    def _threads(self) -> ThreadsState:
        budget = self.budget
        return ThreadsState(self.threads.count, self.threads.busy, budget.limit, budget.running, budget.waiting)


def longest(roots: Iterable[tuple[Call, float]], before: int) -> tuple[Running, ...]:
    """Return the users' services that have run longest, of those that began before some time in milliseconds."""
    running = (
        Running(call.service, call.cid, call.channel, int(since * 1000))
        for call, since in roots
        if since * 1000 <= before and not is_reserved(call.service)
    )
    return tuple(heapq.nsmallest(MOST, running, key=lambda each: each.since))
