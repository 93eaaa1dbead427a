"""What the log may show of an input or output."""

import dataclasses
import enum
from typing import Any

import msgspec
import pydantic
import pytest

from zato.core.elements import Dict, DictList, Int, Model, Secret, Text, contract_of


@dataclasses.dataclass
class Login(Model):
    user: str
    password: str


class StructLogin(msgspec.Struct):
    user: str
    password: str


class PydanticLogin(pydantic.BaseModel):
    user: str
    password: str


CONTRACT = contract_of(
    type(
        "Sample",
        (),
        {
            "input": ("-user", Secret("-pin"), DictList("-cards", Secret("-number"), Int("-year"))),
            "output": (Text("-user"), Secret("-code"), Dict("-inner", Secret("-deep"))),
        },
    )
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"user": "Jane", "pin": "1234"}, {"user": "Jane", "pin": "***"}),
        ({"cards": [{"number": "1", "year": 2026}]}, {"cards": [{"number": "***", "year": 2026}]}),
        ({"code": "1", "inner": {"deep": "2"}}, {"code": "***", "inner": {"deep": "***"}}),
        ([{"pin": 1}], [{"pin": "***"}]),
        ({"other": {"api_token": "1"}, "items": 5}, {"other": {"api_token": "***"}, "items": 5}),
        ("password=hunter2", "password=***"),
        (None, None),
        (5, 5),
        (Login("Jane", "hunter2"), {"user": "Jane", "password": "***"}),
        (StructLogin("Jane", "hunter2"), {"user": "Jane", "password": "***"}),
        (PydanticLogin(user="Jane", password="hunter2"), {"user": "Jane", "password": "***"}),
    ],
)
def test_masked(value: Any, expected: Any) -> None:
    """Declared secrets are hidden wherever they stand, and so is what a name says to be one."""
    assert CONTRACT.masked(value) == expected


def test_input_and_filled_in_output() -> None:
    """What services hold in their hands can be logged."""
    found = CONTRACT.read({"user": "Jane", "pin": "1234"}, {})
    blank = CONTRACT.blank()
    blank.code = "1234"
    assert (CONTRACT.masked(found)["pin"], CONTRACT.masked(blank)) == ("***", {"code": "***"})


def test_rows_of_an_output() -> None:
    """Rows are masked one by one."""
    blank = CONTRACT.blank()
    blank.append({"code": "1234"})
    assert CONTRACT.masked(blank) == [{"code": "***"}]


def test_what_holds_itself() -> None:
    """It comes to an end."""
    node: dict[str, Any] = {"pin": "1234"}
    node["again"] = node
    assert "1234" not in str(CONTRACT.masked(node))


def test_other_objects() -> None:
    """What has no elements is shown as text."""
    assert CONTRACT.masked({"x": {1}})["x"] == "{1}"


class Colour(enum.Enum):
    RED = "red"


class Opaque:
    def __str__(self) -> str:
        return "token=hunter2"


def test_values_without_elements() -> None:
    """An enumeration is logged as its value, anything else as its text."""
    value = {"colour": Colour.RED, "other": Opaque(), "inner": {}}
    assert CONTRACT.masked(value) == {"colour": "red", "other": "token=***", "inner": {}}
