"""What the words of `zato.broker.base` say, in plain Python: the broker that backends are compared with.

Nothing is stored, nothing is fast, and time moves on where the words say so: when something is leased.
Where the words leave a thing open the model says `UNSAID`, and whoever compares asks no more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

import msgspec

from zato.broker.base import (
    Accept,
    AcceptAll,
    Accepted,
    Announce,
    Applied,
    Beat,
    Cancel,
    Clock,
    Find,
    Finish,
    Found,
    Lease,
    Leased,
    Look,
    Operation,
    Postpone,
    Purge,
    Purged,
    Reclaim,
    Release,
)
from zato.broker.cluster import Known, Lock, Pause, Queues, QueueState, Unlock
from zato.core.errors import Conflict
from zato.core.invocation import Delivery, Failure, Holder, Invocation, Lane, Outcome, Record, Status, Terms

__all__ = ["UNSAID", "UNSAID_TIME", "Model"]

# After a start that was put off nobody says which start of those before it a record shows.
UNSAID_TIME: Final = -1
UNSAID: Final = "unsaid"

FAILURES_KEPT = 10


@dataclass(slots=True)
class Call:
    """One accepted call, and what became of it."""

    invocation: Invocation
    not_before: int | None
    expires: int | None
    token: bytes | None = None
    lease_ends: int = 0
    holder: Holder | None = None
    has_started: bool = False
    started: int | None = None
    server: str | None = None
    attempts: int = 0
    takeovers: int = 0
    failures: tuple[Failure, ...] = ()
    outcome: Outcome | None = None

    def is_held_with(self, token: bytes) -> bool:
        """Tell whether this is the current token."""
        return self.outcome is None and self.token == token

    def let_go(self, *, has_started: bool = True) -> None:
        """End the lease; a call that started in it does not expire any more."""
        self.token = self.holder = None
        if has_started:
            self.has_started = True
            self.expires = None

    def is_expired(self, wall: int) -> bool:
        """Tell whether it is too late to start."""
        return self.is_free() and self.expires is not None and self.expires <= wall

    def is_free(self) -> bool:
        """Tell whether it has neither an outcome nor a holder."""
        return self.outcome is None and self.token is None


@dataclass(slots=True)
class Model:
    """A broker of dictionaries.

    Attributes:
        calls: every call that is kept, by id, in the order of acceptance.
        keys: idempotency keys, and the id of the call that used each first.
        services: what was announced last.
        terms: what the classes of some of these say.
        paused: the queues of which nothing is leased.
        locks: the token that holds each, and until when.
        lock_holders: the process that took each.
        remembers: whether services that were announced once stay known.
        known: those that are.
    """

    clock: Clock
    remembers: bool = False
    known: dict[str, Terms] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    services: Mapping[str, Lane] = field(default_factory=dict)
    terms: Mapping[str, Terms] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    locks: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    lock_holders: dict[str, Holder | None] = field(default_factory=dict)
    _ended: list[str] = field(default_factory=list)

    def apply(self, operation: Operation[Any]) -> Applied:
        """Carry out one operation. `ready` is whether workers must be told to look."""
        self._ended = []
        before = self._offered()
        try:
            result = self._actions[type(operation)](self, operation)
        except Conflict as refusal:
            result = refusal
        ready = not isinstance(operation, Lease) and not self._offered() <= before
        return Applied(results=[result], ready=ready, ended=self._ended)

    def restart_machine(self) -> None:
        """End every lease: no holder survives the machine."""
        self._take_away(call for call in self.calls.values() if call.token is not None)
        self.locks = {}

    def unended(self) -> list[str]:
        """Return the ids of the calls that have no outcome."""
        return [call.invocation.id for call in self._open_calls()]

    def moments(self) -> list[int]:
        """Return in how many milliseconds each time comes that is named anywhere, whether it matters or not."""
        wall, boot = self.clock.wall(), self.clock.boot()
        walls = {
            time
            for call in self._open_calls()
            for time in (call.not_before, call.invocation.not_before, call.invocation.expires)
            if time is not None
        }
        ends = [call.lease_ends - boot for call in self._open_calls() if call.token is not None]
        return [time for time in (*(time - wall for time in sorted(walls)), *ends) if time > 0]

    def record(self, call: Call) -> Record:
        """Return everything that is known of a call."""
        outcome = call.outcome
        running = call.token is not None
        same_cid = [each for each in self.calls.values() if each.invocation.cid == call.invocation.cid]
        return Record(
            invocation=call.invocation,
            status=self._status(call),
            attempts=outcome.attempts if outcome else call.attempts + running,
            takeovers=call.takeovers,
            started=outcome.started if outcome else call.started,
            server=outcome.server if outcome else call.server if running else None,
            not_before=call.invocation.not_before if outcome else call.not_before,
            outcome=outcome,
            cid_count=len(same_cid),
            failures=call.failures,
        )

    def _open_calls(self) -> list[Call]:
        return [call for call in self.calls.values() if call.outcome is None]

    def _status(self, call: Call) -> Status:
        if call.outcome is not None:
            return call.outcome.status
        if call.token is not None:
            return Status.RUNNING
        if call.not_before is not None:
            return Status.DELAYED
        return Status.WAITING if call.invocation.service in self.services else Status.STRANDED

    def _offered(self) -> set[tuple[str, Lane]]:
        """Return what can be leased now, or as soon as its time has come."""
        return {
            (call.invocation.id, self.services[call.invocation.service])
            for call in self.calls.values()
            if self._is_offered(call)
        }

    def _is_offered(self, call: Call) -> bool:
        service, queue = call.invocation.service, call.invocation.queue
        if not call.is_free() or service not in self.services or queue in self.paused:
            return False
        return self._has_room(service)

    def _has_room(self, service: str) -> bool:
        most = self.terms.get(service, Terms()).max_concurrency
        running = [call for call in self._open_calls() if call.token is not None and call.invocation.service == service]
        return most is None or len(running) < most

    def _held(self, call_id: str, token: bytes) -> Call | None:
        call = self.calls.get(call_id)
        return call if call is not None and call.is_held_with(token) else None

    def _accept(self, operation: Accept) -> Accepted:
        call = operation.invocation
        if call.idempotency_key in self.keys:
            first = self.calls[self.keys[call.idempotency_key]].invocation
            if (first.service, first.payload) != (call.service, call.payload):
                raise Conflict("used for something else")
            return Accepted(first.id, first.cid)
        self._store(call)
        return Accepted(call.id, call.cid)

    def _accept_all(self, operation: AcceptAll) -> list[Accepted]:
        calls, keys = dict(self.calls), dict(self.keys)
        try:
            return [self._accept(Accept(call)) for call in operation.invocations]
        except Conflict:
            self.calls, self.keys = calls, keys
            raise

    def _store(self, call: Invocation) -> None:
        self.calls[call.id] = Call(call, call.not_before, call.expires)
        if call.idempotency_key is not None:
            self.keys[call.idempotency_key] = call.id

    def _lease(self, operation: Lease) -> Leased:
        wall, boot = self.clock.wall(), self.clock.boot()
        self._move_time_on(operation, wall, boot)
        deliveries: list[Delivery] = []
        for lane, limit in operation.limits.items():
            before = len(deliveries)
            for call in self._ready(lane):
                if len(deliveries) - before >= limit or not self._has_room(call.invocation.service):
                    continue
                call.token, call.holder = operation.token, operation.holder
                call.lease_ends = boot + int(operation.seconds * 1000)
                call.started, call.server = wall, operation.holder.server
                deliveries.append(_delivery(call, operation.token))
        return Leased(deliveries, self._next_in(wall, boot))

    def _move_time_on(self, operation: Lease, wall: int, boot: int) -> None:
        if self._with_ended_lease(boot):
            self._beat(Beat(operation.holdings, operation.seconds))
        self._take_away(self._with_ended_lease(boot))
        for call in self._open_calls():
            if call.not_before is not None and call.not_before <= wall:
                call.not_before = None
            if call.is_expired(wall):
                self._end(call, Outcome(status=Status.EXPIRED, ended=wall, attempts=call.attempts))

    def _with_ended_lease(self, boot: int) -> list[Call]:
        return [call for call in self._open_calls() if call.token is not None and call.lease_ends <= boot]

    def _take_away(self, calls: Iterable[Call]) -> int:
        taken = list(calls)
        for call in taken:
            call.let_go()
            call.takeovers += 1
        return len(taken)

    def _ready(self, lane: Lane) -> list[Call]:
        ready = [
            call
            for call in self.calls.values()
            if self._is_offered(call) and call.not_before is None and self.services[call.invocation.service] is lane
        ]
        return sorted(ready, key=lambda call: call.invocation.priority)

    def _next_in(self, wall: int, boot: int) -> float | None:
        """Return the seconds until time first changes something."""
        moments = [call.lease_ends - boot for call in self._open_calls() if call.token is not None]
        for call in self.calls.values():
            if call.is_free():
                moments += [time - wall for time in (call.not_before, call.expires) if time is not None]
        return min(moments) / 1000 if moments else None

    def _beat(self, operation: Beat) -> list[str]:
        lost = []
        for call_id, token in operation.holdings:
            call = self._held(call_id, token)
            if call is None:
                lost.append(call_id)
            else:
                call.lease_ends = self.clock.boot() + int(operation.seconds * 1000)
        return lost

    def _finish(self, operation: Finish) -> bool:
        call = self._held(operation.id, operation.token)
        if call is None:
            return False
        self._end(call, operation.outcome)
        for follow_up in operation.follow_ups:
            self._store(follow_up)
        return True

    def _end(self, call: Call, outcome: Outcome) -> None:
        call.outcome = outcome
        call.token = call.holder = None
        self._ended.append(call.invocation.id)

    def _postpone(self, operation: Postpone) -> bool:
        call = self._held(operation.id, operation.token)
        if call is None:
            return False
        call.not_before = operation.not_before
        call.let_go(has_started=operation.started)
        if operation.started:
            call.attempts = operation.attempts
        elif call.has_started:
            call.started, call.server = UNSAID_TIME, UNSAID
        else:
            call.started = call.server = None
        if operation.failure is not None:
            call.failures = (*call.failures, operation.failure)[-FAILURES_KEPT:]
        return True

    def _release(self, operation: Release) -> bool:
        call = self._held(operation.id, operation.token)
        if call is None:
            return False
        call.let_go()
        return True

    def _reclaim(self, operation: Reclaim) -> int:
        dead = [name for name, holder in self.lock_holders.items() if _is_dead(holder, operation.holder)]
        for name in dead:
            del self.lock_holders[name]
            self.locks.pop(name, None)
        return self._take_away(call for call in self._open_calls() if _is_dead(call.holder, operation.holder))

    def _announce(self, operation: Announce) -> list[str]:
        kept = self.services if operation.only_add else {}
        terms = {service: operation.terms.get(service, Terms()) for service in operation.services}
        self.terms = {**(self.terms if operation.only_add else {}), **terms}
        self.services = {**kept, **operation.services}
        self.known = {**(self.known if self.remembers else {}), **self.terms}
        return sorted(self.services.keys() - operation.services.keys())

    def _known(self, operation: Known) -> Mapping[str, Terms]:
        return {service: self.known[service] for service in operation.services if service in self.known}

    def _pause(self, operation: Pause) -> bool:
        before = operation.queue in self.paused
        (self.paused.add if operation.paused else self.paused.discard)(operation.queue)
        return before is not operation.paused

    def _queues(self, _: Queues) -> list[QueueState]:
        names = {call.invocation.queue for call in self._open_calls()} | self.paused
        return [self._queue(name) for name in sorted(names)]

    def _queue(self, name: str) -> QueueState:
        calls = [call for call in self._open_calls() if call.invocation.queue == name]
        counts = Counter(self._status(call) for call in calls)
        waiting = [call.invocation.created for call in calls if self._status(call) is Status.WAITING]
        return QueueState(
            name=name,
            paused=name in self.paused,
            waiting=counts[Status.WAITING],
            delayed=counts[Status.DELAYED],
            running=counts[Status.RUNNING],
            stranded=counts[Status.STRANDED],
            oldest=waiting[0] if waiting else None,
        )

    def _lock(self, operation: Lock) -> bool:
        boot = self.clock.boot()
        if operation.name in self.locks and self.locks[operation.name][1] > boot:
            return False
        self.locks[operation.name] = (operation.token, boot + int(operation.seconds * 1000))
        self.lock_holders[operation.name] = operation.holder
        return True

    def _unlock(self, operation: Unlock) -> bool:
        token, ends = self.locks.get(operation.name, (None, 0))
        if token != operation.token or ends <= self.clock.boot():
            return False
        del self.locks[operation.name]
        return True

    def _look(self, operation: Look) -> Record | None:
        if operation.id is not None:
            call = self.calls.get(operation.id)
        else:
            same = [call for call in self.calls.values() if call.invocation.cid == operation.cid]
            call = same[-1] if same else None
        return None if call is None else self.record(call)

    def _cancel(self, operation: Cancel) -> bool:
        call = self.calls.get(operation.id)
        if call is None or call.outcome is not None:
            return False
        made = call.attempts + (call.token is not None)
        known = {"attempts": made, "started": call.started, "server": call.server or operation.outcome.server}
        self._end(call, msgspec.structs.replace(operation.outcome, **known))
        return True

    def _purge(self, operation: Purge) -> Purged:
        before = self.clock.wall() - int(operation.retention * 1000)
        old = [call for call in self.calls.values() if call.outcome is not None and call.outcome.ended < before]
        slice_ = sorted(old, key=lambda call: call.outcome.ended if call.outcome else 0)[: operation.limit]
        for call in slice_:
            del self.calls[call.invocation.id]
            if call.invocation.idempotency_key is not None:
                del self.keys[call.invocation.idempotency_key]
        return Purged(len(slice_), more=len(slice_) < len(old))

    def _find(self, operation: Find) -> Found:
        """Return all pages in one."""
        records = [_without_content(self.record(call)) for call in reversed(self.calls.values())]
        return Found([record for record in records if _is_asked_for(record, operation)], None)

    _actions: ClassVar[Mapping[type[Operation[Any]], Callable[[Any, Any], object]]] = {
        Accept: _accept,
        AcceptAll: _accept_all,
        Announce: _announce,
        Beat: _beat,
        Cancel: _cancel,
        Find: _find,
        Finish: _finish,
        Known: _known,
        Lease: _lease,
        Lock: _lock,
        Look: _look,
        Pause: _pause,
        Postpone: _postpone,
        Purge: _purge,
        Queues: _queues,
        Reclaim: _reclaim,
        Release: _release,
        Unlock: _unlock,
    }


def _is_dead(holder: Holder | None, now: Holder) -> bool:
    """Tell whether a process that starts knows that a holder is no more."""
    if holder is None or holder.server != now.server:
        return False
    return holder.run != now.run or holder.worker == now.worker


def _delivery(call: Call, token: bytes) -> Delivery:
    return Delivery(invocation=call.invocation, token=token, attempts=call.attempts, takeovers=call.takeovers)


def _without_content(record: Record) -> Record:
    outcome = record.outcome
    return replace(
        record,
        invocation=msgspec.structs.replace(record.invocation, payload=b""),
        outcome=None if outcome is None else msgspec.structs.replace(outcome, response=None),
    )


def _is_asked_for(record: Record, asked: Find) -> bool:
    call = record.invocation
    return (
        asked.status in {None, record.status}
        and asked.service in {None, call.service}
        and asked.parent in {None, call.parent}
        and asked.cid in {None, call.cid}
        and (asked.since is None or call.created >= asked.since)
        and (asked.until is None or call.created < asked.until)
    )
