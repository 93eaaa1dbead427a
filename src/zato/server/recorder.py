"""How a delivery ended, and the recording of it, until the store has taken it.

Whatever a service returns or raises becomes an operation of the broker here, and each delivery gets
one, or its lease would be kept alive for ever.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from functools import partial

from zato import __version__
from zato.broker.base import Finish, Operation, Postpone
from zato.broker.batcher import Batcher
from zato.core.errors import BrokerUnavailable, PayloadTooLarge, ZatoError
from zato.core.invocation import Delivery, ErrorInfo, Failure, Outcome, Status
from zato.core.payload import encode
from zato.server.failures import (
    MAX_TEXT_OF_AN_ATTEMPT,
    describe,
    log_failure,
    message_of,
    process_died,
    unrecordable,
)
from zato.server.holdings import Holding, Holdings, about, holding
from zato.server.identity import now_ms
from zato.server.publisher import follow_ups
from zato.server.registry import Services
from zato.server.service import Response

__all__ = ["Ending", "Recorder", "put_off"]

STORE_RETRY = 0.5
PUT_OFF = 1.0

Ending = Operation[bool]

logger = logging.getLogger("zato.server")


class Recorder:
    """Records the endings of one worker's deliveries."""

    def __init__(
        self,
        server: str,
        batcher: Batcher,
        services: Services,
        holdings: Holdings,
        *,
        max_stored: int,
        caught_up: Callable[[], None],
        wall: Callable[[], int] = now_ms,
    ) -> None:
        """Take the server's name and what the recorder works with.

        Args:
            max_stored: the most bytes a response may have.
            caught_up: called when everything that waited for the store is recorded.
            wall: tells Unix time in milliseconds.
        """
        self._server = server
        self._batcher = batcher
        self._services = services
        self._holdings = holdings
        self._max_stored = max_stored
        self._caught_up = caught_up
        self._wall = wall
        self._waiting: dict[Holding, tuple[Delivery, Ending]] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def is_behind(self) -> bool:
        """Whether endings wait in memory for a store that is away."""
        return bool(self._waiting)

    def stored(self, response: Response) -> bytes | None:
        """Return a response as it is recorded; it is encoded where the service ran.

        Raises:
            PayloadTooLarge: it is over `max_stored`.
            NotSerializable: it has no JSON form.
        """
        if response.payload is None:
            return None
        stored = encode(response.payload, what="response", allow_nan=False)
        if len(stored) > self._max_stored:
            raise PayloadTooLarge(
                f"The response is {len(stored)} bytes; the most that is stored is {self._max_stored} "
                "(setting max_stored)."
            )
        return stored

    def done(self, delivery: Delivery, response: bytes | None, started: int) -> Ending:
        """Return the ending of a delivery whose service returned."""
        try:
            return self._finish(delivery, self._outcome(delivery, Status.DONE, started, response=response))
        except Exception as fault:
            return self._unrecordable(delivery, fault, started)

    def failed(self, delivery: Delivery, error: BaseException, started: int) -> Ending:
        """Return the ending of a delivery whose service raised: another attempt, or the outcome."""
        try:
            return self._failed(delivery, error, started)
        except BaseException as fault:
            # The error is foreign, and so is its code that has just run.
            return self._unrecordable(delivery, fault, started)

    def given_up(self, delivery: Delivery) -> Ending:
        """Return the ending of a delivery that lost its process too often, and is not run."""
        error = process_died(delivery.takeovers)
        logger.error("%s is given up: %s", delivery.invocation.service, error.message, extra=about(delivery))
        outcome = Outcome(
            status=Status.FAILED, ended=self._wall(), error=error, attempts=delivery.attempts, server=self._server
        )
        return self._finish(delivery, outcome)

    def record(self, delivery: Delivery, ending: Ending) -> None:
        """Store how a delivery ended, unless it is held no more."""
        if delivery in self._holdings:
            self._batcher.post(ending, partial(self._recorded, delivery, ending))
        else:
            self._settle(delivery)

    async def record_waiting(self) -> None:
        """Try once more, for the last time, to record what the store did not take."""
        for delivery, ending in list(self._waiting.values()):
            with contextlib.suppress(ZatoError):
                await self._batcher.ask(ending)
                self.forget(delivery)

    def forget(self, delivery: Delivery) -> None:
        """Record nothing of a delivery: it is held no more."""
        self._holdings.drop(delivery)
        self._settle(delivery)

    def _recorded(self, delivery: Delivery, ending: Ending, result: object) -> None:
        """Forget a delivery that is recorded. While the store is away, keep its ending."""
        if isinstance(result, BrokerUnavailable):
            self._keep(delivery, ending, result)
            return
        if isinstance(result, Exception) and not _is_last_resort(ending):
            started = ending.outcome.started if isinstance(ending, Finish) else None
            self.record(delivery, self._unrecordable(delivery, result, started))
            return
        if isinstance(result, Exception):
            logger.error("%s has no outcome: %s", delivery.invocation.service, result, extra=about(delivery))
        elif result is False and delivery in self._holdings:
            logger.warning(
                "The outcome of %s was not recorded: it was cancelled, or its lease had ended and it runs elsewhere",
                delivery.invocation.service,
                extra=about(delivery),
            )
        self.forget(delivery)

    def _keep(self, delivery: Delivery, ending: Ending, reason: BrokerUnavailable) -> None:
        if delivery not in self._holdings:
            self._settle(delivery)
            return
        if not self._waiting:
            service = delivery.invocation.service
            logger.error("The outcome of %s waits to be recorded: %s", service, reason, extra=about(delivery))
        self._waiting[holding(delivery)] = (delivery, ending)
        self._loop.call_later(STORE_RETRY, self.record, delivery, ending)

    def _settle(self, delivery: Delivery) -> None:
        """Wait for the store no more on behalf of a delivery; say so if it was the last one."""
        if holding(delivery) in self._waiting:
            del self._waiting[holding(delivery)]
            if not self._waiting:
                logger.info("No outcome waits to be recorded any more")
                self._caught_up()

    def _failed(self, delivery: Delivery, error: BaseException, started: int) -> Ending:
        invocation, attempt = delivery.invocation, delivery.attempts + 1
        log_failure(invocation.service, invocation.cid, invocation.channel, error)
        pause = invocation.retry.pause(attempt, random.random())  # noqa: S311 -- spreads load, guards nothing
        if pause is None or not invocation.retry.covers(error):
            return self._finish(delivery, self._outcome(delivery, Status.FAILED, started, error=describe(error)))
        logger.info(
            "%s is tried again in %.1f s, after %d of %d attempts",
            invocation.service,
            pause,
            attempt,
            invocation.retry.attempts,
            extra=about(delivery),
        )
        return self._postpone(delivery, error, started, pause)

    def _postpone(self, delivery: Delivery, error: BaseException, started: int, pause: float) -> Postpone:
        now, attempt = self._wall(), delivery.attempts + 1
        failure = Failure(
            attempt=attempt,
            started=started,
            ended=now,
            server=self._server,
            error=describe(error, most=MAX_TEXT_OF_AN_ATTEMPT),
        )
        not_before = now + round(pause * 1000)
        return Postpone(delivery.invocation.id, delivery.token, not_before, attempt, failure=failure)

    def _unrecordable(self, delivery: Delivery, fault: BaseException, started: int | None) -> Ending:
        """Return the ending that can always be recorded, for one that cannot."""
        logger.error(
            "How %s ended cannot be recorded: %s: %s",
            delivery.invocation.service,
            type(fault).__name__,
            message_of(fault),
            extra=about(delivery),
        )
        return self._finish(delivery, self._outcome(delivery, Status.FAILED, started, error=unrecordable()))

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
            ended=self._wall(),
            response=response,
            error=error,
            attempts=delivery.attempts + 1,
            started=started,
            server=self._server,
            version=__version__,
        )

    def _finish(self, delivery: Delivery, outcome: Outcome) -> Finish:
        invocation = delivery.invocation
        sent = follow_ups(invocation, outcome, self._services.terms_of)
        return Finish(invocation.id, delivery.token, outcome, sent)


def put_off(delivery: Delivery) -> Ending:
    """Return what has a delivery run in a while that could not be run now."""
    soon = now_ms() + round(PUT_OFF * 1000)
    return Postpone(delivery.invocation.id, delivery.token, soon, delivery.attempts, started=False)


def _is_last_resort(ending: Ending) -> bool:
    return isinstance(ending, Finish) and ending.outcome.error == unrecordable()
