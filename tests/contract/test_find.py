"""Lists of calls: what `Find` finds, in which order and in which pages; and the connection that lists are read on."""

import itertools
import threading
from contextlib import closing
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.calls import HOLDER, START, TOKEN, accept, ask, call_id, finish, lease_all, look, make_call
from tests.contract.stores import Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Accept, Applied, Backend, Cancel, Find, Found, Lease, Look, Purge, Unstorable
from zato.core.invocation import Lane, Outcome, Record, Status

CALLS = 24
SERVICES = ("crm.sync", "crm.answer", "unknown")
FILTERS: dict[str, list[Any]] = {
    "status": [None, *Status],
    "service": [None, "crm.sync", "unknown", "nobody"],
    "parent": [None, "p1", "nobody"],
    "since": [None, START + 5],
    "until": [None, START + 9],
    "cid": [None, "c-even"],
}


def _populate(backend: Backend, clock: TurnableClock) -> None:
    """Bring calls into every state, with times of acceptance that do not follow their order."""
    for number in range(CALLS):
        accept(
            backend,
            make_call(
                number,
                cid=f"c{number}" if number % 2 else "c-even",
                service=SERVICES[number % 3],
                parent=(None, "p1", "p2", None)[number % 4],
                created=START + number * 7 % 13,
                not_before=START + 99_000 if number % 6 == 1 else None,
                expires=START + 1 if number == 22 else None,
            ),
        )
    lease_all(backend, limits={Lane.THREAD: 7})
    for number, status in ((0, Status.DONE), (3, Status.FAILED), (4, Status.DONE), (6, Status.FAILED)):
        finish(backend, number, status=status)
    ask(backend, Cancel(call_id(9), Outcome(status=Status.CANCELLED, ended=START)))
    clock.turn(1)
    lease_all(backend, limits={})


def _numbers(found: Found) -> list[int]:
    return [int(record.invocation.id) for record in found.records]


def _fits(record: Record, *, since: int | None, until: int | None, status: Status | None, **fields: str | None) -> bool:
    call = record.invocation
    return (
        status in (None, record.status)
        and (since is None or call.created >= since)
        and (until is None or call.created < until)
        and all(value is None or getattr(call, name) == value for name, value in fields.items())
    )


def test_every_combination_of_filters(backend: Backend, reader: Backend, clock: TurnableClock) -> None:
    """A list has exactly the calls whose own records fit, newest first, on either connection."""
    _populate(backend, clock)
    records = [look(backend, number) for number in reversed(range(CALLS))]
    assert {record.status for record in records} == set(Status)
    wrong = []
    for values in itertools.product(*FILTERS.values()):
        wanted = dict(zip(FILTERS, values, strict=True))
        expected = [int(record.invocation.id) for record in records if _fits(record, **wanted)]
        if [_numbers(ask(each, Find(**wanted))) for each in (backend, reader)] != [expected] * 2:
            wrong.append(wanted)

    assert wrong == []


def test_listed_records_are_those_of_a_look_without_what_is_large(backend: Backend, clock: TurnableClock) -> None:
    """Payload, response and failed attempts are for those who look at one call; all else is there."""
    _populate(backend, clock)
    expected = []
    for number in reversed(range(CALLS)):
        record = look(backend, number)
        outcome = record.outcome and msgspec.structs.replace(record.outcome, response=None)
        call = msgspec.structs.replace(record.invocation, payload=b"")
        expected.append(replace(record, invocation=call, outcome=outcome, failures=()))

    assert ask(backend, Find()) == Found(expected, None)
    assert {record.cid_count for record in expected} == {1, CALLS // 2}


@pytest.mark.parametrize("filters", [{}, {"service": "crm.sync"}, {"status": Status.WAITING}], ids=str)
@pytest.mark.parametrize("limit", [1, 3, 24, 25])
def test_pages_follow_each_other(backend: Backend, clock: TurnableClock, limit: int, filters: dict[str, Any]) -> None:
    """Page after page gives everything once and in order, full pages first, and the last one says so."""
    _populate(backend, clock)
    whole = _numbers(ask(backend, Find(**filters)))
    pages = [ask(backend, Find(limit=limit, **filters))]
    while pages[-1].cursor is not None:
        pages.append(ask(backend, Find(limit=limit, cursor=pages[-1].cursor, **filters)))

    assert [number for page in pages for number in _numbers(page)] == whole
    assert {len(page.records) for page in pages[:-1]} <= {limit}
    assert pages[-1].records


def test_what_is_accepted_meanwhile_moves_no_page(backend: Backend) -> None:
    """Whoever turns pages sees no call twice, however many arrive."""
    accept(backend, *(make_call(number) for number in range(4)))
    first = ask(backend, Find(limit=2))
    accept(backend, *(make_call(number) for number in range(4, 8)))

    assert _numbers(first) == [3, 2]
    assert _numbers(ask(backend, Find(limit=2, cursor=first.cursor))) == [1, 0]


def test_an_empty_store_has_an_empty_list(backend: Backend, reader: Backend) -> None:
    """Nothing found is no error."""
    assert [ask(each, Find()) for each in (backend, reader)] == [Found([], None)] * 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.lists(st.sampled_from(["c", "p", "é", ""]), max_size=8), st.sampled_from(["c", "é", ""]))
