"""Calls that are accepted together: all of them or none, the same with every backend."""

from contextlib import closing

import pytest

from tests.contract.calls import START, TOKEN, accept, ask, call_id, lease, look, make_call
from tests.contract.stores import REFUSING_ENDS, Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Accept, AcceptAll, Accepted, Backend, Finish, Look, Unstorable
from zato.core.errors import BrokerUnavailable, Conflict
from zato.core.invocation import Invocation, Outcome, Status

KEY = "order-7"
WITHOUT_FORM = "caf\udce9"
MEGABYTE = 1_000_000


def _all(*calls: Invocation) -> AcceptAll:
    return AcceptAll(calls)


def _stored(backend: Backend) -> list[int]:
    """Return the numbers of those calls, from 1 to 9, that are there."""
    return [number for number in range(1, 10) if ask(backend, Look(id=call_id(number))) is not None]


def test_each_gets_its_answer_in_order(backend: Backend) -> None:
    """One `Accepted` for each, whatever their order of ids."""
    accepted = ask(backend, _all(make_call(2), make_call(1), make_call(3, service="ui.push")))

    assert accepted == [Accepted(call_id(number), f"c{number}") for number in (2, 1, 3)]


def test_they_are_ordinary_calls(backend: Backend) -> None:
    """They wait, are delayed or stranded, and are leased in the order in which they were given."""
    calls = (make_call(3), make_call(2, not_before=START + 1000), make_call(1), make_call(4, service="unknown"))
    applied = backend.apply([AcceptAll(calls)])

    assert applied.ready
    assert [delivery.invocation for delivery in lease(backend)] == [calls[0], calls[2]]
    assert [look(backend, number).status for number in (2, 4)] == [Status.DELAYED, Status.STRANDED]


def test_none_is_nothing(backend: Backend) -> None:
    """To accept no call at all succeeds."""
    assert ask(backend, _all()) == []


def test_they_survive_another_opening(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """What one connection was told, another one sees at once."""
    ask(backend, _all(make_call(1), make_call(2)))

    with closing(store.open(clock)) as second:
        assert _stored(second) == [1, 2]


def test_a_used_key_in_the_middle_refuses_all(backend: Backend) -> None:
    """A conflict of one call leaves nothing of the others, no key either."""
    accept(backend, make_call(1, idempotency_key=KEY))
    others = make_call(2, idempotency_key="order-8"), make_call(4)

    with pytest.raises(Conflict, match=f"'{KEY}'"):
        ask(backend, _all(others[0], make_call(3, idempotency_key=KEY, payload=b'"y"'), others[1]))
    again = ask(backend, Accept(make_call(5, idempotency_key="order-8", payload=b'"z"')))

    assert (again.id, _stored(backend)) == (call_id(5), [1, 5])


def test_a_refusal_takes_nothing_else_of_its_batch_along(backend: Backend) -> None:
    """What stands beside calls that were refused together is stored in its place."""
    accept(backend, make_call(1, idempotency_key=KEY))
    refused = _all(make_call(2), make_call(3, idempotency_key=KEY, payload=b'"y"'))

    applied = backend.apply([Accept(make_call(4)), refused, _all(make_call(5))])

    assert [type(result) for result in applied.results] == [Accepted, Conflict, list]
    assert _stored(backend) == [1, 4, 5]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_has_no_stored_form_refuses_all(backend: Backend, place: int) -> None:
    """Wherever it stands among them, and whatever else is in the batch."""
    accept(backend, make_call(1))
    lease(backend)
    calls = [make_call(2), make_call(3)]
    calls.insert(place, make_call(4, cid=WITHOUT_FORM))
    ended = Finish(call_id(1), TOKEN, Outcome(status=Status.DONE, ended=START))

    applied = backend.apply([ended, AcceptAll(tuple(calls)), Accept(make_call(5)), _all(make_call(6), make_call(7))])

    assert [type(result) for result in applied.results] == [bool, Unstorable, Accepted, list]
    assert (applied.ended, _stored(backend)) == ([call_id(1)], [1, 5, 6, 7])


def test_all_or_none_beside_one_that_has_no_stored_form(backend: Backend) -> None:
    """Where operations of a batch are carried out anew because of a bad neighbour, calls stay together."""
    accept(backend, make_call(1, idempotency_key=KEY))
    refused = _all(make_call(2), make_call(3, idempotency_key=KEY, payload=b'"y"'))

    applied = backend.apply([_all(make_call(4), make_call(5)), refused, Accept(make_call(6, cid=WITHOUT_FORM))])

    assert [type(result) for result in applied.results] == [list, Conflict, Unstorable]
    assert _stored(backend) == [1, 4, 5]


def test_a_repeat_gets_the_first_ones_cid(backend: Backend) -> None:
    """A key that was used before for the same is answered with the first call, and the others are stored."""
    accept(backend, make_call(1, idempotency_key=KEY))

    accepted = ask(backend, _all(make_call(2), make_call(3, idempotency_key=KEY), make_call(4)))

    assert [each.cid for each in accepted] == ["c2", "c1", "c4"]
    assert _stored(backend) == [1, 2, 4]


def test_a_repeat_among_them_gets_the_first_ones_cid(backend: Backend) -> None:
    """Two with the same key and payload are one call, also to whoever repeats it later."""
    keyed = [make_call(number, idempotency_key=KEY) for number in range(1, 4)]

    accepted = ask(backend, _all(keyed[0], make_call(4), keyed[1]))
    later = ask(backend, Accept(keyed[2]))

    assert [each.cid for each in accepted] == ["c1", "c4", "c1"]
    assert (later.cid, _stored(backend)) == ("c1", [1, 4])


def test_one_key_for_two_things_among_them_refuses_all(backend: Backend) -> None:
    """It is the same conflict as with a call of before."""
    with pytest.raises(Conflict, match=f"'{KEY}'"):
        ask(backend, _all(make_call(1, idempotency_key=KEY), make_call(2, idempotency_key=KEY, service="ui.push")))

    assert _stored(backend) == []


def test_a_full_store_refuses_all(store: Store, backend: Backend) -> None:
    """It takes none, and all once there is room."""
    calls = _all(make_call(1), make_call(2))
    with store.full(), pytest.raises(BrokerUnavailable):
        ask(backend, calls)
    during = _stored(backend)

    assert (during, len(ask(backend, calls)), _stored(backend)) == ([], 2, [1, 2])


@pytest.mark.parametrize("store", REFUSING_ENDS, indirect=True)
def test_one_that_there_is_no_room_for_refuses_all(store: Store, backend: Backend) -> None:
    """A store that cannot take the last of them takes none, but what is beside them."""
    calls = _all(make_call(1), make_call(2), make_call(3, payload=b"1" * MEGABYTE))
    with store.full(room=200_000):
        applied = backend.apply([calls, Accept(make_call(4))])
    during = _stored(backend)

    assert [type(result) for result in applied.results] == [BrokerUnavailable, Accepted]
    assert (during, len(ask(backend, calls)), _stored(backend)) == ([4], 3, [1, 2, 3, 4])
