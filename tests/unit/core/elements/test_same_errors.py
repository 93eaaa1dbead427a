"""The same mistake gets the same message, in whichever form input and output are declared."""

import dataclasses
from datetime import date
from typing import Any

import msgspec
import pydantic
import pytest

from zato.core.elements import Bool, Date, Dict, DictList, Int, Model, Text, contract_of
from zato.core.errors import BadRequest, InvalidOutput

ORDER = Dict("order", DictList("lines", Text("sku"), Int("quantity")))
OPTIONAL = (Text("password"), Date("day"), Bool("urgent"))


class Names:
    input = output = "customer", ORDER, Text("-password"), Date("-day"), Bool("-urgent")


class Simple:
    class SimpleIO:  # noqa: D106 -- as users write it
        input_required = output_required = "customer", ORDER
        input_optional = output_optional = OPTIONAL
        response_elem = None


@dataclasses.dataclass
class Line(Model):
    sku: str
    quantity: int


@dataclasses.dataclass
class Order(Model):
    lines: list[Line]


@dataclasses.dataclass
class Purchase(Model):
    customer: Any
    order: Order
    password: str = ""
    day: date = date.min
    urgent: bool = False


class OfModel:
    input = output = Purchase


PlainLine = dataclasses.make_dataclass("PlainLine", [("sku", str), ("quantity", int)])
PlainOrder = dataclasses.make_dataclass("PlainOrder", [("lines", list[PlainLine])])  # type: ignore[valid-type]


@dataclasses.dataclass
class PlainPurchase:
    customer: Any
    order: PlainOrder  # type: ignore[valid-type]
    password: str = ""
    day: date = date.min
    urgent: bool = False


class OfDataclass:
    input: PlainPurchase
    output: PlainPurchase


class StructLine(msgspec.Struct):
    sku: str
    quantity: int


class StructOrder(msgspec.Struct):
    lines: list[StructLine]


class StructPurchase(msgspec.Struct):
    customer: Any
    order: StructOrder
    password: str = ""
    day: date = date.min
    urgent: bool = False


class OfStruct:
    input: StructPurchase
    output: StructPurchase


class PydanticLine(pydantic.BaseModel):
    sku: str
    quantity: int


class PydanticOrder(pydantic.BaseModel):
    lines: list[PydanticLine]


class PydanticPurchase(pydantic.BaseModel):
    customer: Any
    order: PydanticOrder
    password: str = ""
    day: date = date.min
    urgent: bool = False


class OfPydantic:
    input: PydanticPurchase
    output: PydanticPurchase


FORMS = [Names, Simple, OfModel, OfDataclass, OfStruct, OfPydantic]
LINES = [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 2}]
MISTAKES = [
    pytest.param({}, "Element missing: customer", id="missing"),
    pytest.param({"customer": 1, "order": {}}, "Element missing: order.lines", id="missing-below"),
    pytest.param(
        {"customer": 1, "order": {"lines": [*LINES, {"sku": "c"}]}},
        "Element missing: order.lines[2].quantity",
        id="missing-three-deep",
    ),
    pytest.param(
        {"customer": 1, "order": {"lines": [*LINES, {"sku": "c", "quantity": "x"}]}},
        "order.lines[2].quantity is 'x', which is no integer",
        id="wrong-three-deep",
    ),
    pytest.param({"customer": 1, "order": "x"}, "order is 'x', which is no object", id="no-object"),
    pytest.param({"customer": 1, "order": {"lines": {}}}, "order.lines is an object, which is no list", id="no-list"),
    pytest.param({"customer": 1, "order": {"lines": [5]}}, "order.lines[0] is 5, which is no object", id="no-item"),
    pytest.param(
        {"customer": 1, "order": {"lines": []}, "password": ["hunter2"]}, "password is no text", id="wrong-secret"
    ),
    pytest.param(
        {"customer": 1, "order": {"lines": []}, "day": "31.1.2026"},
        "day is '31.1.2026', which is no date such as '2026-01-31'",
        id="no-date",
    ),
    pytest.param(
        {"customer": 1, "order": {"lines": []}, "urgent": "maybe"},
        "urgent is 'maybe', which is neither true nor false",
        id="no-truth",
    ),
]
NULLS = [
    pytest.param({"customer": 1, "order": None}, "Element is null: order", id="null"),
    pytest.param(
        {"customer": 1, "order": {"lines": [{"sku": "a", "quantity": None}]}},
        "Element is null: order.lines[0].quantity",
        id="null-three-deep",
    ),
    pytest.param({"customer": 1, "order": {"lines": [None]}}, "Element is null: order.lines[0]", id="null-item"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("payload", "message"), [*MISTAKES, *NULLS])
def test_input(form: type, payload: Any, message: str) -> None:
    """What is wrong with an input is told in the same words, with the whole path."""
    with pytest.raises(BadRequest) as caught:
        contract_of(form).read(payload, {})
    assert str(caught.value) == message


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("payload", "message"), MISTAKES)
def test_output(form: type, payload: Any, message: str) -> None:
    """What is wrong with an output is told in the same words, to whoever wrote the service."""
    with pytest.raises(InvalidOutput) as caught:
        contract_of(form).written(payload, print)
    assert str(caught.value) == f"The output does not fit what the service declares: {message}"


@pytest.mark.parametrize("form", FORMS)
def test_what_is_right(form: type) -> None:
    """Numbers, dates and truths may come as text, in every form."""
    payload = {
        "customer": 1,
        "order": {"lines": [{"sku": "a", "quantity": "12"}]},
        "day": "2026-01-31",
        "urgent": "Yes",
    }
    found = contract_of(form).read(payload, {})
    assert (found.order.lines[0].quantity, found.day, found.urgent) == (12, date(2026, 1, 31), True)


@pytest.mark.parametrize("form", FORMS)
def test_query_string_fills_in(form: type) -> None:
    """What the payload lacks is taken from the query string; what it has wins."""
    payload = {"customer": "Jane", "order": {"lines": []}}
    found = contract_of(form).read(payload, {"customer": "Joe", "day": "2026-01-31", "other": "x"})
    assert (found.customer, found.day) == ("Jane", date(2026, 1, 31))


@pytest.mark.parametrize("form", FORMS)
def test_written(form: type) -> None:
    """Every form writes the same plain data."""
    payload = {"customer": 1, "order": {"lines": LINES}, "password": "x", "day": date(2026, 1, 31), "urgent": True}
    written = contract_of(form).written(payload, print)
    assert written == {**payload, "day": written["day"]}
    assert str(written["day"]) == "2026-01-31"


@pytest.mark.parametrize("form", FORMS)
def test_undeclared_names_are_dropped_with_one_warning(form: type) -> None:
    """A warning lists what does not leave."""
    warnings: list[str] = []
    payload = {"customer": 1, "order": {"lines": []}, "colour": "red", "size": 3}
    written = contract_of(form).written(payload, warnings.append)
    assert not {"colour", "size"} & set(written)
    assert warnings == ["Dropped from the output, because it is not declared: 'colour', 'size'"]