def test_texts_are_compared_as_they_are(store: Store, cids: list[str], wanted: str) -> None:
    """No text has a meaning of its own in a filter, not even the empty one."""
    clock = TurnableClock()
    with closing(store.fresh().open(clock)) as backend:
        accept(backend, *(make_call(number, cid=cid, parent=cid) for number, cid in enumerate(cids)))
        found = [_numbers(ask(backend, find)) for find in (Find(cid=wanted), Find(parent=wanted))]

    assert found == [[number for number, cid in reversed(list(enumerate(cids))) if cid == wanted]] * 2


def test_a_reader_sees_what_was_accepted_before_it_was_asked(backend: Backend, reader: Backend) -> None:
    """Look after look, a second connection is never behind the first one."""
    seen = []
    for number in range(20):
        accept(backend, make_call(number))
        seen.append((ask(reader, Look(id=call_id(number))), len(ask(reader, Find()).records)))

    assert seen == [(look(backend, number), number + 1) for number in range(20)]


def test_a_reader_works_on_a_thread_of_its_own(backend: Backend, reader: Backend) -> None:
    """While one thread writes, another reads, and what it reads is whole."""
    counts: list[int] = []
    written = threading.Event()

    def read() -> None:
        while not written.is_set() or not counts:
            found = ask(reader, Find(limit=1000))
            assert _numbers(found) == list(reversed(range(len(found.records))))
            counts.append(len(found.records))
        counts.append(len(ask(reader, Find(limit=1000)).records))

    thread = threading.Thread(target=read)
    thread.start()
    for start in range(0, 200, 10):
        accept(backend, *(make_call(number) for number in range(start, start + 10)))
    written.set()
    thread.join()

    assert (counts == sorted(counts), counts[-1]) == (True, 200)
    assert all(count % 10 == 0 for count in counts)


def test_a_reader_writes_nothing(backend: Backend, reader: Backend) -> None:
    """Whatever else it is asked for is refused, beside what it answers."""
    lease = Lease(holder=HOLDER, limits={Lane.THREAD: 1}, token=TOKEN, seconds=15)
    accept(backend, make_call(1))

    applied = reader.apply([Accept(make_call(2)), lease, Purge(0), Look(id=call_id(1))])

    assert [type(result) for result in applied.results] == [Unstorable, Unstorable, Unstorable, Record]
    assert (look(backend).status, ask(backend, Look(id=call_id(2)))) == (Status.WAITING, None)
    assert applied == Applied(results=applied.results)


@pytest.mark.parametrize("find", [Find(cid="caf\udce9"), Find(service="caf\udce9"), Look(cid="caf\udce9")], ids=str)
def test_a_text_that_nothing_can_be_called_finds_nothing_else(backend: Backend, reader: Backend, find: Any) -> None:
    """A question that has no stored form is refused alone."""
    accept(backend, make_call(1))

    for each in (backend, reader):
        refused, answered = each.apply([find, Look(id=call_id(1))]).results
        assert (type(refused), type(answered)) == (Unstorable, Record)


def test_two_backends_share_one_store(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """What one process accepts another one runs, and both know how it ended; nothing is leased twice."""
    accept(backend, *(make_call(number) for number in range(40)))
    with closing(store.open(clock)) as second:
        leased = [lease_all(each, limits={Lane.THREAD: 5}).deliveries for _ in range(4) for each in (backend, second)]
        ids = [delivery.invocation.id for deliveries in leased for delivery in deliveries]
        ended = [finish(second if number % 2 else backend, number) for number in range(40)]

        assert sorted(ids) == [call_id(number) for number in range(40)]
        assert all(ended)
        assert {look(each, number).status for each in (backend, second) for number in range(40)} == {Status.DONE}
