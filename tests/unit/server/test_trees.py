"""The tree of calls that one request has brought about: found by who made them, whole or cut."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from zato.broker.base import AcceptAll
from zato.broker.batcher import Batcher
from zato.broker.clock import SystemClock
from zato.broker.open import Location, open_backend
from zato.core.errors import BadRequest, NotFound
from zato.core.invocation import Invocation
from zato.server.gate import Gate
from zato.server.records import Records
from zato.server.trees import MOST, Tree, tree_of
from zato.server.waiters import Waiters

FAMILY = {"a": None, "b": "a", "c": "a", "d": "b", "e": "d", "f": "c", "other": None}
ORPHANS = {"b": "request", "c": "request", "d": "b"}


def run(folder: Path, parents: Mapping[str, str | None], *asked: Mapping[str, str | None]) -> list[Any]:
    """Return the trees that calls are in, or why there is none; calls are given as CIDs and who made them."""

    async def scenario() -> list[Any]:
        batcher = Batcher(open_backend(Location("sqlite", folder), SystemClock()), asyncio.get_running_loop())
        batcher.start()
        try:
            calls = [
                made(number, cid.partition("/")[0], parent) for number, (cid, parent) in enumerate(parents.items())
            ]
            await batcher.ask(AcceptAll(tuple(calls)))
            records = Records(batcher, batcher, Waiters(), Gate(1))
            trees = [tree_of(records, **{"call_id": None, "cid": None, **each}) for each in asked]
            return await asyncio.gather(*trees, return_exceptions=True)
        finally:
            batcher.close()

    return asyncio.run(scenario())


def made(number: int, cid: str, parent: str | None) -> Invocation:
    """Return a call; those with higher numbers are younger."""
    return Invocation(id=f"{number:026}", cid=cid, service="s", payload=b"{}", created=1000 + number, parent=parent)


def shown(tree: Tree) -> Sequence[tuple[str, int]]:
    """Return CIDs and depths, in order."""
    return [(record.invocation.cid, depth) for record, depth in tree.items]


@pytest.mark.parametrize("cid", ["a", "c", "e"], ids=["from-the-root", "from-within", "from-a-leaf"])
def test_tree_is_the_same_from_all_its_calls(tmp_path: Path, cid: str) -> None:
    """Each call is below the one that made it, the oldest first; what is of other requests is not in it."""
    [tree] = run(tmp_path, FAMILY, {"cid": cid})

    assert (tree.root, tree.is_cut) == ("a", False)
    assert shown(tree) == [("a", 0), ("b", 1), ("d", 2), ("e", 3), ("c", 1), ("f", 2)]


def test_root_that_was_no_background_call(tmp_path: Path) -> None:
    """It has no record, and what it made is there, whether it is asked for itself or one of those."""
    by_root, by_leaf = run(tmp_path, ORPHANS, {"cid": "request"}, {"cid": "d"})

    assert {by_root.root, by_leaf.root} == {"request"}
    assert shown(by_root) == shown(by_leaf) == [("b", 1), ("d", 2), ("c", 1)]


def test_call_that_is_asked_for_by_id(tmp_path: Path) -> None:
    """An id picks one of the calls that share a CID; whatever was made under that CID is below it."""
    [tree] = run(tmp_path, {"a": None, "a/again": None, "b": "a"}, {"call_id": f"{1:026}"})
    assert (tree.root, tree.items[0][0].invocation.id, shown(tree)) == ("a", f"{1:026}", [("a", 0), ("b", 1)])


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        pytest.param({"a": "a"}, [("a", 0)], id="of-itself"),
        pytest.param({"a": "b", "b": "a"}, [("b", 0), ("a", 1)], id="of-each-other"),
        pytest.param({"a": "c", "b": "a", "c": "b"}, [("b", 0), ("c", 1), ("a", 2)], id="of-three"),
    ],
)
def test_calls_that_made_each_other(tmp_path: Path, parents: Mapping[str, str], expected: object) -> None:
    """A circle, which clients can make by the CIDs that they choose, ends; every call is there once."""
    [tree] = run(tmp_path, parents, {"cid": "a"})
    assert shown(tree) == expected


@pytest.mark.parametrize(("count", "is_cut"), [(MOST - 1, False), (MOST, True)], ids=["just-all", "one-too-many"])
def test_wide_tree(tmp_path: Path, count: int, is_cut: bool) -> None:
    """At most so many calls are in it, the root among them, and it says if there are more."""
    [tree] = run(tmp_path, {"a": None, **{f"b{number}": "a" for number in range(count)}}, {"cid": "a"})
    assert (len(tree.items), tree.items[0][0].invocation.cid, tree.is_cut) == (MOST, "a", is_cut)


def test_call_that_is_asked_for_is_in_a_wide_tree(tmp_path: Path) -> None:
    """However many younger ones there are."""
    parents = {"a": None, "old": "a", **{f"b{number}": "a" for number in range(MOST)}}
    [tree] = run(tmp_path, parents, {"cid": "old"})
    assert (len(tree.items), shown(tree)[:2], tree.is_cut) == (MOST, [("a", 0), ("old", 1)], True)


def test_deep_tree(tmp_path: Path) -> None:
    """Of a long chain the part above the call is there, up to the limit."""
    chain = {str(number): str(number - 1) if number else None for number in range(MOST + 5)}
    from_below, from_above = run(tmp_path, chain, {"cid": str(MOST + 4)}, {"cid": "0"})

    assert (from_below.root, len(from_below.items), from_below.is_cut) == ("5", MOST, True)
    assert (shown(from_above)[-1], from_above.is_cut) == ((str(MOST - 1), MOST - 1), True)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        pytest.param({"cid": "nobody"}, NotFound, id="unknown-cid"),
        pytest.param({"call_id": "nobody"}, NotFound, id="unknown-id"),
        pytest.param({}, BadRequest, id="nothing"),
        pytest.param({"cid": "a", "call_id": "b"}, BadRequest, id="both"),
    ],
)
def test_tree_that_is_not_there(tmp_path: Path, asked: Mapping[str, str], error: type[Exception]) -> None:
    """Whoever asks for nothing that is there is told so."""
    [found] = run(tmp_path, FAMILY, asked)
    assert isinstance(found, error)
