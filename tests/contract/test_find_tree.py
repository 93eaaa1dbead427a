"""The tree of calls that one request has brought about, as each store finds it."""

import itertools
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.calls import START, ask, call_id, finish, lease_all, look, make_call
from tests.support.clocks import TurnableClock
from zato.broker.base import Accept, Backend, Find, Finish, Purge, Unstorable
from zato.broker.trees import FindTree, FoundTree
from zato.core.invocation import Outcome, Status

Made = Sequence[tuple[str, str | None]]

NAMES = ("a", "b", "é'\"c", "")
MADE = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([None, *NAMES])), max_size=9)
FAMILY: Made = [("a", None), ("b", "a"), ("c", "a"), ("other", None), ("d", "b"), ("e", "d"), ("f", "c")]


_marks = itertools.count(1)


def _accepted(backend: Backend, made: Made, *, first: int = 0) -> None:
    """Accept calls, given as CIDs and those of who made them, with times that do not follow their order."""
    numbered = enumerate(made, first)
    calls = [make_call(at, cid=cid, parent=parent, created=START - at) for at, (cid, parent) in numbered]
    backend.apply([Accept(call) for call in calls])


def _shown(found: FoundTree) -> tuple[str, list[int], bool]:
    return found.root, [int(record.invocation.id) for record in found.records], found.is_cut


def _tree(backend: Backend, **asked: Any) -> tuple[str, list[int], bool]:
    return _shown(ask(backend, FindTree(**asked)))


def _above(made: Made, start: int | None, cid: str) -> tuple[list[int], list[str]]:
    """Return the calls from one upwards, and the CIDs on the way.

    Of those that share a CID the newest is above.
    """
    newest = {cid: at for at, (cid, _) in enumerate(made)}
    calls, passed, above = [start] if start is not None else [], [cid], None if start is None else made[start][1]
    while above is not None and above not in passed:
        passed.append(above)
        calls += [newest[above]] if above in newest else []
        above = made[newest[above]][1] if above in newest else None
    return calls, passed


def _expected(made: Made, start: int | None, cid: str) -> tuple[str, list[int]]:
    """Return what the words say, of all calls in the order of their acceptance."""
    tree, passed = _above(made, start, cid)
    cids = [each for each, _ in made]
    behind = {each: cids.index(each) if each in cids else -1 for each in passed}
    for at, (each, parent) in enumerate(made):
        if parent is not None and at > behind.get(parent, at):
            behind.setdefault(each, at)
            tree += [at] if at not in tree else []
    return passed[-1], tree


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(made=MADE, limit=st.integers(1, 9))
def test_every_tree_is_what_the_words_say(backend: Backend, made: Made, limit: int) -> None:
    """Whoever made whom, in whichever order, under shared CIDs and in circles, whole or cut."""
    number = next(_marks)
    mark, first = f"{number}/", 10 * number
    made = [(mark + cid, None if parent is None else mark + parent) for cid, parent in made]
    _accepted(backend, made, first=first)
    newest = {cid: at for at, (cid, _) in enumerate(made)}
    asked: list[tuple[dict[str, Any], int | None, str]] = [
        *(({"id": call_id(first + at)}, at, cid) for at, (cid, _) in enumerate(made)),
        *(({"cid": mark + name}, newest.get(mark + name), mark + name) for name in NAMES),
    ]
    for which, start, cid in asked:
        root, tree = _expected(made, start, cid)
        found = _tree(backend, **which, limit=limit)
        assert found[1:] == (sorted(first + at for at in tree[:limit]), len(tree) > limit)
        assert found[0] == root or found[2]


@pytest.mark.parametrize("asked", [{"cid": "a"}, {"cid": "e"}, {"id": call_id(2)}], ids=str)
def test_tree_is_the_same_from_all_its_calls(backend: Backend, reader: Backend, asked: dict[str, str]) -> None:
    """In the order of acceptance, without what is of other requests, on either connection."""
    _accepted(backend, FAMILY)
    assert [_tree(each, **asked) for each in (backend, reader)] == [("a", [0, 1, 2, 4, 5, 6], False)] * 2


@pytest.mark.parametrize("asked", [{"cid": "request"}, {"cid": "d"}, {"id": call_id(2)}], ids=str)
def test_root_without_a_record(backend: Backend, asked: dict[str, str]) -> None:
    """All that it made is there, however long before the call that is asked for."""
    _accepted(backend, [("b", "request"), ("x", None), ("c", "request"), ("d", "c")])
    assert _tree(backend, **asked) == ("request", [0, 2, 3], False)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param({"cid": "x"}, [3, 4, 5], id="by-cid"),
        pytest.param({"id": call_id(0)}, [0, 4, 5], id="the-older"),
        pytest.param({"cid": "c"}, [3, 4, 5], id="from-below"),
        pytest.param({"cid": "y"}, [2], id="what-was-made-before"),
    ],
)
def test_calls_that_share_a_cid(backend: Backend, asked: dict[str, str], found: list[int]) -> None:
    """What was made under it is below the one that is asked for, or else the newest; what was before it was not."""
    _accepted(backend, [("x", None), ("early", "y"), ("y", None), ("x", None), ("b", "x"), ("c", "b")])
    assert _tree(backend, **asked)[1:] == (found, False)


