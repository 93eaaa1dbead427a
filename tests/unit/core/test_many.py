"""Many calls asked for at once."""

from typing import Any

import pytest

from zato.core.errors import BadRequest, NotFound
from zato.core.many import MAX_ITEMS, fields_of, items_of, numbered

KNOWN = ("name", "payload", "delay")


@pytest.mark.parametrize("items", [[1, 2], (1, 2), range(1, 3), iter([1, 2])], ids=["list", "tuple", "range", "iter"])
def test_items(items: object) -> None:
    """Anything that can be gone through once is a list of items."""
    assert items_of(items) == [1, 2]


@pytest.mark.parametrize("items", ["ab", b"ab", {"name": "a"}, None, 7])
def test_no_items(items: object) -> None:
    """What could only be meant as something else is refused."""
    with pytest.raises(BadRequest, match="given as a list of items, not as"):
        items_of(items)


def test_most_items() -> None:
    """There is a limit, and nothing endless is gone through."""
    assert len(items_of(range(MAX_ITEMS))) == MAX_ITEMS
    with pytest.raises(BadRequest, match=r"more than 10,000 items\. Make several calls"):
        items_of(iter(int, 1))


@pytest.mark.parametrize(
    ("item", "fields"),
    [
        pytest.param(("a", 1), {"name": "a", "payload": 1}, id="pair"),
        pytest.param(["a", [1]], {"name": "a", "payload": [1]}, id="list"),
        pytest.param({"name": "a"}, {"name": "a"}, id="name-alone"),
        pytest.param({"name": "a", "delay": 5}, {"name": "a", "delay": 5}, id="with-an-option"),
    ],
)
def test_item(item: object, fields: dict[str, Any]) -> None:
    """It is a pair, or has options by name."""
    assert fields_of(item, KNOWN) == fields


@pytest.mark.parametrize(
    ("item", "message"),
    [
        pytest.param("ab", "'ab' is neither a pair of name and payload nor", id="text-of-two"),
        pytest.param(("a",), "is neither a pair", id="one-of-a-pair"),
        pytest.param(("a", 1, {}), "is neither a pair", id="three"),
        pytest.param({}, "'name' says which service to invoke; it is missing.", id="no-name"),
        pytest.param({"name": "", "payload": 1}, "it is missing", id="empty-name"),
        pytest.param({"name": "a", "dely": 1}, "There is no option 'dely'. Did you mean 'delay'?", id="misspelt"),
        pytest.param({"name": "a", "x": 1}, "There is no option 'x'. Known: name, payload, delay.", id="unknown"),
    ],
)
def test_item_that_is_none(item: object, message: str) -> None:
    """The message says what is wrong with it."""
    with pytest.raises(BadRequest) as caught:
        fields_of(item, KNOWN)
    assert message in str(caught.value)


def test_number_of_what_is_wrong() -> None:
    """An error of ours says which item it is of; any other is no fault of the items."""
    with pytest.raises(BadRequest, match=r"^Item 7: Nobody\.$") as caught, numbered(7):
        raise NotFound("Nobody.")
    assert isinstance(caught.value.__cause__, NotFound)
    with pytest.raises(ZeroDivisionError), numbered(7):
        1 / 0  # noqa: B018
