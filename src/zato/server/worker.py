"""Background work: lease deliveries, run them, record how they ended.

Runs on the event loop. It leases only what it has free slots for, when something became ready, when a
slot became free, when time makes something ready, and once a second in case a signal was lost.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from functools import partial

from zato import __version__
from zato.broker.base import Beat, Finish, Lease, Leased, Operation, Postpone, Purge, Release
from zato.broker.batcher import Batcher
from zato.core.call import Call
from zato.core.errors import BrokerUnavailable, PayloadTooLarge
from zato.core.invocation import Delivery, ErrorInfo, Invocation, Lane, Outcome, Status
from zato.core.payload import decode, encode
from zato.server.dispatcher import Dispatcher
from zato.server.failures import describe, log_failure, process_died
from zato.server.identity import new_token, now_ms
from zato.server.publisher import follow_ups
from zato.server.registry import Deployed, Services
from zato.server.service import Response
from zato.server.threads import Threads

__all__ = ["Limits", "Worker"]

LOOK_AGAIN = 1.0
PURGE_EVERY = 30.0
PURGE_SLICE = 500
BEATS_A_LEASE = 3
STORE_RETRY = 0.5

logger = logging.getLogger("zato.server")


class Limits:
    """What a worker may do. Times in seconds, sizes in bytes."""

    def __init__(
        self,
        *,
        threads: int,
        tasks: int,
        lease: float,
        max_takeovers: int,
        max_stored: int,
        retention: float,
    ) -> None:
        """Take the settings of the same names; `threads` and `tasks` are background slots."""
        self.slots = {Lane.THREAD: threads, Lane.TASK: tasks}
        self.lease = lease
        self.max_takeovers = max_takeovers
        self.max_stored = max_stored
        self.retention = retention


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
        self._free = dict(limits.slots)
        # By id and token: a lease that ended may come back as another one while its first run goes on.
        self._held: dict[tuple[str, bytes], tuple[Delivery, asyncio.Task[None] | None]] = {}
        self._unrecorded = 0
        self._leasing = False
        self._lease_again = False
        self._stopped = True
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def running(self) -> int:
        """How many deliveries this worker holds."""
        return len(self._held)

    def start(self) -> None:
        """Begin to lease. From then on, work arrives by itself."""
        self._stopped = False
        self._batcher.on_ready = self.pull
        self._beat()
        self._purge()
        self.pull()

    def stop_leasing(self) -> None:
        """Take no new work. What runs goes on, and its leases are kept alive."""
        self._stopped = True
        self._cancel_timer("look")
        self._cancel_timer("purge")

    async def release_all(self) -> None:
        """Give back to the broker what still runs, to be run again by whoever leases it next."""
        held, self._held = self._held, {}
        for _, task in held.values():
            if task is not None:
                task.cancel()
        for delivery, _ in held.values():
            logger.warning(
                "Giving %s back: it did not end in time", delivery.invocation.service, extra=_about(delivery)
            )
            await self._batcher.ask(Release(delivery.invocation.id, delivery.token))
        self._cancel_timer("beat")

    def pull(self) -> None:
        """Lease as much as there are free slots for, unless that is under way: then once more after it."""
        if any(slots > 0 for slots in self._free.values()):
            self._look()

    def _look(self) -> None:
        """Lease, even if there are no slots: a look also ends what has expired."""
        if self._stopped or self._unrecorded:
            return
        if self._leasing:
            self._lease_again = True
            return
        self._leasing, self._lease_again = True, False
        lease = Lease(server=self._server, limits=dict(self._free), token=new_token(), seconds=self._limits.lease)
        self._batcher.post(lease, self._leased)

    def _leased(self, result: Leased | Exception) -> None:
        self._leasing = False
        if isinstance(result, Exception):
            logger.error("Cannot lease work: %s", result)
            self._again_in("look", LOOK_AGAIN, self._look)
            return
        for delivery in result.deliveries:
            self._begin(delivery)
        wait = LOOK_AGAIN if result.next_in is None else min(LOOK_AGAIN, result.next_in)
        self._again_in("look", max(wait, 0.001), self._look)
        if self._lease_again or len(result.deliveries) > 0:
            self.pull()

    def _begin(self, delivery: Delivery) -> None:
        invocation = delivery.invocation
        deployed = self._services.current.by_name.get(invocation.service)
        if deployed is None:
            self._batcher.post(_later(delivery), _ignore)
            return
        lane = deployed.lane
        self._free[lane] -= 1
        self._held[_holding(delivery)] = (delivery, None)
        if delivery.takeovers > self._limits.max_takeovers:
            self._record(delivery, lane, self._given_up(delivery))
        elif lane is Lane.THREAD:
            work = partial(self._run_on_thread, deployed, delivery)
            self._threads.start(work, partial(self._ran, delivery, lane))
        else:
            task = self._loop.create_task(self._run_on_loop(deployed, delivery))
            self._held[_holding(delivery)] = (delivery, task)

    def _run_on_thread(self, deployed: Deployed, delivery: Delivery) -> Operation[bool]:
        started = now_ms()
        try:
            response = self._dispatcher.run_shaped(deployed, self._call_of(delivery), self._stored)
        except Exception as error:
            return self._failed(delivery, error, started)
        return self._done(delivery, response, started)

    async def _run_on_loop(self, deployed: Deployed, delivery: Delivery) -> None:
        started = now_ms()
        try:
            response = self._stored(await self._dispatcher.run_on_loop(deployed, self._call_of(delivery)))
        except Exception as error:
            operation: Operation[bool] = self._failed(delivery, error, started)
        else:
            operation = self._done(delivery, response, started)
        self._record(delivery, Lane.TASK, operation)

    def _ran(self, delivery: Delivery, lane: Lane, operation: Operation[bool], error: BaseException | None) -> None:
        """Record how a delivery ended, or put it off if it could not be run."""
        self._record(delivery, lane, operation if error is None else _later(delivery))

    def _record(self, delivery: Delivery, lane: Lane, operation: Operation[bool]) -> None:
        """Store how a delivery ended, and lease for the slot it leaves."""
        self._free[lane] += 1
        if _holding(delivery) in self._held:
            self._batcher.post(operation, partial(self._recorded, delivery, operation))
            self.pull()

    def _recorded(self, delivery: Delivery, operation: Operation[bool], result: object) -> None:
        """Forget a delivery that is recorded. While the store is away, keep its outcome and lease nothing."""
        if isinstance(result, BrokerUnavailable):
            self._unrecorded += 1
            logger.error(
                "The outcome of %s waits to be recorded: %s", *_named(delivery, result), extra=_about(delivery)
            )
            self._loop.call_later(STORE_RETRY, self._record_again, delivery, operation)
            return
        self._held.pop(_holding(delivery), None)
        if result is False:
            logger.warning(
                "The outcome of %s was not recorded: its lease had ended, somebody else runs it",
                delivery.invocation.service,
                extra=_about(delivery),
            )

    def _record_again(self, delivery: Delivery, operation: Operation[bool]) -> None:
        self._unrecorded -= 1
        self._batcher.post(operation, partial(self._recorded, delivery, operation))
        self._look()

    def _stored(self, response: Response) -> bytes | None:
        """Return a response as it is recorded; it is encoded where the service ran."""
        if response.payload is None:
            return None
        stored = encode(response.payload, what="response", allow_nan=False)
        if len(stored) > self._limits.max_stored:
            raise PayloadTooLarge(
                f"The response is {len(stored)} bytes; the most that is stored is {self._limits.max_stored} "
                "(setting max_stored)."
            )
        return stored

    def _call_of(self, delivery: Delivery) -> Call:
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

    def _done(self, delivery: Delivery, response: bytes | None, started: int) -> Finish:
        outcome = self._outcome(delivery, Status.DONE, started, response=response)
        return self._finish(delivery, outcome)

    def _failed(self, delivery: Delivery, error: BaseException, started: int | None) -> Finish | Postpone:
        invocation, attempt = delivery.invocation, delivery.attempts + 1
        log_failure(invocation.service, invocation.cid, invocation.channel, error)
        pause = invocation.retry.pause(attempt, random.random())  # noqa: S311 -- spreads load, guards nothing
        if pause is not None:
            return Postpone(invocation.id, delivery.token, now_ms() + round(pause * 1000), attempt)
        return self._finish(delivery, self._outcome(delivery, Status.FAILED, started, error=describe(error)))

    def _given_up(self, delivery: Delivery) -> Finish:
        error = process_died(delivery.takeovers)
        logger.error("%s is given up: %s", *_named(delivery, error.message), extra=_about(delivery))
        outcome = Outcome(
            status=Status.FAILED, ended=now_ms(), error=error, attempts=delivery.attempts, server=self._server
        )
        return self._finish(delivery, outcome)

    def _outcome(
        self,
        delivery: Delivery,
        status: Status,
        started: int | None,
        *,
        response: bytes | None = None,
        error: ErrorInfo | None = None,
    ) -> Outcome:
        return Outcome(
            status=status,
            ended=now_ms(),
            response=response,
            error=error,
            attempts=delivery.attempts + 1,
            started=started,
            server=self._server,
            version=__version__,
        )

    def _finish(self, delivery: Delivery, outcome: Outcome) -> Finish:
        return Finish(delivery.invocation.id, delivery.token, outcome, follow_ups(delivery.invocation, outcome))

    def _beat(self) -> None:
        """Keep the leases of what is held alive, a few times a lease."""
        if self._held:
            self._batcher.post(Beat(tuple(self._held), self._limits.lease), _ignore)
        self._again_in("beat", self._limits.lease / BEATS_A_LEASE, self._beat)

    def _purge(self) -> None:
        self._batcher.post(Purge(self._limits.retention, PURGE_SLICE), self._purged)

    def _purged(self, result: int | Exception) -> None:
        more = isinstance(result, int) and result == PURGE_SLICE
        if not self._stopped:
            self._again_in("purge", LOOK_AGAIN / 20 if more else PURGE_EVERY, self._purge)

    def _again_in(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        self._cancel_timer(name)
        self._timers[name] = self._loop.call_later(seconds, action)

    def _cancel_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()


def _about(delivery: Delivery) -> dict[str, str]:
    """Return what every log line about a delivery carries."""
    invocation: Invocation = delivery.invocation
    return {"cid": invocation.cid, "service": invocation.service, "channel": invocation.channel}


def _later(delivery: Delivery) -> Postpone:
    """Return what has a delivery tried again in a while; it was not run, so it is no attempt."""
    soon = now_ms() + round(LOOK_AGAIN * 1000)
    return Postpone(delivery.invocation.id, delivery.token, soon, delivery.attempts)


def _holding(delivery: Delivery) -> tuple[str, bytes]:
    return delivery.invocation.id, delivery.token


def _named(delivery: Delivery, reason: object) -> tuple[str, object]:
    return delivery.invocation.service, reason


def _ignore(_: object) -> None:
    """Take a result that changes nothing."""
