"""Background work: lease deliveries and run them. `zato.server.recorder` records how they ended.

Runs on the event loop. It leases only what it has free slots for, when something became ready, when a
slot became free, when time makes something ready, and once a second in case a signal was lost.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from zato.broker.base import Beat, Lease, Leased, Operation, Purge, Purged
from zato.broker.batcher import Batcher
from zato.broker.documents import PurgeKept
from zato.core.access import Ran
from zato.core.errors import InvocationTimeout, Overloaded
from zato.core.invocation import Delivery, Holder, Lane
from zato.server.dispatcher import Dispatcher
from zato.server.failures import contained
from zato.server.holdings import Holdings, about, holding
from zato.server.identity import new_token
from zato.server.recorder import Ending, Recorder, put_off
from zato.server.registry import Deployed, Services
from zato.server.runs import Run, Runs, outcome_of
from zato.server.threads import Threads

__all__ = ["Limits", "Worker"]

LOOK_AGAIN = 1.0
PURGE_EVERY = 30.0
PURGE_SLICE = 100
# Of the time that purging takes: how long others have the store to themselves before the next slice.
PURGE_PAUSE = 2.0
# Seconds that a cancelled task has to tidy up before its delivery goes on without it.
LAST_WORDS = 1.0
STOPPED = "was stopped"

logger = logging.getLogger("zato.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a worker may do: the settings of the same names. Times in seconds, sizes in bytes.

    Attributes:
        threads: background slots for blocking services.
        tasks: background slots for asynchronous ones.
        held: what the payloads of running calls may have together before more are leased.
    """

    threads: int
    tasks: int
    lease: float
    max_takeovers: int
    max_stored: int
    retention: float
    audit_retention: float = 7_776_000.0
    held: int = 100_000_000


