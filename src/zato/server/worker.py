"""Background work: lease deliveries and run them. `zato.server.recorder` records how they ended.

Runs on the event loop. It leases only what it has free slots for, when something became ready, when a
slot became free, when time makes something ready, and once a second in case a signal was lost.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from zato.broker.base import Lease, Leased, Purge
from zato.broker.batcher import Batcher
from zato.core.call import Call
from zato.core.errors import Overloaded
from zato.core.invocation import Delivery, Lane
from zato.core.payload import decode
from zato.server.dispatcher import Dispatcher
from zato.server.failures import contained
from zato.server.holdings import Holdings
from zato.server.identity import new_token, now_ms
from zato.server.recorder import Ending, Recorder, put_off
from zato.server.registry import Deployed, Services
from zato.server.threads import Threads

__all__ = ["Limits", "Worker"]

LOOK_AGAIN = 1.0
PURGE_EVERY = 30.0
PURGE_SOON = 0.05
PURGE_SLICE = 500

logger = logging.getLogger("zato.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a worker may do: the settings of the same names. Times in seconds, sizes in bytes.

    Attributes:
        threads: background slots for blocking services.
        tasks: background slots for asynchronous ones.
    """

    threads: int
    tasks: int
    lease: float
    max_takeovers: int
    max_stored: int
    retention: float


class Worker:
    """Runs what the broker keeps, as one server of possibly many."""

    def __init__(
        self,
        server: str,
        batcher: Batcher,
        services: Services,
        dispatcher: Dispatcher,
        threads: Threads,
        *,
        limits: Limits,
    ) -> None:
        """Take the server's name and what the worker works with."""
        self._server = server
        self._batcher = batcher
        self._services = services
        self._dispatcher = dispatcher
        self._threads = threads
        self._limits = limits
        self._free = {Lane.THREAD: limits.threads, Lane.TASK: limits.tasks}
        self._holdings = Holdings(batcher, lease=limits.lease)
        self._recorder = Recorder(server, batcher, self._holdings, max_stored=limits.max_stored, caught_up=self._look)
        self._leasing = False
        self._lease_again = False
        self._stopped = True
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def running(self) -> int:
        """How many deliveries this worker holds."""
        return len(self._holdings)

    def start(self) -> None:
        """Begin to lease. From then on, work arrives by itself."""
        self._stopped = False
        self._batcher.on_ready = self.pull
        self._holdings.beat()
        self._purge()
        self.pull()

    def stop_leasing(self) -> None:
        """Take no new work. What runs goes on, and its leases are kept alive."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()

    async def release_all(self) -> None:
        """Give back to the broker what still runs, to be run again by whoever leases it next."""
        await self._holdings.release_all()

    def pull(self) -> None:
        """Lease as much as there are free slots for, unless that is under way: then once more after it."""
        if any(slots > 0 for slots in self._free.values()):
            self._look()

    def _look(self) -> None:
        """Lease, even if there are no slots: a look also ends what has expired."""
        if self._stopped or self._recorder.is_behind:
            return
        if self._leasing:
            self._lease_again = True
            return
        self._leasing, self._lease_again = True, False
        lease = Lease(
            server=self._server,
            limits=dict(self._free),
            token=new_token(),
            seconds=self._limits.lease,
            holdings=self._holdings.all(),
        )
        self._batcher.post(lease, self._leased)

    def _leased(self, result: Leased | Exception) -> None:
        if isinstance(result, Exception):
            self._leasing = False
            logger.error("Cannot lease work: %s", result)
            self._again_in("look", LOOK_AGAIN, self._look)
            return
        try:
            for delivery in result.deliveries:
                self._begin(delivery)
        finally:
            # Not before: until all of them have taken their slots, there seem to be more free ones.
            self._leasing = False
        wait = LOOK_AGAIN if result.next_in is None else min(LOOK_AGAIN, result.next_in)
        self._again_in("look", max(wait, 0.001), self._look)
        if self._lease_again or result.deliveries:
            self.pull()

    def _begin(self, delivery: Delivery) -> None:
        self._holdings.add(delivery)
        deployed = self._services.current.by_name.get(delivery.invocation.service)
        if deployed is None:
            self._recorder.record(delivery, put_off(delivery))
        elif delivery.takeovers > self._limits.max_takeovers:
            self._recorder.record(delivery, self._recorder.given_up(delivery))
        else:
            self._free[deployed.lane] -= 1
            self._run(deployed, delivery)

    def _run(self, deployed: Deployed, delivery: Delivery) -> None:
        if deployed.lane is Lane.THREAD:
            work = partial(self._run_on_thread, deployed, delivery)
            self._threads.start(work, partial(self._ran_on_thread, delivery))
        else:
            task = self._loop.create_task(self._run_on_loop(deployed, delivery))
            self._holdings.run_as(delivery, task)

    def _run_on_thread(self, deployed: Deployed, delivery: Delivery) -> Ending:
        started = now_ms()
        try:
            response = self._dispatcher.run_shaped(deployed, _call_of(delivery), self._recorder.stored)
        except Exception as error:
            return self._recorder.failed(delivery, error, started)
        return self._recorder.done(delivery, response, started)

    def _ran_on_thread(self, delivery: Delivery, ending: Ending, error: BaseException | None) -> None:
        """Record how a delivery ended, or put it off if the system has no thread for it."""
        if isinstance(error, Overloaded):
            ending = put_off(delivery)
        elif error is not None:
            ending = self._recorder.failed(delivery, error, now_ms())
        self._end(delivery, Lane.THREAD, ending)

    async def _run_on_loop(self, deployed: Deployed, delivery: Delivery) -> None:
        started = now_ms()
        try:
            response = self._recorder.stored(await self._dispatcher.run_on_loop(deployed, _call_of(delivery)))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            ending = self._recorder.failed(delivery, contained(error), started)
        else:
            ending = self._recorder.done(delivery, response, started)
        self._end(delivery, Lane.TASK, ending)

    def _end(self, delivery: Delivery, lane: Lane, ending: Ending) -> None:
        """Record how a delivery ended, and lease for the slot it leaves."""
        self._free[lane] += 1
        self._recorder.record(delivery, ending)
        self.pull()

    def _purge(self) -> None:
        self._batcher.post(Purge(self._limits.retention, PURGE_SLICE), self._purged)

    def _purged(self, result: int | Exception) -> None:
        if not self._stopped:
            self._again_in("purge", PURGE_SOON if result == PURGE_SLICE else PURGE_EVERY, self._purge)

    def _again_in(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        timer = self._timers.get(name)
        if timer is not None:
            timer.cancel()
        self._timers[name] = self._loop.call_later(seconds, action)


def _call_of(delivery: Delivery) -> Call:
    """Return the call that a service is given."""
    invocation = delivery.invocation
    payload = decode(invocation.payload)
    return Call(
        cid=invocation.cid,
        service=invocation.service,
        payload=payload,
        raw=payload if isinstance(payload, str) else invocation.payload.decode(),
        channel=invocation.channel,
        data_format=invocation.data_format,
        transport=invocation.transport,
        environ=None if invocation.environ is None else decode(invocation.environ),
        in_reply_to=invocation.in_reply_to,
    )
