"""Filling in and writing a declared output."""

import dataclasses
import sqlite3
from collections import namedtuple
from typing import Any

import msgspec
import pydantic
import pytest

from zato.core.attrdict import AttrDict
from zato.core.elements import CSV, Date, Dict, DictList, Int, Text, contract_of
from zato.core.errors import InvalidOutput

Row = namedtuple("Row", ["name", "email"])


class Customer:
    output = "name", "-email"


class Simple:
    class SimpleIO:  # noqa: D106 -- as users write it
        output_required = "name"
        output_optional = "email", Int("age")


@dataclasses.dataclass
class Typed:
    name: str
    email: str | None = None


class Struct(msgspec.Struct, rename="camel"):
    first_name: str
    email: str = ""


def written(payload: Any, service: type = Customer) -> Any:
    """Return what leaves of an answer; nothing of it is dropped."""
    warnings: list[str] = []
    left = contract_of(service).written(payload, warnings.append)
    assert not warnings
    return left


def refused(payload: Any, service: type = Customer) -> str:
    """Return what is wrong with an answer."""
    with pytest.raises(InvalidOutput) as caught:
        written(payload, service)
    return str(caught.value).removeprefix("The output does not fit what the service declares: ")


def test_attributes_and_items() -> None:
    """Elements are set by attribute or by item, and can be read."""
    payload = contract_of(Customer).blank()
    payload.name = "Jane"
    payload["email"] = "j@x"
    assert (payload.name, payload["name"], "email" in payload, bool(payload)) == ("Jane", "Jane", True, True)
    assert written(payload) == {"name": "Jane", "email": "j@x"}


def test_element_wins_over_a_method() -> None:
    """An element that is named as a method is that element."""
    payload = contract_of(type("Sample", (), {"output": ("append", "extend", "items")})).blank()
    payload.append, payload.extend, payload.items = 1, 2, 3
    service = type("Sample", (), {"output": ("append", "extend", "items")})
    assert written(payload, service) == {"append": 1, "extend": 2, "items": 3}


def test_rows() -> None:
    """Rows are appended, or set as a slice."""
    payload = contract_of(Customer).blank()
    payload.append({"name": 1})
    payload.extend(({"name": 2},))
    payload[2:] = [Row(3, "x"), {"name": 4}]
    payload[3] = {"name": 5}
    assert ([*payload][1], payload[0], len(payload)) == ({"name": 2}, {"name": 1}, 4)
    assert written(payload) == [{"name": 1}, {"name": 2}, {"name": 3, "email": "x"}, {"name": 5}]


def test_reading_what_is_not_set() -> None:
    """The message names what is."""
    payload = contract_of(Customer).blank()
    assert (bool(payload), list(payload)) == (False, [])
    with pytest.raises(AttributeError, match="'name' is not set in the output yet, only nothing"):
        payload.name  # noqa: B018


def test_its_text_has_no_values() -> None:
    """What is logged by accident has no secret in it."""
    payload = contract_of(Customer).blank()
    payload.name = "hunter2"
    assert repr(payload) == "<output with name set, 0 rows>"


def database_row() -> Any:
    """Return a row as sqlite3 makes it."""
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute("select 'Jane' as name, 'j@x' as email").fetchone()
    finally:
        connection.close()


@pytest.mark.parametrize(
    "row",
    [
        {"name": "Jane", "email": "j@x"},
        AttrDict(name="Jane", email="j@x"),
        Row("Jane", "j@x"),
        Typed("Jane", "j@x"),
        type("Object", (), {"name": "Jane", "email": "j@x", "phone": "5"})(),
        database_row(),
        '{"name": "Jane", "email": "j@x"}',
        b'{"name": "Jane", "email": "j@x"}',
    ],
    ids=["dict", "attributes", "namedtuple", "dataclass", "object", "database", "json", "bytes"],
)
def test_kinds_of_rows(row: Any) -> None:
    """A row is anything that has the elements."""
    expected = {"name": "Jane", "email": "j@x"}
    assert written(row) == expected
    assert isinstance(row, str | bytes) or written([row]) == [expected]


@pytest.mark.parametrize(
    "rows",
    [[{"name": 1}], ({"name": 1},), (row for row in [{"name": 1}]), {Row(1, 2)}, '[{"name": 1}]'],
    ids=["list", "tuple", "generator", "set", "json"],
)
def test_kinds_of_lists(rows: Any) -> None:
    """Several rows leave as a list, whatever they came in."""
    assert [row["name"] for row in written(rows)] == [1]


def test_optional_element_that_is_not_set_is_left_out() -> None:
    """By names, what is not there does not leave; a null does, and so does a default."""
    service = type("Sample", (), {"output": ("-a", "-b", Date("-c"), Int("d", default=5), Text("-e"))})
    assert written({"b": None, "c": ""}, service) == {"b": None, "d": 5}


@pytest.mark.parametrize(
    "payload", [None, "", {}, contract_of(Customer).blank()], ids=["none", "text", "dict", "blank"]
)
def test_required_element_that_is_not_set(payload: Any) -> None:
    """An answer without it is the service's mistake."""
    assert refused(payload) == "Element missing: name"


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (5, "The output is 5, which is no object"),
        ("Jane", "The output is 'Jane', which is no object"),
        ([{"name": 1}, {}], "Element missing: [1].name"),
        ([5], "[0] is 5, which is no object"),
        (object(), "The output is of type object, which is no object"),
    ],
)
def test_what_is_no_answer(payload: Any, message: str) -> None:
    """The message has the path to what is wrong."""
    assert refused(payload) == message


