"""Declared inputs and outputs, as tables and as examples."""

import json
from typing import Any

import pytest

from zato.web_admin.declared import Row, example_of, rows_of

LINES = {
    "name": "lines",
    "type": "dict_list",
    "required": True,
    "elements": [
        {"name": "product", "type": "any", "required": True},
        {"name": "quantity", "type": "int", "required": True},
    ],
}
NOTE = {"name": "note", "type": "text", "required": False, "default": "none"}
LATER = {"name": "later", "type": "date", "required": False, "default": None}


def side(*elements: dict[str, Any], is_list: bool = False, wrapper: str | None = None) -> dict[str, Any]:
    """Return a declaration as `zato.service.get` tells of it."""
    return {"elements": list(elements), "is_list": is_list, "wrapper": wrapper}


def test_rows_of_nested_elements_are_below_their_object() -> None:
    """Each says how deep it is, and what stands in for it."""
    assert rows_of(side(LINES, NOTE)) == [
        Row("lines", "dict_list", True, 0, None),
        Row("product", "any", True, 1, None),
        Row("quantity", "int", True, 1, None),
        Row("note", "text", False, 0, '"none"'),
    ]


def test_example_has_what_is_needed_and_what_has_a_default() -> None:
    """What need not be there, and has no default, is left out."""
    assert json.loads(example_of(side(LINES, NOTE, LATER))) == {
        "lines": [{"product": "product", "quantity": 1}],
        "note": "none",
    }


def test_example_of_a_list_in_a_wrapper() -> None:
    """It has the form that the service takes."""
    assert json.loads(example_of(side(LINES, is_list=True, wrapper="request"))) == {
        "request": [{"lines": [{"product": "product", "quantity": 1}]}]
    }


def test_no_declaration_has_no_example() -> None:
    """Nothing is made up."""
    assert example_of(None) == ""


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("list[int]", []),
        ("dict[str, int]", {}),
        ("bool", True),
        ("date", "2026-01-31"),
        ("int or None", 1),
        ("Customer", "it"),
    ],
)
def test_value_of_a_type(kind: str, value: object) -> None:
    """Types that are known have a value of theirs; others have the element's name."""
    assert json.loads(example_of(side({"name": "it", "type": kind, "required": True}))) == {"it": value}
