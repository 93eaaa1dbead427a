"""The audit: what is appended is found again, and nothing changes it. The same with every backend."""

import itertools
from contextlib import closing
from typing import Any

import pytest

from tests.contract.calls import START, ask
from tests.contract.stores import Store
from tests.support.clocks import TurnableClock
from zato.broker.audit import Note, Noted, Notes
from zato.broker.base import Backend, Purged, Unstorable
from zato.broker.documents import PurgeKept
from zato.core.audit import AuditEntry

FILTERS: dict[str, list[Any]] = {
    "user": [None, "anna", "nobody"],
    "action": [None, "zato.queue.pause"],
    "object": [None, "", "default"],
    "cid": [None, "c-2"],
    "since": [None, START + 5000],
    "until": [None, START + 9000],
}


def _entry(number: int, **fields: Any) -> AuditEntry:
    plain: dict[str, Any] = {"time": START + number * 1000, "user": "anna", "action": "invoke", "cid": f"c-{number}"}
    return AuditEntry(**{**plain, **fields})


def _note(backend: Backend, *numbers: int) -> None:
    backend.apply([Note(_entry(number)) for number in numbers])


def _cids(backend: Backend, **asked: Any) -> list[int]:
    return [int(entry.cid[2:]) for entry in ask(backend, Notes(**asked)).entries]


def test_an_entry_is_found_as_it_was_noted(backend: Backend, reader: Backend) -> None:
    """With all that it says, on either connection."""
    entry = AuditEntry(
        time=START, user="größe", client="10.0.0.7", action="a", object="o\n", cid="c", status="forbidden"
    )
    noted = ask(backend, Note(entry))

    assert noted is None
    assert [ask(each, Notes()) for each in (backend, reader)] == [Noted([entry], None)] * 2


def test_an_empty_audit_has_an_empty_page(backend: Backend, reader: Backend) -> None:
    """Nothing noted is no error."""
    assert [ask(each, Notes()) for each in (backend, reader)] == [Noted([], None)] * 2


def test_what_was_noted_last_comes_first(backend: Backend) -> None:
    """Whatever its own time says; the same entry may come twice."""
    _note(backend, 3, 1, 2, 2)

    assert _cids(backend) == [2, 2, 1, 3]


def test_every_combination_of_filters(backend: Backend, reader: Backend) -> None:
    """A page has exactly the entries that fit."""
    entries = [
        _entry(
            number * 7 % 13,
            user=("anna", "ben")[number % 2],
            action=("invoke", "zato.queue.pause", "zato.user.create")[number % 3],
            object=("", "default")[number % 5 % 2],
        )
        for number in range(26)
    ]
    backend.apply([Note(entry) for entry in entries])
    wrong = []
    for values in itertools.product(*FILTERS.values()):
        wanted = dict(zip(FILTERS, values, strict=True))
        expected = [entry for entry in reversed(entries) if _fits(entry, **wanted)]
        if [ask(each, Notes(**wanted)).entries for each in (backend, reader)] != [expected] * 2:
            wrong.append(wanted)

    assert wrong == []


def _fits(entry: AuditEntry, *, since: int | None, until: int | None, **fields: str | None) -> bool:
    return (
        (since is None or entry.time >= since)
        and (until is None or entry.time < until)
        and all(value is None or getattr(entry, name) == value for name, value in fields.items())
    )


@pytest.mark.parametrize("filters", [{}, {"user": "anna"}, {"user": "ben"}], ids=str)
@pytest.mark.parametrize("limit", [1, 3, 8, 9])
def test_pages_follow_each_other(backend: Backend, limit: int, filters: dict[str, Any]) -> None:
    """Page after page gives everything once and in order, full pages first, and the last one says so."""
    backend.apply([Note(_entry(number, user=("anna", "ben")[number // 4])) for number in range(8)])
    whole = _cids(backend, **filters)
    pages = [ask(backend, Notes(limit=limit, **filters))]
    while pages[-1].cursor is not None and len(pages) < 99:
        backend.apply([Note(_entry(99))])
        pages.append(ask(backend, Notes(limit=limit, cursor=pages[-1].cursor, **filters)))

    assert [int(entry.cid[2:]) for page in pages for entry in page.entries] == whole
    assert {len(page.entries) for page in pages[:-1]} <= {limit}


@pytest.mark.parametrize("cursor", [-1, 0, 1, 2**60])
def test_a_cursor_that_no_page_had_is_no_error(backend: Backend, cursor: int) -> None:
    """There is nothing before the first entry, and everything before one that is far ahead."""
    _note(backend, 1)

    assert _cids(backend, cursor=cursor) == ([1] if cursor > 1 else [])


def test_rare_entries_are_found_among_many(backend: Backend) -> None:
    """However far back they are."""
    backend.apply([Note(_entry(number, user="ben" if number == 7 else "anna")) for number in range(1500)])

    assert (_cids(backend, user="ben"), len(_cids(backend, limit=5000))) == ([7], 1500)


def test_old_entries_are_purged_in_slices(backend: Backend, clock: TurnableClock) -> None:
    """The oldest first, and none that is not too old."""
    _note(backend, *range(6))
    clock.turn(14)

    purged = [(ask(backend, PurgeKept(10, limit=3)), _cids(backend)) for _ in range(3)]

    assert purged == [
        (Purged(3, more=True), [5, 4, 3]),
        (Purged(1, more=False), [5, 4]),
        (Purged(0, more=False), [5, 4]),
    ]


def test_an_entry_of_the_future_holds_up_nothing(backend: Backend, clock: TurnableClock) -> None:
    """Whose clock was wrong is kept for longer, and the others go."""
    _note(backend, 999_999, *range(4))
    clock.turn(60)
    while ask(backend, PurgeKept(10, limit=2)).more:
        pass

    assert _cids(backend) == [999_999]


def test_the_audit_goes_on_after_all_of_it_was_purged(backend: Backend, clock: TurnableClock) -> None:
    """Nothing is left, and what comes then is found."""
    _note(backend, 1, 2)
    clock.turn(60)
    purged = ask(backend, PurgeKept(10))
    _note(backend, 60, 61)

    assert (purged, _cids(backend)) == (Purged(2, more=False), [61, 60])


def test_another_process_finds_it(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """There is one audit, whoever writes to it."""
    with closing(store.open(clock)) as second:
        _note(backend, 1)
        _note(second, 2)
        _note(backend, 3)
        assert _cids(second) == [3, 2, 1]


def test_a_reader_notes_nothing(backend: Backend, reader: Backend) -> None:
    """It only looks."""
    (refused,) = reader.apply([Note(_entry(1))]).results

    assert (type(refused), _cids(backend)) == (Unstorable, [])


def test_a_text_that_has_no_stored_form_is_refused_alone(backend: Backend) -> None:
    """What stands beside it is noted."""
    results = backend.apply([Note(_entry(1, user="caf\udce9")), Note(_entry(2)), Notes(user="caf\udce9")]).results

    assert [type(result) for result in results] == [Unstorable, type(None), Unstorable]
    assert _cids(backend) == [2]