class Worker:
    """Runs what the broker keeps, as one server of possibly many."""

    def __init__(
        self,
        holder: Holder,
        batcher: Batcher,
        services: Services,
        dispatcher: Dispatcher,
        threads: Threads,
        *,
        limits: Limits,
        access: Callable[[Ran], None] | None = None,
    ) -> None:
        """Take what this process holds leases as, what the worker works with, and what logs each run."""
        self._holder = holder
        self._batcher = batcher
        self._services = services
        self._dispatcher = dispatcher
        self._threads = threads
        self._limits = limits
        self._runs = Runs({Lane.THREAD: limits.threads, Lane.TASK: limits.tasks}, access)
        self._holdings = Holdings(batcher, lease=limits.lease, lost=self._lost)
        self._recorder = Recorder(
            holder.server,
            batcher,
            services,
            self._holdings,
            max_stored=limits.max_stored,
            caught_up=self._look,
        )
        self._chosen: Delivery | None = None
        self._away = False
        self._leasing = False
        self._asked_for_some = False
        self._lease_again = False
        self._draining = False
        self._stopped = True
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def running(self) -> int:
        """How many deliveries this worker holds."""
        return len(self._holdings)

    @property
    def is_busy(self) -> bool:
        """Whether it holds deliveries, or has asked for some."""
        return bool(self._holdings) or (self._leasing and self._asked_for_some)

    @property
    def stuck(self) -> bool:
        """Whether every slot for blocking services is held by a call that nobody waits for any more."""
        return self._runs.stuck

    def start(self, *, purges: bool = True) -> None:
        """Begin to lease. From then on, work arrives by itself.

        Args:
            purges: delete what has been kept for long enough; one process of a server is enough for that.
        """
        self._stopped = False
        self._batcher.on_ready = self.pull
        self._holdings.beat()
        if purges:
            self._purge(Purge(self._limits.retention, PURGE_SLICE))
            self._purge(PurgeKept(self._limits.audit_retention, PURGE_SLICE))
        self._look()

    def drain(self, *, draining: bool) -> None:
        """Take no new work, or take it again. What runs goes on and is recorded; what time changes is still seen to."""
        self._draining = draining
        if not draining and not self._stopped:
            self.pull()

    def stop_leasing(self) -> None:
        """Take no new work for good. What runs goes on, and its leases are kept alive."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()

    async def release_all(self) -> None:
        """Give back to the broker what still runs, to be run again by whoever leases it next.

        Tasks are cancelled, and have a moment to tidy up, so that this is over when they run again.
        """
        runs = self._runs.all()
        for run in runs:
            if not run.settled:
                self._runs.tell(run, "released")
            run.settled = True
            run.plan(None)
            run.halt()
        tasks = [run.task for run in runs if run.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_WORDS)
        await self._recorder.record_waiting()
        await self._holdings.release_all()

    def ended(self, ids: Sequence[str]) -> None:
        """Stop what runs of these invocations: they have their outcome, because they were cancelled for instance."""
        for call_id in ids:
            for run in self._runs.of(call_id):
                self._abandon(run, "cancelled")

    def pull(self) -> None:
        """Lease as much as there are free slots for, unless that is under way: then once more after it."""
        if not self._draining and any(slots > 0 for slots in self._runs.free.values()):
            self._look()

    def _look(self) -> None:
        """Lease, even if there are no slots: a look also ends what has expired."""
        if self._stopped or self._recorder.is_behind:
            return
        if self._leasing:
            self._lease_again = True
            return
        self._leasing, self._lease_again = True, False
        room = self._room()
        self._asked_for_some = any(room.values())
        lease = Lease(
            holder=self._holder,
            limits=room,
            token=new_token(),
            seconds=self._limits.lease,
            holdings=self._holdings.all(),
        )
        self._batcher.post(lease, self._leased)

    def _room(self) -> dict[Lane, int]:
        """Return how many deliveries may come: none while it drains, and for now if those that run fill the memory."""
        is_full = self._draining or self._holdings.size > self._limits.held
        return dict.fromkeys(Lane, 0) if is_full else dict(self._runs.free)

    def _leased(self, result: Leased | Exception) -> None:
        if isinstance(result, Exception):
            self._leasing = False
            if not self._away:
                logger.error("Cannot lease work, and goes on trying: %s", result)
            self._away = True
            self._again_in("look", LOOK_AGAIN, self._look)
            return
        if self._away:
            logger.info("Leases work again")
        self._away = False
        wait = LOOK_AGAIN if result.next_in is None else min(LOOK_AGAIN, result.next_in)
        self._again_in("look", max(wait, 0.001), self._look)
        try:
            for delivery in self._admitted(result.deliveries):
                self._begin(delivery)
        finally:
            # Not before: until all of them have taken their slots, there seem to be more free ones.
            self._leasing = False
        if self._lease_again or result.deliveries:
            self.pull()

    def _admitted(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        """Return what may begin at once.

        Calls that must not lose another process run one at a time: beside the one that kills its process,
        all others that were in it each time would be given up with it.
        """
        last = [delivery for delivery in deliveries if self._has_last_chance(delivery)]
        if not last:
            return deliveries
        chosen = None if self._tries_last_chance() else last[0]
        for delivery in last:
            self._holdings.add(delivery)
            if delivery is not chosen:
                self._recorder.record(delivery, put_off(delivery))
        if chosen is not None:
            self._chosen = chosen
            # When this is answered, the others have been given back.
            self._batcher.post(Beat((holding(chosen),), self._limits.lease), partial(self._begin_chosen, chosen))
        return [delivery for delivery in deliveries if not self._has_last_chance(delivery)]

    def _has_last_chance(self, delivery: Delivery) -> bool:
        return 0 < delivery.takeovers == self._limits.max_takeovers

    def _tries_last_chance(self) -> bool:
        running = (run.delivery for run in self._runs.all() if not run.settled)
        return self._chosen is not None or any(self._has_last_chance(delivery) for delivery in running)

    def _begin_chosen(self, delivery: Delivery, lost: list[str] | Exception) -> None:
        self._chosen = None
        if isinstance(lost, Exception):
            self._recorder.record(delivery, put_off(delivery))
        elif lost:
            self._recorder.forget(delivery)
        else:
            self._begin(delivery)

    def _begin(self, delivery: Delivery) -> None:
        self._holdings.add(delivery)
        deployed = self._services.current.by_name.get(delivery.invocation.service)
        if deployed is None or self._stopped:
            self._recorder.record(delivery, put_off(delivery))
        elif delivery.takeovers > self._limits.max_takeovers:
            self._recorder.record(delivery, self._recorder.given_up(delivery))
        else:
            self._run(deployed, self._runs.begin(delivery, deployed.lane))

    def _run(self, deployed: Deployed, run: Run) -> None:
        if run.lane is Lane.THREAD:
            self._threads.start(partial(self._run_on_thread, deployed, run), partial(self._ran_on_thread, run))
        else:
            run.task = self._loop.create_task(self._run_on_loop(deployed, run))
            run.task.add_done_callback(partial(self._ran_on_loop, run))
        limit = run.delivery.invocation.time_limit
        if limit is not None:
            run.plan(self._loop.call_later(limit, self._time_is_up, deployed, run, limit))

    def _run_on_thread(self, deployed: Deployed, run: Run) -> Ending | None:
        try:
            response = self._dispatcher.run_shaped(deployed, run.call(), self._recorder.stored)
        except Exception as error:
            return self._failed(run, error)
        return self._done(run, response)

    def _ran_on_thread(self, run: Run, ending: Ending | None, error: BaseException | None) -> None:
        """Record how a run ended, or put it off if the system has no thread for it."""
        if isinstance(error, Overloaded):
            ending = put_off(run.delivery)
        elif error is not None:
            ending = self._failed(run, error)
        self._end(run, ending)

    async def _run_on_loop(self, deployed: Deployed, run: Run) -> Ending | None:
        try:
            response = self._recorder.stored(await self._dispatcher.run_on_loop(deployed, run.call()))
        except BaseException as error:
            return self._failed(run, error)
        return self._done(run, response)

    def _ran_on_loop(self, run: Run, task: "asyncio.Task[Ending | None]") -> None:
        """Record how a run ended; one that was cancelled before its first step has nothing to say itself."""
        self._end(run, self._failed(run, asyncio.CancelledError()) if task.cancelled() else task.result())

    def _done(self, run: Run, response: bytes | None) -> Ending | None:
        """Return how a run ended whose service returned, or None if nobody wants to know."""
        if run.settled:
            return None
        if run.overdue is not None:
            return self._recorder.failed(run.delivery, run.overdue, run.started)
        return self._recorder.done(run.delivery, response, run.started)

    def _failed(self, run: Run, error: BaseException) -> Ending | None:
        """Return how a run ended whose service raised, or None if nobody wants to know."""
        if run.settled:
            return None
        if run.overdue is not None:
            run.overdue.__cause__ = error
            return self._recorder.failed(run.delivery, run.overdue, run.started)
        return self._recorder.failed(run.delivery, contained(error), run.started)

    def _end(self, run: Run, ending: Ending | None) -> None:
        """Free the slot of a run that is over, record how it ended, and lease for the slot."""
        self._runs.end(run)
        if run.named:
            logger.info("%s has ended; its slot is free", run.delivery.invocation.service, extra=about(run.delivery))
        if ending is not None and not run.settled:
            self._runs.tell(run, outcome_of(ending))
            self._recorder.record(run.delivery, ending)
        self.pull()

    def _time_is_up(self, deployed: Deployed, run: Run, limit: float) -> None:
        """Stop a run. A task ends in a moment, and says so itself; a thread's delivery goes on without it."""
        error = InvocationTimeout.over_limit(deployed.name, limit)
        deployed.tally.errors += 1
        if run.task is None:
            self._give_up(run, error)
        else:
            run.overdue = error
            run.plan(self._loop.call_later(LAST_WORDS, self._give_up, run, error))
        run.halt()

    def _give_up(self, run: Run, error: InvocationTimeout) -> None:
        """Record that a run failed which has not ended yet."""
        run.settled = True
        self._runs.name(run, "ran out of time")
        ending = self._recorder.failed(run.delivery, error, run.started)
        self._runs.tell(run, outcome_of(ending))
        self._recorder.record(run.delivery, ending)

    def _lost(self, delivery: Delivery) -> None:
        """Stop what runs of a delivery that is held no more."""
        service = delivery.invocation.service
        logger.warning("%s is held no more: it was cancelled, or taken over", service, extra=about(delivery))
        self._recorder.forget(delivery)
        for run in self._runs.of(delivery.invocation.id):
            if run.delivery is delivery:
                self._abandon(run, "lost")

    def _abandon(self, run: Run, outcome: str) -> None:
        """Stop a run whose delivery is somebody else's, or nobody's. Nothing of it is recorded."""
        if run.settled:
            return
        run.settled = True
        self._runs.tell(run, outcome)
        self._recorder.forget(run.delivery)
        if run.task is None:
            run.plan(None)
            self._runs.name(run, STOPPED)
        else:
            run.plan(self._loop.call_later(LAST_WORDS, self._runs.name, run, STOPPED))
        run.halt()

    def _purge(self, purge: Operation[Purged]) -> None:
        self._batcher.post(purge, partial(self._purged, purge, self._loop.time()))

    def _purged(self, purge: Operation[Purged], began: float, result: Purged | Exception) -> None:
        more = isinstance(result, Purged) and result.more
        if not self._stopped:
            pause = PURGE_PAUSE * (self._loop.time() - began) if more else PURGE_EVERY
            self._again_in(type(purge).__name__, pause, partial(self._purge, purge))

    def _again_in(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        timer = self._timers.get(name)
        if timer is not None:
            timer.cancel()
        self._timers[name] = self._loop.call_later(seconds, action)
