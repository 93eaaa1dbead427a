"""Everything that can happen to a broker, in any order: a backend and the model are asked the same.

The rules know no backend. `test_state_machine.py` drives backends with them, `seeded_faults.py` broken ones.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.contract.calls import call_id
from tests.contract.comparing import compare, compare_records, insist, pages
from tests.contract.model import Model
from tests.contract.queue_rules import QUEUES, QueueRules
from tests.contract.stores import Store
from tests.contract.wishes import (
    ALL,
    ANY,
    BY,
    CIDS,
    DEPLOYED,
    HOLD,
    HOLDER,
    HOLDERS,
    LEASED_BY,
    LIMITS,
    NOTHING_MORE,
    PAUSES,
    ROOM,
    SECONDS,
    SERVER,
    SOMETIMES,
    TERMS,
    WISHES,
)
from tests.support.clocks import TurnableClock
from zato.broker.base import (
    Accept,
    Announce,
    Applied,
    Beat,
    Cancel,
    Find,
    Finish,
    Found,
    Lease,
    Look,
    Operation,
    Postpone,
    Purge,
    Reclaim,
    Release,
)
from zato.broker.cluster import Pause, Queues
from zato.core.invocation import ErrorInfo, Failure, Holder, Invocation, Lane, Outcome, Status, Terms

__all__ = ["machine_of"]

BATCH = 5
DAY = 86_400

Item = TypeVar("Item")
Taker = tuple[Holder, Mapping[Lane, int]]


class BrokerMachine(QueueRules):
    """A backend, a model, and those who hold deliveries of it.

    Every rule asks both. `held back` operations wait for the next ones, so that batches of one to five are made.
    """

    def __init__(self, store: Store) -> None:
        """Take an empty store."""
        super().__init__()
        self.store = store
        self.clock = TurnableClock()
        self.model = Model(self.clock, remembers=store.is_shared)
        self.backend = store.open(self.clock)
        self.batch: list[tuple[Operation[Any], Applied]] = []
        self.beliefs: dict[Holder, dict[str, bytes]] = {holder: {} for holder in HOLDERS}
        self.delivered: list[tuple[str, bytes]] = []
        self.ended: list[str] = []
        self.calls = self.tokens = self.starts = 0
        self.agrees = True

    # What callers do.

    @initialize(terms=TERMS)
    def begin(self, terms: Mapping[str, Terms]) -> None:
        """Services are there from the beginning."""
        self.ask(Announce(DEPLOYED, terms=terms, server=SERVER))

    @rule(wishes=st.lists(WISHES, min_size=1, max_size=3), leased_by=LEASED_BY)
    def accept(self, wishes: list[dict[str, Any]], leased_by: Taker | None) -> None:
        """Some call, and perhaps a holder is waiting for it."""
        for wish in wishes:
            self.ask(Accept(self.make_call(wish)), hold_back=True)
        self.taken_by(leased_by)

    @rule(wish=WISHES, key=st.sampled_from(("k1", "k2")), hold_back=HOLD)
    def accept_with_key(self, wish: dict[str, Any], key: str, hold_back: bool) -> None:
        """Somebody calls, and perhaps has called before."""
        self.ask(Accept(self.make_call(wish, idempotency_key=key)), hold_back=hold_back)

    @rule(number=ANY, hold_back=HOLD)
    def replay(self, number: int, hold_back: bool) -> None:
        """A call is made again, under a new id."""
        first = pick(list(self.model.calls.values()), number)
        if first is not None:
            call = msgspec.structs.replace(
                first.invocation,
                id=self.next_id(),
                created=self.clock.wall(),
                replay_of=first.invocation.id,
                not_before=None,
                expires=None,
                idempotency_key=None,
            )
            self.ask(Accept(call), hold_back=hold_back)

    @rule(number=ANY, running=st.booleans(), hold_back=HOLD)
    def cancel(self, number: int, running: bool, hold_back: bool) -> None:
        """A call is cancelled: one that runs, one in any state, or one that never was."""
        held = pick(self.held(), number) if running else None
        each = call_id(number % (self.calls + 1)) if held is None else held[1]
        outcome = Outcome(status=Status.CANCELLED, ended=self.clock.wall(), server="door", version="1.2.3")
        self.ask(Cancel(each, outcome), hold_back=hold_back)

    @rule(cid=st.sampled_from((*CIDS, "c4")), hold_back=HOLD)
    def look_by_cid(self, cid: str, hold_back: bool) -> None:
        """Somebody asks how it went."""
        self.ask(Look(cid=cid), hold_back=hold_back)

    @precondition(lambda self: self.model.calls)
    @rule(like=ANY, by=BY, since=SOMETIMES, until=SOMETIMES, limit=st.sampled_from((50, 1, 2)), beside=st.booleans())
    def find(self, like: int, by: tuple[str, ...], limit: int, beside: bool, **between: int | None) -> None:
        """Somebody reads a list of what is like a call to its end, perhaps on a connection that only reads."""
        calls = list(self.model.calls.values())
        one = calls[like % len(calls)].invocation
        status = self.model.record(self.model.calls[one.id]).status
        seen: dict[str, Any] = {"status": status, "service": one.service, "parent": one.parent, "cid": one.cid}
        times = [call.invocation.created for call in calls]
        asked: dict[str, Any] = {name: pick(times, when) for name, when in between.items()}
        operation = Find(**asked, **{name: seen[name] for name in by}, limit=limit)
        self.flush()
        (expected,) = self.model.apply(operation).results
        assert isinstance(expected, Found)
        reader = self.store.reader(self.clock) if beside else None
        try:
            compare_records("Find", pages(reader or self.backend, operation), expected.records)
        finally:
            if reader is not None:
                reader.close()

    # What holders do.

    @rule(holder=HOLDER, limits=LIMITS, seconds=SECONDS, tells=st.booleans(), hold_back=HOLD)
    def lease(self, holder: Holder, limits: Mapping[Lane, int], seconds: float, tells: bool, hold_back: bool) -> None:
        """A holder asks for work, and tells what it has."""
        self.tokens += 1
        token = self.tokens.to_bytes(8, "big")
        holdings = tuple(self.beliefs[holder].items()) if tells else ()
        operation = Lease(holder=holder, limits=limits, token=token, seconds=seconds, holdings=holdings)
        for delivery in self.ask(operation, hold_back=hold_back).deliveries:
            self.beliefs[holder][delivery.invocation.id] = token
            self.delivered.append((delivery.invocation.id, token))

    @precondition(lambda self: self.held())
    @rule(holder=HOLDER, seconds=SECONDS, hold_back=HOLD)
    def beat(self, holder: Holder, seconds: float, hold_back: bool) -> None:
        """A holder says that it lives, and learns of what it lost."""
        held = self.beliefs[holder]
        for lost in self.ask(Beat(tuple(held.items()), seconds), hold_back=hold_back):
            del held[lost]

    @precondition(lambda self: self.held())
    @rule(
        number=ANY,
        status=st.sampled_from((Status.DONE, Status.FAILED)),
        follow_ups=st.lists(WISHES, max_size=2),
        hold_back=HOLD,
    )
    def finish(self, number: int, status: Status, follow_ups: list[dict[str, Any]], hold_back: bool) -> None:
        """A service ended, and others follow."""
        held = self.let_go(number)
        if held is not None:
            calls = tuple(self.make_call(wish) for wish in follow_ups)
            self.ask(Finish(*held, self.outcome(status), calls), hold_back=hold_back)

    @precondition(lambda self: self.held())
    @rule(number=ANY, pause=PAUSES, hold_back=HOLD)
    def fail_and_try_again(self, number: int, pause: int, hold_back: bool) -> None:
        """A service failed, and is to be tried again."""
        held = self.let_go(number)
        if held is not None:
            self.ask(self.postpone(held, pause), hold_back=hold_back)

    @precondition(lambda self: self.held())
    @rule(number=ANY, times=st.sampled_from((2, 12)))
    def fail_often(self, number: int, times: int) -> None:
        """A service fails again and again, and the same holder tries it again at once."""
        held = pick(self.held(), number)
        for _ in range(times):
            if held is not None and self.beliefs[held[0]].get(held[1]) == held[2]:
                del self.beliefs[held[0]][held[1]]
                self.ask(self.postpone(held[1:], 0), hold_back=True)
                self.taken_by((held[0], ROOM))
                held = next((each for each in self.held() if each[:2] == held[:2]), None)

    @precondition(lambda self: self.held())
    @rule(number=ANY, pause=PAUSES, hold_back=HOLD)
    def put_off(self, number: int, pause: int, hold_back: bool) -> None:
        """A holder finds that it cannot run now what it leased; perhaps nobody can for long."""
        held = self.let_go(number)
        if held is not None:
            at = self.clock.wall() + pause * 1000
            self.ask(Postpone(*held, at, self.attempts(held[0]), started=False), hold_back=hold_back)
            self.see_expiry(held[0], number)

    @precondition(lambda self: self.held())
    @rule(number=ANY, hold_back=HOLD)
    def release(self, number: int, hold_back: bool) -> None:
        """A holder stops, and gives back what it has not ended; perhaps nobody takes it for long."""
        held = self.let_go(number)
        if held is not None:
            self.ask(Release(*held), hold_back=hold_back)
            self.see_expiry(held[0], number)

    @precondition(lambda self: self.delivered)
    @rule(number=ANY, what=st.sampled_from(("finish", "postpone", "put off", "release", "beat")), hold_back=HOLD)
    def sleeper(self, number: int, what: str, hold_back: bool) -> None:
        """Somebody uses a token of any earlier time, or one that never was, for a call that runs if there is one."""
        held = pick(self.held(), number)
        call, token = pick([*reversed(self.delivered)], number) or ("", b"")
        if held is not None and number % 2:
            call, token = held[1], pick([b"forged--", *self.tokens_of(held[1])], number) or b""
        at = self.clock.wall()
        operations: dict[str, Operation[Any]] = {
            "finish": Finish(call, token, self.outcome(Status.DONE), (self.make_call(PLAIN),)),
            "postpone": self.postpone((call, token), 1),
            "put off": Postpone(call, token, at, self.attempts(call), started=False),
            "release": Release(call, token),
            "beat": Beat(((call, token),), 15),
        }
        self.ask(operations[what], hold_back=hold_back)

    @precondition(lambda self: self.held())
    @rule(number=ANY, successor=st.sampled_from(("nobody", "same number", "next run")), hold_back=HOLD)
    def kill(self, number: int, successor: str, hold_back: bool) -> None:
        """A holder is killed, and another one starts in its place, or the whole server does, or nobody."""
        holder = (pick(self.held(), number) or (HOLDERS[0],))[0]
        self.beliefs[holder].clear()
        if successor == "same number":
            self.ask(Reclaim(holder), hold_back=hold_back)
        elif successor == "next run":
            self.ask(Reclaim(replace(holder, run="r1" if holder.run == "r2" else "r2")), hold_back=hold_back)

    @rule(retention=st.sampled_from((0, 5, 60)), limit=st.sampled_from((1, 500)), hold_back=HOLD)
    def purge(self, retention: float, limit: int, hold_back: bool) -> None:
        """What ended long ago goes."""
        self.ask(Purge(retention, limit), hold_back=hold_back)

    # What the world does.

    @rule(seconds=st.sampled_from((0.001, 0.499, 1.0, 5.0, 15.0, 60.0)), is_seen=st.booleans(), leased_by=LEASED_BY)
    def turn(self, seconds: float, is_seen: bool, leased_by: Taker | None) -> None:
        """Time passes, and the wall clock shows it, or is set back by as much."""
        self.flush()
        wall = self.clock.wall()
        self.clock.turn(seconds)
        if not is_seen:
            self.clock.set_wall(wall)
        self.taken_by(leased_by)

    @precondition(lambda self: self.model.moments())
    @rule(number=ANY, early=st.sampled_from((0, 0, 1)), leased_by=LEASED_BY)
    def turn_to_a_moment(self, number: int, early: int, leased_by: Taker | None) -> None:
        """Time passes until exactly when something is due, or just not yet."""
        moment = pick(self.model.moments(), number) or 0
        self.turn((moment - early) / 1000, is_seen=True, leased_by=leased_by)

    @rule(seconds=st.sampled_from((-3600, -30, -1, 1, 30, 3600)))
    def set_wall_clock(self, seconds: int) -> None:
        """An operator sets the clock."""
        self.flush()
        self.clock.set_wall(self.clock.wall() + seconds * 1000)

    @rule(machine_restarts=st.sampled_from((False, False, True)))
    def open_again(self, machine_restarts: bool) -> None:
        """Another process has the same store and finds everything in it; after a restart of the machine, unheld."""
        self.flush()
        self.backend.close()
        if machine_restarts and self.store.restarts_with_machine:
            self.starts += 1
            self.clock.restart(f"again-{self.starts}")
            self.beliefs = {holder: {} for holder in HOLDERS}
            self.model.restart_machine()
        self.backend = self.store.open(self.clock)

    # What must hold.

    @invariant()
    def every_record_is_as_it_must_be(self) -> None:
        """Every call that was ever made looks the same in both, also one that was refused, or is gone."""
        if not self.batch and self.agrees:
            looks: list[Operation[Any]] = [Look(id=call_id(number)) for number in range(1, self.calls + 1)]
            self.batch = [(look, self.model.apply(look)) for look in (*looks, Queues())]
            self.flush()

    def teardown(self) -> None:
        """Let everything end that can, and see that it has ended once."""
        try:
            if self.agrees:
                self.flush()
                self.end_everything()
        finally:
            self.backend.close()
            shutil.rmtree(self.store.folder)

    def end_everything(self) -> None:
        """Run every call to its end, by one holder."""
        self.ask(Announce(ALL, server=SERVER))
        for queue in QUEUES:
            self.ask(Pause(queue, paused=False))
        for _ in range(3):
            self.turn(DAY, is_seen=True, leased_by=(HOLDERS[0], ROOM))
            for held in self.beliefs[HOLDERS[0]].items():
                self.ask(Finish(*held, self.outcome(Status.DONE)))
            self.beliefs[HOLDERS[0]].clear()
        self.every_record_is_as_it_must_be()
        insist(self.model.unended() == [], "never ended", self.model.unended(), [])
        insist(len(self.ended) == len(set(self.ended)), "ended", self.ended, "that each ends once")

    # How both are asked.

    def ask(self, operation: Operation[Item], *, hold_back: bool = False) -> Item:
        """Have the model carry out an operation at once, and the backend with its batch. Return the model's result."""
        applied = self.model.apply(operation)
        self.batch.append((operation, applied))
        self.ended += applied.ended
        if not hold_back or len(self.batch) >= BATCH:
            self.flush()
        return cast(Item, applied.results[0])

    def flush(self) -> None:
        """Have the backend carry out what was held back, and compare."""
        batch, self.batch = self.batch, []
        self.agrees = False
        applied = self.backend.apply([operation for operation, _ in batch])
        for (operation, expected), result in zip(batch, applied.results, strict=True):
            compare(operation, result, expected.results[0])
        ended = [each for _, expected in batch for each in expected.ended]
        insist(sorted(applied.ended) == sorted(ended), "ended", applied.ended, ended)
        insist(applied.ready or not any(expected.ready for _, expected in batch), "ready", applied.ready, batch)
        self.agrees = True

    # What rules are made of.

    def next_id(self) -> str:
        """Return an id that no call has."""
        self.calls += 1
        return call_id(self.calls)

    def make_call(self, wish: Mapping[str, Any], **fields: Any) -> Invocation:
        """Return the call that was wished for, now."""
        plain = {name: value for name, value in wish.items() if name not in {"delay", "expiration"}}
        now = self.clock.wall()
        delay, expiration = (wish.get(name) for name in ("delay", "expiration"))
        return Invocation(
            id=self.next_id(),
            created=now,
            not_before=None if delay is None else now + delay * 1000,
            expires=None if expiration is None else now + expiration * 1000,
            **{**plain, **fields},
        )

    def taken_by(self, taker: Taker | None) -> None:
        """Have a holder take what there is, after everything that was held back."""
        if taker is None:
            self.flush()
        else:
            holder, limits = taker
            self.lease(holder, limits, 15.0, tells=True, hold_back=False)

    def see_expiry(self, each: str, number: int) -> None:
        """See what a lease does now, or let time pass until a call would expire and see then, as the number says."""
        expires = self.model.calls[each].invocation.expires if each in self.model.calls else None
        wait = 0 if expires is None else max(0, expires - self.clock.wall())
        if number % 3:
            self.turn((number % 3 - 1) * wait / 1000, is_seen=True, leased_by=(HOLDERS[0], NOTHING_MORE))

    def tokens_of(self, each: str) -> list[bytes]:
        """Return the tokens that a call was ever delivered with."""
        return [token for delivered, token in self.delivered if delivered == each]

    def held(self) -> list[tuple[Holder, str, bytes]]:
        """Return what holders believe to have."""
        return [(holder, *pair) for holder, pairs in self.beliefs.items() for pair in pairs.items()]

    def let_go(self, number: int) -> tuple[str, bytes] | None:
        """Have a holder forget one of its deliveries, and return that."""
        held = pick(self.held(), number)
        if held is None:
            return None
        holder, each, token = held
        del self.beliefs[holder][each]
        return each, token

    def attempts(self, each: str) -> int:
        """Return how often a call was run to an end."""
        call = self.model.calls.get(each)
        return 0 if call is None else call.attempts

    def outcome(self, status: Status) -> Outcome:
        """Return how a service ended now."""
        now = self.clock.wall()
        error = ErrorInfo("error", "ValueError", "No") if status is Status.FAILED else None
        response = None if error else b'"done"'
        return Outcome(
            status=status, ended=now, response=response, error=error, attempts=3, started=now - 1, server="a"
        )

    def postpone(self, held: tuple[str, bytes], pause: int) -> Postpone:
        """Return that an attempt failed now, and when the next one is due."""
        now, attempt = self.clock.wall(), self.attempts(held[0]) + 1
        error = ErrorInfo("error", "ValueError", f"No {self.tokens}")
        failure = Failure(attempt=attempt, started=now - 1, ended=now, server="a", error=error)
        return Postpone(*held, now + pause * 1000, attempt, failure=failure)


def machine_of(store: Store) -> type[BrokerMachine]:
    """Return a machine that takes an empty store of this kind whenever it is made."""

    class Machine(BrokerMachine):
        def __init__(self) -> None:
            super().__init__(store.fresh())

    return Machine


PLAIN = {"service": "crm.sync", "cid": "c1", "payload": b'"x"'}


def pick(items: Sequence[Item], number: int | None) -> Item | None:
    """Return the item of a number, counted round and round, or None if there is no number or no item."""
    return None if number is None or not items else items[number % len(items)]
