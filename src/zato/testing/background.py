"""Running background calls: one at a time, in the order in which a server would begin them, on the test's thread."""

import asyncio
from functools import partial

from zato.broker.base import Find, Lease
from zato.core.call import Call
from zato.core.errors import InvocationTimeout
from zato.core.invocation import Delivery, Lane, Status
from zato.core.stop import StopSign
from zato.server.identity import new_token
from zato.server.recorder import Ending
from zato.server.registry import Deployed
from zato.server.runs import call_of
from zato.testing.clock import Clock
from zato.testing.interrupts import raise_if_meant_for_the_test
from zato.testing.memory import HERE, LEASE, Memory

__all__ = ["Background"]


class Background:
    """Runs what was accepted, as the worker of a server does, but for its slots: what is leased is run at once."""

    def __init__(self, memory: Memory, clock: Clock) -> None:
        """Take what keeps the calls, and the clock that says which of them are due."""
        self._memory = memory
        self._clock = clock

    def run(self, *, delayed: bool, most: int) -> list[str]:
        """Run what is due until nothing is, and return the ids of the calls, each as often as it was tried.

        Args:
            delayed: turn the clock on to what is due later, and run that too.
            most: how many runs there may be.

        Raises:
            RuntimeError: there would be more of them.
        """
        ran: list[str] = []
        while (delivery := self._next()) or (delayed and self._turned()):
            if delivery is None:
                continue
            if len(ran) == most:
                raise RuntimeError(
                    f"{most} background calls have run, and {delivery.invocation.service!r} is to run next: it seems "
                    "that there is no end of them. If there is, say how many: run_background(most=...)."
                )
            ran.append(delivery.invocation.id)
            self._run(delivery)
        return ran

    def move_on(self) -> None:
        """Have the store look at the clock, so that what has expired is recorded, and what is due is not delayed."""
        self._lease(0)

    def _next(self) -> Delivery | None:
        return next(iter(self._lease(1)), None)

    def _lease(self, slots: int) -> list[Delivery]:
        lease = Lease(holder=HERE, limits={Lane.THREAD: slots}, token=new_token(), seconds=LEASE)
        return self._memory.ask(lease).deliveries

    def _turned(self) -> bool:
        """Turn the clock to when the next delayed call is due, and tell whether there is any."""
        delayed = self._memory.ask(Find(status=Status.DELAYED, limit=1000)).records
        due = [record.not_before for record in delayed if record.not_before is not None]
        if due:
            self._clock.turn(max(0, min(due) - self._clock.wall()) / 1000)
        return bool(due)

    def _run(self, delivery: Delivery) -> None:
        stop, call_id = StopSign(), delivery.invocation.id
        self._memory.running[call_id] = stop.set
        try:
            self._memory.ask(self._ending(delivery, call_of(delivery.invocation, stop)))
        finally:
            del self._memory.running[call_id]

    def _ending(self, delivery: Delivery, call: Call) -> Ending:
        recorder, started = self._memory.recorder, self._clock.wall()
        try:
            response = self._stored(self._memory.services.get(call.service), call, delivery.invocation.time_limit)
        except BaseException as error:
            raise_if_meant_for_the_test(error)
            return recorder.failed(delivery, error, started)
        return recorder.done(delivery, response, started)

    def _stored(self, deployed: Deployed, call: Call, limit: float | None) -> bytes | None:
        """Run a service, and return its response as it is recorded."""
        if deployed.is_async or limit is not None:
            return self._memory.run(partial(self._within, limit, deployed, call))
        return self._memory.dispatcher.run_shaped(deployed, call, self._memory.recorder.stored)

    async def _within(self, limit: float | None, deployed: Deployed, call: Call) -> bytes | None:
        """Run a service on the event loop, or on a thread that is left alone when the time is up."""
        timer = asyncio.timeout(limit)
        try:
            async with timer:
                return await self._apart(deployed, call)
        except TimeoutError:
            if not timer.expired():
                raise
            call.stop.set()
            raise InvocationTimeout.over_limit(call.service, limit or 0) from None

    async def _apart(self, deployed: Deployed, call: Call) -> bytes | None:
        dispatcher, stored = self._memory.dispatcher, self._memory.recorder.stored
        if deployed.is_async:
            return stored(await dispatcher.run_on_loop(deployed, call))
        work = partial(dispatcher.run_shaped, deployed, call, stored)
        return await self._memory.budget.run(work, label=call.service)  # type: ignore[no-any-return]
