"""Small documents that others keep in a store: the same with every backend."""

from contextlib import closing

import pytest

from tests.contract.calls import ask
from tests.contract.stores import RESTARTING, Store
from tests.support.clocks import TurnableClock
from zato.broker.base import Backend, Purged, Unstorable
from zato.broker.documents import Browse, Document, Fetch, Forget, ForgetAll, Keep, PurgeKept
from zato.core.errors import BrokerUnavailable

YEAR = 31_536_000


def _keep(backend: Backend, *keys: str, kind: str = "session", **fields: object) -> list[bool]:
    return [ask(backend, Keep(kind, key, key.encode(), **fields)) for key in keys]  # type: ignore[arg-type]


def _keys(backend: Backend, kind: str = "session", owner: str | None = None, limit: int = 1000) -> list[str]:
    return [document.key for document in ask(backend, Browse(kind, owner, limit))]


def _purge(backend: Backend, limit: int = 500) -> Purged:
    return ask(backend, PurgeKept(YEAR, limit))


# What is kept.


def test_a_document_is_found_as_it_was_kept(backend: Backend, reader: Backend, clock: TurnableClock) -> None:
    """Byte for byte, with its owner and the time, on either connection."""
    value = bytes(range(256))
    kept = ask(backend, Keep("user", "größe", value, owner="anna"))
    expected = Document("user", "größe", "anna", value, clock.wall())

    assert kept is True
    assert [ask(each, Fetch("user", "größe")) for each in (backend, reader)] == [expected] * 2
    assert [ask(each, Browse("user")) for each in (backend, reader)] == [[expected]] * 2


def test_what_was_never_kept_is_not_found(backend: Backend, reader: Backend) -> None:
    """Neither by its key nor in a list, and there is nothing to forget."""
    questions = (Fetch("user", "anna"), Browse("user"), Browse("user", "anna"))

    assert [ask(each, question) for each in (backend, reader) for question in questions] == [None, [], []] * 2
    assert (ask(backend, Forget("user", "anna")), ask(backend, ForgetAll("user", "anna"))) == (False, 0)


def test_kind_and_key_are_not_run_together(backend: Backend) -> None:
    """However much alike: each pair is a document of its own, and so is each owner."""
    places = [("a", "b:c"), ("a:b", "c"), ("", "a:b:c"), ("a:b:c", ""), ("A", "b:c"), ("xy", "z"), ("x", "yz")]
    for kind, key in places:
        ask(backend, Keep(kind, key, f"{kind}|{key}".encode(), owner=key))

    found = [ask(backend, Fetch(kind, key)) for kind, key in places]
    assert [document and document.value for document in found] == [f"{kind}|{key}".encode() for kind, key in places]
    assert [_keys(backend, kind, key) for kind, key in places] == [[key] for _, key in places]


def test_what_is_kept_again_takes_the_place(backend: Backend, clock: TurnableClock) -> None:
    """There is one document of a kind and key, with the last value and owner."""
    _keep(backend, "one", owner="anna")
    clock.turn(1)
    ask(backend, Keep("session", "one", b"new", owner="ben"))

    assert ask(backend, Browse("session")) == [Document("session", "one", "ben", b"new", clock.wall())]
    assert (_keys(backend, owner="anna"), _keys(backend, owner="ben")) == ([], ["one"])


def test_only_new_leaves_what_there_is(backend: Backend) -> None:
    """Whoever comes second is told, and changes nothing; what was forgotten is new again."""
    told = [ask(backend, Keep("user", "anna", value, only_new=True)) for value in (b"1", b"2", b"1")]
    before = ask(backend, Fetch("user", "anna"))
    ask(backend, Forget("user", "anna"))

    assert (told, before and before.value) == ([True, False, False], b"1")
    assert ask(backend, Keep("user", "anna", b"3", only_new=True)) is True


