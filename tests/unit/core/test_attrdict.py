"""Dicts whose keys are attributes."""

import copy

import pytest

from zato.core.attrdict import AttrDict, as_attributes


def test_keys_are_attributes_all_the_way_down() -> None:
    """Dicts in dicts and in lists can be read by attribute."""
    data = as_attributes({"customer": {"orders": [{"id": 7}]}})
    assert data.customer.orders[0].id == 7


@pytest.mark.parametrize("value", ["text", 7, None, [1, [2]]], ids=["text", "number", "none", "list"])
def test_other_values_stay_as_they_are(value: object) -> None:
    """What holds no dict is returned equal."""
    assert as_attributes(value) == value


def test_attributes_are_keys() -> None:
    """Setting and deleting an attribute sets and deletes the item."""
    data = AttrDict(a=1, b=2)
    data.c = 3
    del data.a
    assert data == {"b": 2, "c": 3}


@pytest.mark.parametrize(
    ("data", "there"),
    [pytest.param({}, "nothing", id="empty"), pytest.param({"id": 1, "name": 2}, "'id', 'name'", id="other-keys")],
)
def test_missing_attribute_is_named(data: dict[str, object], there: str) -> None:
    """The message says what is missing and what is there."""
    with pytest.raises(AttributeError, match=f"There is no 'nmae' here, only {there}"):
        AttrDict(data).nmae  # noqa: B018


def test_missing_attribute_cannot_be_deleted() -> None:
    """Deleting what is not there is the same error as for any object."""
    with pytest.raises(AttributeError, match="nmae"):
        del AttrDict(name=1).nmae


def test_copy_is_equal() -> None:
    """A deep copy has the same keys, and its dicts are attributes too."""
    data = as_attributes({"a": {"b": 1}})
    assert copy.deepcopy(data).a.b == 1


def test_keys_that_are_methods_are_reached_by_item() -> None:
    """A method of dict keeps its name."""
    data = AttrDict(items=1)
    assert (data["items"], callable(data.items)) == (1, True)
