"""What runs in the background now, and the slots that it takes until it really ends.

A run outlives its delivery if nobody waits for it any more: a thread cannot be stopped, and a task that is
cancelled may tidy up first.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zato.broker.base import Finish, Postpone
from zato.core.access import Ran
from zato.core.call import Call
from zato.core.errors import InvocationTimeout
from zato.core.invocation import Delivery, Invocation, Lane
from zato.core.payload import decode
from zato.core.stop import StopSign
from zato.server.holdings import about
from zato.server.identity import now_ms

__all__ = ["Run", "Runs", "call_of", "outcome_of"]

logger = logging.getLogger("zato.server")


@dataclass(slots=True, eq=False)
class Run:
    """One run of one delivery.

    Attributes:
        stop: what the service learns from that it should stop.
        overdue: of a task that was cancelled because its time is up, why it fails; else None.
        settled: what comes of it is of no interest: it is recorded already, or somebody else's.
        task: what runs it, if it runs on the event loop.
        timer: what comes next if it goes on.
        named: the log says that it keeps its slot although nobody waits for it.
    """

    delivery: Delivery
    lane: Lane
    stop: StopSign = field(default_factory=StopSign)
    started: int = field(default_factory=now_ms)
    overdue: InvocationTimeout | None = None
    settled: bool = False
    task: "asyncio.Task[Any] | None" = None
    timer: asyncio.TimerHandle | None = None
    named: bool = False

    def call(self) -> Call:
        """Return the call that the service is given."""
        return call_of(self.delivery.invocation, self.stop)

    def plan(self, timer: asyncio.TimerHandle | None) -> None:
        """Have this come next, or nothing, instead of what was planned."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = timer

    def halt(self) -> None:
        """Tell the service to stop, by both ways that there are."""
        self.stop.set()
        if self.task is not None:
            self.task.cancel()


class Runs:
    """The runs of one worker, and its free slots. Used on the event loop only.

    Attributes:
        free: how many slots each lane has left.
    """

    def __init__(self, slots: Mapping[Lane, int], access: Callable[[Ran], None] | None = None) -> None:
        """Take how many slots each lane has, and what logs each run."""
        self._access = access
        self.free = dict(slots)
        self._slots = dict(slots)
        self._by_id: dict[str, list[Run]] = {}

    @property
    def stuck(self) -> bool:
        """Whether every background thread's slot is held by a run that nobody waits for."""
        return not self.free[Lane.THREAD] and all(run.settled for run in self.all(Lane.THREAD))

    def all(self, *lanes: Lane) -> list[Run]:
        """Return what runs, in these lanes or in all of them."""
        return [run for runs in self._by_id.values() for run in runs if not lanes or run.lane in lanes]

    def of(self, call_id: str) -> tuple[Run, ...]:
        """Return the runs of an invocation; there are two if one goes on that has lost its delivery."""
        return tuple(self._by_id.get(call_id, ()))

    def begin(self, delivery: Delivery, lane: Lane) -> Run:
        """Take a slot."""
        run = Run(delivery, lane)
        self.free[lane] -= 1
        self._by_id.setdefault(delivery.invocation.id, []).append(run)
        return run

    def end(self, run: Run) -> None:
        """Give the slot back: nothing of the run goes on."""
        run.plan(None)
        self.free[run.lane] += 1
        runs = self._by_id[run.delivery.invocation.id]
        runs.remove(run)
        if not runs:
            del self._by_id[run.delivery.invocation.id]

    def tell(self, run: Run, outcome: str | None) -> None:
        """Have it logged that a run is over, or that nobody waits for it any more; None says that it was none."""
        if self._access is None or outcome is None:
            return
        invocation, now = run.delivery.invocation, now_ms()
        due = max(invocation.created, invocation.not_before or 0)
        self._access(
            Ran(
                now / 1000,
                invocation.cid,
                invocation.service,
                invocation.channel,
                outcome,
                max(0, now - run.started),
                max(0, run.started - due),
                run.delivery.attempts + 1,
            )
        )

    def name(self, run: Run, why: str) -> None:
        """Say in the log that a run keeps its slot although nobody waits for it any more, and why."""
        run.named = True
        service = run.delivery.invocation.service
        logger.warning("%s %s; its slot is taken until it ends", service, why, extra=about(run.delivery))
        if run.lane is Lane.THREAD and self.stuck:
            names = ", ".join(sorted({each.delivery.invocation.service for each in self.all(Lane.THREAD)}))
            logger.error(
                "All %d background slots are held by calls nobody waits for any more: %s", self._slots[run.lane], names
            )


def outcome_of(ending: object) -> str | None:
    """Return how a run ended, as the log calls it, or None if it did not even begin."""
    if isinstance(ending, Finish):
        return ending.outcome.status.value
    return "retried" if isinstance(ending, Postpone) and ending.started else None


def call_of(invocation: Invocation, stop: StopSign) -> Call:
    """Return the call that an accepted invocation becomes when it runs."""
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
        stop=stop,
    )