def test_what_the_oldest_of_a_cid_made(backend: Backend) -> None:
    """It is below the newest of them, too: nobody knows which one made it."""
    _accepted(backend, [("x", None), ("b", "x"), ("x", None), ("c", "b")])
    assert _tree(backend, cid="x") == _tree(backend, cid="c") == ("x", [1, 2, 3], False)


def test_what_the_oldest_of_a_cid_made_long_before_it_was_carried_again(backend: Backend) -> None:
    """It is there, among all that is above."""
    _accepted(backend, [("a", None), ("x", None), ("b", "x"), ("c", "a"), ("x", "a")])
    assert _tree(backend, cid="x") == ("a", [0, 2, 3, 4], False)


def test_circle_comes_to_an_end(backend: Backend) -> None:
    """Callers choose CIDs, and may choose one again; each call is in its tree once."""
    _accepted(backend, [("a", "b"), ("b", "a"), ("a", "b"), ("b", "a"), ("self", "self"), ("self", "self")])
    assert _tree(backend, cid="b") == ("a", [1, 2, 3], False)
    assert _tree(backend, id=call_id(4)) == ("self", [4, 5], False)


@pytest.mark.parametrize(("limit", "found"), [(1, [4]), (2, [1, 4]), (3, [0, 1, 4]), (4, [0, 1, 2, 4])])
def test_cut_tree_has_what_is_above_and_the_oldest(backend: Backend, limit: int, found: list[int]) -> None:
    """The call that is asked for first, then those above it, then what was accepted first."""
    _accepted(backend, FAMILY)
    assert _tree(backend, cid="d", limit=limit)[1:] == (found, True)


@pytest.mark.parametrize("asked", [{"id": call_id(99)}, {"cid": "nobody"}], ids=str)
def test_what_is_not_there_has_no_tree(backend: Backend, asked: dict[str, str]) -> None:
    """Nor is it an error."""
    _accepted(backend, [*FAMILY, ("made under an empty text", "")])
    assert _tree(backend, **asked) == (asked.get("cid", ""), [], False)


def test_records_are_those_of_a_list(backend: Backend) -> None:
    """With status, outcome and how many share the CID; without payload and response."""
    _accepted(backend, FAMILY)
    lease_all(backend)
    finish(backend, 1)
    finish(backend, 2, status=Status.FAILED)
    listed = [record for record in ask(backend, Find()).records if record.invocation.cid != "other"]
    assert ask(backend, FindTree(cid="a")).records == listed[::-1]


def test_what_is_purged_is_in_no_tree(backend: Backend, clock: TurnableClock) -> None:
    """Its CID is then that of a request without a record; all that it made is there."""
    _accepted(backend, FAMILY)
    lease_all(backend)
    for number in (0, 5):
        ask(backend, Finish(call_id(number), b"token--1", Outcome(status=Status.DONE, ended=1)))
    clock.turn(60)
    ask(backend, Purge(1))
    assert _tree(backend, cid="f") == ("a", [1, 2, 4, 6], False)
    assert look(backend, 1).invocation.parent == "a"


def test_deep_and_wide_trees_are_whole(backend: Backend) -> None:
    """A chain of calls of which each made another one, too, with what is of other requests between them."""
    chain: list[tuple[str, str | None]] = [("0", None)]
    for number in range(1, 60):
        chain += [(str(number), str(number - 1)), (f"{number}/leaf", str(number - 1)), (f"{number}/other", None)]
    _accepted(backend, chain)
    wanted = [at for at, (cid, _) in enumerate(chain) if not cid.endswith("other")]
    assert _tree(backend, cid="0") == _tree(backend, cid="59") == ("0", wanted, False)


@pytest.mark.parametrize("asked", [{"id": "caf\udce9"}, {"cid": "caf\udce9"}], ids=ascii)
def test_a_text_that_nothing_can_be_called_is_refused(backend: Backend, reader: Backend, asked: Any) -> None:
    """It has no stored form; what is asked beside it is answered."""
    for each in (backend, reader):
        results = each.apply([FindTree(**asked), FindTree(cid="a")]).results
        assert [type(result) for result in results] == [Unstorable, FoundTree]
