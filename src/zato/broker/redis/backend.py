"""The broker of a cluster. The data model stands in `model.lua`, the promises in `zato.broker.base`.

A batch is one message to Redis and one back: operations of one kind that stand together are one run of a script,
and each run is all or nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from zato.broker.audit import Note
from zato.broker.base import (
    Accept,
    AcceptAll,
    Announce,
    Applied,
    Cancel,
    Clock,
    Finish,
    Lease,
    Operation,
    Unconfirmed,
    Unstorable,
)
from zato.broker.cluster import Attend, Drain, Leave, Pause
from zato.broker.documents import Forget, ForgetAll, Keep
from zato.broker.open import Location
from zato.broker.redis.parked import Parked
from zato.broker.redis.questions import READ_ONLY, Question, question_of
from zato.broker.redis.wire import Ask, Refused, Wire
from zato.core.errors import BrokerUnavailable, EnvironmentFault

__all__ = ["RedisBackend"]

# What has to be as sure as the settings want it when `apply` returns.
DURABLE = (Accept, AcceptAll, Finish, Cancel, Announce, Pause, Drain, Keep, Forget, ForgetAll, Note)
# One run of a script takes so much at most: Redis does nothing else meanwhile.
MOST_TOGETHER = 100
MOST_BYTES = 4_000_000
# One message has so many bytes at most, beyond one run of any size.
MOST_AT_ONCE = 32_000_000


@dataclass(frozen=True, slots=True)
class _Place:
    """A question, which operation of the batch it is for, and how many bytes it has."""

    position: int
    question: Question
    size: int


class RedisBackend:
    """Keeps every promise of `zato.broker.base` in a Redis. Used from one thread only."""

    def __init__(self, location: Location, clock: Clock, *, tells_time: bool = False, reads_only: bool = False) -> None:
        """Connect.

        Args:
            location: where Redis is, and how sure it has to be.
            clock: of this machine. What waits, and leases, look at the clock of Redis.
            tells_time: take both times from `clock`: for tests.
            reads_only: refuse everything that changes something.

        Raises:
            EnvironmentFault: Redis cannot be reached, is too old, or keeps something else under our name.
            InvalidSetting: the URL is not understood.
        """
        self._reads_only = reads_only
        self._wire = Wire(location, clock, tells_time=tells_time)
        try:
            self._wire.open()
        except BrokerUnavailable as error:
            raise EnvironmentFault(f"{error} Check the setting 'broker'.") from error
        self._parked = Parked(location.cluster)
        if not reads_only:
            self._parked.tell(self._wire.parked)

    def apply(self, batch: Sequence[Operation[Any]]) -> Applied:
        """Carry out operations in order. See `zato.broker.base.Backend`."""
        applied = Applied(results=[None] * len(batch))
        messages = list(_messages(_runs(self._places(batch, applied.results))))
        if messages:
            try:
                self._send(messages[0], batch, applied)
            except EnvironmentFault as error:
                # Another Redis answers now, and cannot be used.
                raise BrokerUnavailable(str(error)) from error
            self._send_more(messages[1:], batch, applied)
        for operation, result in zip(batch, applied.results, strict=True):
            if isinstance(operation, Announce) and not isinstance(result, Exception):
                self._wire.repeat_when_connected(operation)
            elif isinstance(operation, Leave):
                self._wire.repeat_no_more(operation.holder.server)
        return applied

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()

    def _places(self, batch: Sequence[Operation[Any]], results: list[object]) -> Iterator[_Place]:
        """Yield what is asked for each operation that has a stored form; the others are refused."""
        for position, operation in enumerate(batch):
            if self._reads_only and not isinstance(operation, READ_ONLY):
                what = type(operation).__name__
                results[position] = Unstorable(f"{what} is nothing for a connection that only reads.")
                continue
            try:
                question = question_of(operation)
            except Exception as error:
                results[position] = Unstorable.because(error)
            else:
                yield _Place(position, question, question.size)

    def _send_more(
        self, messages: Sequence[Sequence[list[_Place]]], batch: Sequence[Operation[Any]], applied: Applied
    ) -> None:
        """Send what follows something that was stored: if Redis is away now, the rest alone is refused."""
        away: Exception | None = None
        for runs in messages:
            try:
                if away is None:
                    self._send(runs, batch, applied)
            except (BrokerUnavailable, EnvironmentFault) as error:
                away = BrokerUnavailable(str(error))
            if away is not None:
                for run in runs:
                    for place in run:
                        applied.results[place.position] = away

    def _send(self, runs: Sequence[list[_Place]], batch: Sequence[Operation[Any]], applied: Applied) -> None:
        operations = [batch[place.position] for run in runs for place in run]
        is_durable = any(isinstance(operation, DURABLE) for operation in operations)
        replies, doubt = self._wire.ask([_ask(run) for run in runs], operations, confirm=is_durable)
        for run, reply in zip(runs, replies, strict=True):
            if not isinstance(reply, Refused):
                self._take(run, reply, applied)
                self._notice(batch[run[0].position], reply[0])
            elif len(run) == 1:
                applied.results[run[0].position] = reply.error
            else:
                # One that cannot be stored fails alone.
                self._send_more([[[place] for place in run]], batch, applied)
        if doubt:
            _doubt(applied.results, batch, (place.position for run in runs for place in run), doubt)

    def _take(self, run: Sequence[_Place], reply: Any, applied: Applied) -> None:
        """Read what a script returned for its operations."""
        result, ready, ended = reply
        applied.ready = applied.ready or bool(ready)
        applied.ended += [call_id.decode() for call_id in ended]
        for at, place in enumerate(run):
            each = result[at] if place.question.together else result
            applied.results[place.position] = self._answered(place.question, each)

    def _notice(self, operation: Operation[Any], result: Any) -> None:
        """See to what an answer says beside what was asked for."""
        if isinstance(operation, Lease) and result[2]:
            self._parked.tell(result[2])
        elif isinstance(operation, Attend) and result[2]:
            with suppress(BrokerUnavailable, EnvironmentFault):
                self._wire.repeat(result[2].decode())

    def _answered(self, question: Question, reply: Any) -> object:
        try:
            answer = question.answer(reply)
            while isinstance(answer, Question):
                ((raw,), _) = self._wire.ask([Ask(answer.script, [*answer.first, *answer.each])], [], confirm=False)
                answer = raw.error if isinstance(raw, Refused) else answer.answer(raw[0])
        except BrokerUnavailable as refusal:
            return refusal
        except Exception as error:
            unreadable = BrokerUnavailable(f"What Redis answered cannot be read: {type(error).__name__}: {error}")
            unreadable.__cause__ = error
            return unreadable
        return answer


def _runs(places: Iterable[_Place]) -> Iterator[list[_Place]]:
    """Put together what stands together, and what one run of a script may carry out."""
    run: list[_Place] = []
    size = 0
    for place in places:
        fits = (
            run
            and run[0].question.together
            and place.question.together
            and place.question.script == run[0].question.script
            and len(run) < MOST_TOGETHER
            and size + place.size <= MOST_BYTES
        )
        if run and not fits:
            yield run
            run, size = [], 0
        run.append(place)
        size += place.size
    if run:
        yield run


def _messages(runs: Iterable[list[_Place]]) -> Iterator[list[list[_Place]]]:
    """Put together what goes to Redis at once."""
    message: list[list[_Place]] = []
    size = 0
    for run in runs:
        length = sum(place.size for place in run)
        if message and size + length > MOST_AT_ONCE:
            yield message
            message, size = [], 0
        message.append(run)
        size += length
    if message:
        yield message


def _ask(run: Sequence[_Place]) -> Ask:
    first = run[0].question
    return Ask(first.script, [*first.first, *(argument for place in run for argument in place.question.each)])


def _doubt(
    results: list[object], batch: Sequence[Operation[Any]], positions: Iterable[int], doubt: Unconfirmed
) -> None:
    """Refuse what was stored, and is not as sure as the settings want it."""
    for position in positions:
        if isinstance(batch[position], Accept | AcceptAll) and not isinstance(results[position], Exception):
            results[position] = doubt