def test_another_process_finds_it(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """Whoever shares the store sees what is kept and what is forgotten."""
    _keep(backend, "one", "two")
    with closing(store.open(clock)) as second:
        ask(second, Forget("session", "one"))
        _keep(second, "three")

    assert _keys(backend) == ["three", "two"]


@pytest.mark.parametrize("store", RESTARTING, indirect=True)
def test_documents_outlive_the_start_of_the_machine(store: Store, backend: Backend, clock: TurnableClock) -> None:
    """They are on the disk, and their times are those of the calendar."""
    _keep(backend, "one", seconds=60)
    clock.restart()

    with closing(store.open(clock)) as second:
        assert _keys(second) == ["one"]


# Order, pages and bounds.


def test_what_was_kept_last_comes_first(backend: Backend) -> None:
    """Also within one millisecond; what is kept again moves to the front."""
    _keep(backend, *"abcd", owner="anna")
    _keep(backend, "b", owner="anna")

    assert (_keys(backend), _keys(backend, owner="anna")) == (list("bdca"), list("bdca"))


def test_a_list_has_a_limit(backend: Backend) -> None:
    """Of all and of one owner's, the newest so many."""
    _keep(backend, *"abc", owner="anna")
    _keep(backend, *"de", owner="ben")

    assert (_keys(backend, limit=4), _keys(backend, owner="anna", limit=2)) == (list("edcb"), list("cb"))


def test_long_lists_are_whole(backend: Backend) -> None:
    """Also what is behind many whose time is over."""
    keys = [f"{number:04}" for number in range(1200)]
    backend.apply([Keep("session", key, b"") for key in keys])
    backend.apply([Keep("session", key, b"", seconds=0) for key in keys[3:]])

    assert _keys(backend) == keys[2::-1]
    assert len(_keys(backend, limit=2)) == 2


def test_at_most_so_many_of_an_owner_stay(backend: Backend) -> None:
    """The newest ones; those of other owners and kinds are left alone."""
    _keep(backend, "a", owner="ben", at_most=2)
    _keep(backend, "b", kind="call", owner="anna")
    _keep(backend, *"cdef", owner="anna", at_most=2)

    assert (_keys(backend), _keys(backend, "call")) == (list("fea"), ["b"])


def test_what_is_over_does_not_count(backend: Backend, clock: TurnableClock) -> None:
    """Of at most so many, those are meant that anybody can see."""
    _keep(backend, "a", owner="anna")
    _keep(backend, *"bc", owner="anna", seconds=1)
    clock.turn(1)
    _keep(backend, "d", owner="anna", at_most=2)

    assert _keys(backend) == list("da")


# Until when.


def test_a_document_is_there_until_its_time_is_over(backend: Backend, reader: Backend, clock: TurnableClock) -> None:
    """To the last millisecond, and then for nobody, though nobody has purged it."""
    _keep(backend, "one", owner="anna", seconds=1.5)
    seen = []
    for seconds in (1.499, 0.001):
        clock.turn(seconds)
        seen += [(ask(each, Fetch("session", "one")) is None, _keys(each)) for each in (backend, reader)]

    assert seen == [(False, ["one"])] * 2 + [(True, [])] * 2
    assert (_keys(backend, owner="anna"), ask(backend, Forget("session", "one"))) == ([], False)


def test_what_is_over_gives_way_to_what_is_new(backend: Backend, clock: TurnableClock) -> None:
    """It has the time that it is given, and no longer that of the one before."""
    _keep(backend, "one", seconds=1)
    clock.turn(1)
    kept = _keep(backend, "one", only_new=True)
    clock.turn(YEAR)

    assert (kept, _purge(backend), _keys(backend)) == ([True], Purged(0, more=False), ["one"])


def test_what_is_kept_again_has_its_new_time(backend: Backend, clock: TurnableClock) -> None:
    """It may be prolonged, and shortened."""
    _keep(backend, "a", "b", seconds=10)
    _keep(backend, "a", seconds=20)
    _keep(backend, "b", seconds=5)
    clock.turn(6)
    first = _keys(backend)
    clock.turn(10)

    assert (first, _keys(backend)) == (["a"], ["a"])


def test_what_is_over_is_purged_in_slices(backend: Backend, clock: TurnableClock) -> None:
    """The oldest first, and never what is still there."""
    for number in range(5):
        _keep(backend, f"{number}", owner="anna", seconds=1 + number)
    _keep(backend, "x", "y", owner="anna")
    clock.turn(4)

    purged = [_purge(backend, 3), _purge(backend, 3), _purge(backend, 3)]

    assert purged == [Purged(3, more=True), Purged(1, more=False), Purged(0, more=False)]
    assert (_keys(backend), _keys(backend, owner="anna")) == (["y", "x", "4"], ["y", "x", "4"])


# What is forgotten.


def test_what_is_forgotten_is_gone(backend: Backend, reader: Backend) -> None:
    """Once, and for everybody; others of its kind stay."""
    _keep(backend, "a", "b", owner="anna")

    assert [ask(backend, Forget("session", "a")) for _ in range(2)] == [True, False]
    assert ask(reader, Fetch("session", "a")) is None
    assert (_keys(backend), _keys(reader, owner="anna")) == (["b"], ["b"])


def test_all_of_an_owner_are_forgotten(backend: Backend, clock: TurnableClock) -> None:
    """Of one kind; told is how many of them were still there."""
    _keep(backend, "a", "b", owner="anna")
    _keep(backend, "c", owner="anna", seconds=1)
    _keep(backend, "d", owner="ben")
    _keep(backend, "a", kind="call", owner="anna")
    clock.turn(1)

    assert [ask(backend, ForgetAll("session", "anna")) for _ in range(2)] == [2, 0]
    assert (_keys(backend), _keys(backend, "call")) == (["d"], ["a"])
    assert _purge(backend) == Purged(0, more=False)


# What is refused.


def test_a_reader_keeps_and_forgets_nothing(backend: Backend, reader: Backend) -> None:
    """It only looks."""
    _keep(backend, "one")
    asked = [Keep("a", "b", b""), Forget("session", "one"), ForgetAll("session", ""), PurgeKept(0)]

    assert [type(result) for result in reader.apply(asked).results] == [Unstorable] * 4
    assert _keys(backend) == ["one"]


def test_a_name_that_has_no_stored_form_is_refused_alone(backend: Backend) -> None:
    """What stands beside it is kept."""
    results = backend.apply([Keep("a", "caf\udce9", b""), Keep("a", "b", b""), Fetch("a", "caf\udce9")]).results

    assert [type(result) for result in results] == [Unstorable, bool, Unstorable]
    assert _keys(backend, "a") == ["b"]


def test_a_full_store_refuses_and_still_forgets_nothing_else(store: Store, backend: Backend) -> None:
    """What is not kept is said to be not kept, and what there was is there."""
    _keep(backend, "one")
    with store.full(), pytest.raises(BrokerUnavailable):
        ask(backend, Keep("session", "two", b"x" * 1_000_000))

    assert _keys(backend) == ["one"]


def test_nobody_is_woken_by_documents(backend: Backend) -> None:
    """They are no work."""
    applied = backend.apply([Keep("a", "b", b""), Forget("a", "b"), PurgeKept(0)])

    assert (applied.ready, applied.ended) == (False, [])