@pytest.mark.parametrize(
    ("payload", "names"),
    [
        ({"name": 1, "colour": 2}, "'colour'"),
        ([{"name": 1, "b": 2}, {"name": 1, "a": 2}], "'a', 'b'"),
        (
            {"name": 1, **{f"x{number:02}": 1 for number in range(12)}},
            "'x00', 'x01', 'x02', 'x03', 'x04', 'x05', ",
        ),
    ],
)
def test_undeclared_names(payload: Any, names: str) -> None:
    """They do not leave, and one warning names them, not too many."""
    warnings: list[str] = []
    contract_of(Customer).written(payload, warnings.append)
    assert len(warnings) == 1
    assert warnings[0].startswith(f"Dropped from the output, because it is not declared: {names}")
    assert "x11" not in warnings[0]


def test_undeclared_names_of_nested_objects() -> None:
    """They are named with their path."""
    service = type("Sample", (), {"output": Dict("order", DictList("lines", "sku"))})
    warnings: list[str] = []
    payload = {"order": {"lines": [{"sku": 1, "x": 2}, {"sku": 1, "x": 2}], "y": 3}}
    assert contract_of(service).written(payload, warnings.append) == {"order": {"lines": [{"sku": 1}, {"sku": 1}]}}
    assert warnings[0].endswith("'order.lines.x', 'order.y'")


def test_attributes_beside_rows_are_dropped() -> None:
    """An output is one object or a list; who fills in both is told."""
    warnings: list[str] = []
    payload = contract_of(Customer).blank()
    payload.email = "x"
    payload.append({"name": 1})
    assert contract_of(Customer).written(payload, warnings.append) == [{"name": 1}]
    assert warnings[0].endswith("'email'")


def test_simple_io_is_wrapped_and_complete() -> None:
    """Its answers stand under `response`, and have every optional element."""
    assert written({"name": 1}, Simple) == {"response": {"name": 1, "email": "", "age": ""}}
    assert written([{"name": 1, "age": ""}], Simple) == {"response": [{"name": 1, "email": "", "age": ""}]}


def test_what_is_wrapped_already_is_wrapped_once() -> None:
    """A service may hand on what another one answered."""
    assert written({"response": {"name": 1}}, Simple) == {"response": {"name": 1, "email": "", "age": ""}}


@pytest.mark.parametrize("key", ["", None])
def test_wrapper_can_be_left_out(key: Any) -> None:
    """Without a `response_elem` there is none."""
    simple = type("SimpleIO", (), {"output_required": "name", "response_elem": key})
    assert written({"name": 1}, type("Sample", (), {"SimpleIO": simple})) == {"name": 1}


def test_wrapper_can_be_named() -> None:
    """An element may have the name of the wrapper."""
    simple = type("SimpleIO", (), {"output_required": "answer", "response_elem": "answer"})
    assert written({"answer": 1}, type("Sample", (), {"SimpleIO": simple})) == {"answer": {"answer": 1}}


class Person(pydantic.BaseModel):
    response: str


@pytest.mark.parametrize("model", [Person, dataclasses.make_dataclass("Person", [("response", str)])])
def test_field_with_the_name_of_the_wrapper(model: Any) -> None:
    """A model's field may have it, too."""
    simple = type("SimpleIO", (), {"output": model})
    assert written({"response": "a"}, type("Sample", (), {"SimpleIO": simple})) == {"response": {"response": "a"}}


@pytest.mark.parametrize(
    ("payload", "expected"), [({"name": 1}, [{"name": 1}]), ([{"name": 1}], [{"name": 1}]), ("", []), ([], [])]
)
def test_output_repeated(payload: Any, expected: Any) -> None:
    """It leaves a list, whether there is one object, several or none."""
    simple = type("SimpleIO", (), {"output_required": "name", "output_repeated": True})
    assert written(payload, type("Sample", (), {"SimpleIO": simple})) == {"response": expected}


def test_list_of_a_model() -> None:
    """A service may declare that it answers with a list."""
    service = type("Sample", (), {"output": list[Typed]})
    assert written(Typed("a"), service) == [{"name": "a", "email": None}]
    assert written([{"name": "b"}], service) == [{"name": "b", "email": None}]


def test_renamed_fields() -> None:
    """An object leaves under the names of JSON, whichever its elements were set by."""
    service = type("Sample", (), {"output": Struct})
    expected = {"firstName": "Jane", "email": ""}
    blank = contract_of(service).blank()
    blank.first_name = "Jane"
    for payload in (Struct("Jane"), blank, {"firstName": "Jane"}, {"first_name": "Jane"}):
        assert written(payload, service) == expected


def test_csv() -> None:
    """A list leaves as text where that is declared."""
    assert written({"x": [1, 2]}, type("Sample", (), {"output": CSV("x")})) == {"x": "1,2"}


def test_without_a_declaration() -> None:
    """What a service answers leaves as it is."""
    contract = contract_of(type("Sample", (), {"input": "name"}))
    assert (contract.has_output, contract.blank(), contract.written(5, print)) == (False, None, 5)


def test_answer_that_holds_itself() -> None:
    """It is refused, and nothing breaks."""
    service = type("Sample", (), {"output": list[Endless]})
    node: dict[str, Any] = {}
    node["child"] = node
    assert refused(node, service) == "The output is nested too deeply"


@dataclasses.dataclass
class Endless:
    child: "Endless | None" = None
