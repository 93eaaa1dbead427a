"""The calls of one request as a tree."""

from typing import Any

from zato.web_admin.tree import Node, grown


def items(*depths: int) -> list[dict[str, Any]]:
    """Return calls of these depths; each one's id is its place."""
    return [{"id": str(place), "depth": depth} for place, depth in enumerate(depths)]


def shape(nodes: list[Node]) -> list[Any]:
    """Return ids, each followed by what is below it."""
    return [part for node in nodes for part in (node.item["id"], *([shape(node.children)] if node.children else []))]


def test_calls_are_below_those_that_made_them() -> None:
    """The order of a printed tree is enough to know it."""
    assert shape(grown(items(0, 1, 2, 1, 1), "")) == ["0", ["1", ["2"], "3", "4"]]


def test_root_without_a_record() -> None:
    """What a synchronous request made begins one level down; its calls stand beside each other."""
    assert shape(grown(items(1, 2, 1, 3), "")) == ["0", ["1"], "2", ["3"]]


def test_current_call_is_marked() -> None:
    """The one whose page is shown, and no other."""
    (root,) = grown(items(0, 1), "1")
    assert [root.is_current, root.children[0].is_current] == [False, True]


def test_no_calls() -> None:
    """Nothing grows of nothing."""
    assert grown([], "1") == []
