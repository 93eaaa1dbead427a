"""Reading an input that is declared by names and types, or by a SimpleIO."""

import copy
import dataclasses
import json
import pickle
from typing import Any

import pytest

from zato.core.attrdict import AttrDict
from zato.core.elements import (
    CSV,
    AsIs,
    Bool,
    Date,
    Dict,
    DictList,
    Int,
    List,
    Model,
    Opaque,
    Secret,
    Text,
    contract_of,
)
from zato.core.errors import BadRequest
from zato.core.payload import encode


@dataclasses.dataclass
class Node(Model):
    child: "Node | None" = None


def read(declared: Any, payload: Any, params: dict[str, str] | None = None) -> Any:
    """Return what a service with a declared input gets."""
    return contract_of(type("Sample", (), {"input": declared})).read(payload, params or {})


def read_simple(payload: Any, **simple: Any) -> Any:
    """Return what a service with a SimpleIO gets."""
    declared = type("SimpleIO", (), simple)
    return contract_of(type("Sample", (), {"SimpleIO": declared})).read(payload, {})


def refused(declared: Any, payload: Any) -> str:
    """Return why an input is refused."""
    with pytest.raises(BadRequest) as caught:
        read(declared, payload)
    return str(caught.value)


@pytest.mark.parametrize(
    "declared", [("name", "-phone"), ["name", "-phone"], "name,-phone", "name, -phone", (AsIs("name"), AsIs("-phone"))]
)
def test_names(declared: Any) -> None:
    """Names come as a tuple, a list or one text; `-` makes one optional, and then it is an empty text."""
    assert read(declared, {"name": "Jane", "other": 1}) == {"name": "Jane", "phone": ""}


def test_one_name() -> None:
    """One name needs no tuple, and neither does one type."""
    assert (read("name", {"name": 1}).name, read(Int("age"), {"age": "1"}).age) == (1, 1)


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ("-name", ""),
        ("-customer_id", ""),
        ("-is_new", ""),
        (Text("-name"), ""),
        (Secret("-name"), ""),
        (AsIs("-name"), ""),
        (Int("-name"), None),
        (Bool("-name"), None),
        (Dict("-name"), None),
        (Int("name", default=5), 5),
        (Int("-name", default=5), 5),
        (Text("-name", default=None), None),
    ],
)
@pytest.mark.parametrize("payload", [{}, "null"])
def test_absent(element: Any, expected: Any, payload: Any) -> None:
    """An optional element that is not there, or null, is its default; else an empty text, or None if it has a type."""
    name = (element if isinstance(element, str) else element.name).removeprefix("-")
    assert read((element, "-x"), {name: None} if payload == "null" else {})[name] == expected


def test_default_is_not_shared() -> None:
    """What one call does to a default, the next one does not see."""
    contract = contract_of(type("Sample", (), {"input": List("tags", default=[])}))
    contract.read({}, {}).tags.append("x")
    assert contract.read({}, {}).tags == []


@pytest.mark.parametrize("kind", [AsIs, Opaque])
def test_null_is_a_value_of_anything(kind: Any) -> None:
    """Where any value will do, null will."""
    assert read(kind("x"), {"x": None}).x is None


@pytest.mark.parametrize("kind", [Int, Text, Bool, List, Dict, Secret, Date])
def test_null_is_no_value_of_a_type(kind: Any) -> None:
    """A required element that has a type is not null."""
    assert refused(kind("x"), {"x": None}) == "Element is null: x"


@pytest.mark.parametrize("kind", [Int, Bool, Date, CSV])
def test_empty_text_is_the_lack_of_what_is_no_text(kind: Any) -> None:
    """Forms send an empty text for a field that was not filled in."""
    expected: list[str] | None = [] if kind is CSV else None
    assert read(kind("-x"), {"x": ""}).x == expected
    assert read(kind("-x"), {}, {"x": ""}).x == expected


@pytest.mark.parametrize("payload", ["", None, b"", {}])
def test_empty_payload(payload: Any) -> None:
    """Nothing at all is an object without elements."""
    assert read("-name", payload) == {"name": ""}
    assert refused("name", payload) == "Element missing: name"


@pytest.mark.parametrize("payload", ['{"name": "Jane"}', b'{"name": "Jane"}', bytearray(b'{"name": "Jane"}')])
def test_text_that_is_json(payload: Any) -> None:
    """Services hand on JSON as text, callbacks get it so."""
    assert read("name", payload) == {"name": "Jane"}


def test_list_of_objects() -> None:
    """Each item of a list is read."""
    assert read(Int("x"), [{"x": "1"}, {"x": 2}]) == [{"x": 1}, {"x": 2}]
    assert refused(Int("x"), [{"x": 1}, {}]) == "Element missing: [1].x"


@pytest.mark.parametrize(
    ("payload", "word"), [("password=hunter2", "text"), (5, "a number"), (True, "true or false"), (1.5, "a number")]
)
def test_what_is_no_object(payload: Any, word: str) -> None:
    """The message says what was expected, and shows nothing of what came."""
    expected = f"The input has to be a JSON object with 'name', 'age'; it is {word}"
    assert refused(("name", Int("age"), "-phone"), payload) == expected


def test_object_of_a_class() -> None:
    """What a service hands on to another may be any object with the elements as attributes."""
    row = type("Row", (), {"name": "Jane", "age": "12"})()
    assert read(("name", Int("age"), "-phone"), row) == {"name": "Jane", "age": 12, "phone": ""}


def test_query_string() -> None:
    """What the payload lacks is taken from there; one text is a list of it."""
    found = read((Int("x"), "-y", List("-tags")), {"y": 1}, {"x": "5", "y": "2", "tags": "a"})
    assert found == {"x": 5, "y": 1, "tags": ["a"]}


def test_query_string_goes_for_each_of_several_objects() -> None:
    """What stands beside a list stands beside each object of it."""
    assert read(("a", "b"), [{"a": 1}, {"a": 2, "b": 3}], {"b": "x"}) == [{"a": 1, "b": "x"}, {"a": 2, "b": 3}]


def test_nested_objects() -> None:
    """Objects have elements of their own, to any depth; what is not declared is left out."""
    declared = Dict("order", "-note", DictList("lines", "sku", Dict("-price", Int("amount"))))
    payload = {"order": {"lines": [{"sku": "a", "price": {"amount": "5", "x": 1}}, {"sku": "b"}]}}
    found = read(declared, payload)
    assert (found.order.lines[0].price.amount, found.order.lines[1].price, found.order.note) == (5, None, "")


def test_object_without_declared_elements() -> None:
    """It has all that came, by attribute, too."""
    assert read(Dict("order"), {"order": {"customer": {"name": "Jane"}}}).order.customer.name == "Jane"


def test_declared_name_is_no_method() -> None:
    """An element named as a method of dicts is that element, and the input is a dict all the same."""
    names = ("items", "keys", "get", "copy", "values", "pop")
    payload = {name: [name] for name in names}
    found = read(names, payload)
    assert [getattr(found, name) for name in names] == list(payload.values())
    assert (dict(found), dict(**found), encode(found)) == (payload, payload, encode(payload))
    assert read(names, found) == payload


def test_methods_that_are_no_elements() -> None:
    """All else of a dict works."""
    found = read("name", {"name": "Jane"})
    assert (found.get("name"), found.get("x", 5), found["name"]) == ("Jane", 5, "Jane")
    assert json.dumps(found) == '{"name": "Jane"}'


def test_unknown_attribute_names_those_there_are() -> None:
    """A misspelt name is found at once."""
    with pytest.raises(AttributeError, match=r"^There is no 'nmae' here, only 'name', 'phone'\.$"):
        read(("name", "-phone"), {"name": "Jane"}).nmae  # noqa: B018


def test_element_can_be_set() -> None:
    """A hook may change the input."""
    found = read(("items", "x"), {"items": 1, "x": 2})
    found.items, found.x = 3, 4
    assert found == {"items": 3, "x": 4}


@pytest.mark.parametrize(
    "declared", [Secret("pin"), "password", Dict("login", Secret("pin")), DictList("logins", Secret("pin"))]
)
def test_secret_is_not_shown(declared: Any) -> None:
    """The input as text has no secret in it."""
    payload = {"pin": "hunter2", "password": "hunter2", "login": {"pin": "hunter2"}, "logins": [{"pin": "hunter2"}]}
    assert "hunter2" not in repr(read(declared, payload))


def test_secret_in_what_is_not_looked_into() -> None:
    """Neither has it those that stand in other values."""
    payload = {"data": {"password": "hunter2"}, "text": "password=hunter2", "list": [{"token": "hunter2"}]}
    shown = repr(read(("data", "text", "list", Dict("-more")), {**payload, "more": payload}))
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("declared", "payload"),
    [
        (Secret("pin"), {"pin": ["hunter2"]}),
        (Int("password"), {"password": "hunter2"}),
        (Dict("token", Int("x")), {"token": {"x": "hunter2"}}),
        (Int("x"), {"x": "password=hunter2"}),
        (Int("x"), {"x": {"password": "hunter2"}}),
        (DictList("x", Secret("pin")), {"x": [{"pin": {"a": "hunter2"}}]}),
        (DictList("x", Secret("pin")), {"x": '[{"pin": "hunter2"}]'}),
    ],
)
def test_secret_is_in_no_message(declared: Any, payload: Any) -> None:
    """A message about a secret does not show it."""
    assert "hunter2" not in refused(declared, payload)


def test_cause_of_an_error_is_not_kept() -> None:
    """A traceback in the log has no values in it either."""
    with pytest.raises(BadRequest) as caught:
        read(Secret("pin"), {"pin": ["hunter2"]})
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_without_a_declaration() -> None:
    """The input is the payload, by attribute."""
    contract = contract_of(type("Sample", (), {}))
    assert (contract.has_input, contract.read({"a": {"b": 1}}, {}).a.b, contract.read("x", {})) == (False, 1, "x")


def test_simple_io() -> None:
    """What is required and what is optional stand apart, as names or types, one or several."""
    found = read_simple({"name": 1, "age": "5"}, input_required=("name", Int("age")), input_optional="phone, fax")
    assert found == {"name": 1, "age": 5, "phone": "", "fax": ""}


@pytest.mark.parametrize(("default", "expected"), [("none", "none"), (None, None), (0, 0)])
def test_default_value_of_a_simple_io(default: Any, expected: Any) -> None:
    """It stands for each optional element that is not there, of whatever type, unless that has its own."""
    optional = ("phone", Int("age"), Int("size", default=3))
    found = read_simple({}, input_optional=optional, default_value=default)
    assert found == {"phone": expected, "age": expected, "size": 3}


def test_default_value_goes_for_nested_objects() -> None:
    """It stands for their optional elements, too."""
    found = read_simple({"order": {}}, input_required=Dict("order", Int("-age")), default_value="none")
    assert found.order.age == "none"


@pytest.mark.parametrize("payload", [{"request": {"name": 1}}, {"name": 1}])
def test_request_elem(payload: Any) -> None:
    """The input may stand under a key; without it, it is the whole."""
    assert read_simple(payload, input_required="name", request_elem="request") == {"name": 1}


def test_simple_io_may_have_input_and_output() -> None:
    """The shorter names work inside, too."""
    assert read_simple({"name": 1}, input=("name", "-phone")) == {"name": 1, "phone": ""}


def test_payload_that_holds_itself() -> None:
    """What a service hands on cannot bring another one down."""

    class Sample:
        input = Node

    node: dict[str, Any] = {}
    node["child"] = node
    with pytest.raises(BadRequest, match=r"^The input is nested too deeply$"):
        contract_of(Sample).read(node, {})


def test_input_is_an_attr_dict() -> None:
    """What takes dicts takes it."""
    assert isinstance(read("name", {"name": 1}), AttrDict)


def test_one_item_of_a_query_string_is_a_list() -> None:
    """The payload of a GET is its query string, where a name that comes once is no list yet."""
    assert read(List("tags"), {"tags": "a"}, {"tags": "a"}) == {"tags": ["a"]}
    assert read(List("tags"), {"tags": ["a", "b"]}, {"tags": "b"}) == {"tags": ["a", "b"]}


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda found: pickle.loads(pickle.dumps(found))])
def test_copies_of_an_input(copied: Any) -> None:
    """They are made by item, because elements may be called as methods are; they show no secret either."""
    payload = {"items": [1], "keys": 2, "copy": 3, "password": "hunter2"}
    found = read(tuple(payload), payload)
    again = copied(found)
    assert (again == found, again.password, "hunter2" in repr(again)) == (True, "hunter2", False)


def test_deep_copy_of_an_input_is_its_own() -> None:
    """What is changed in one is not changed in the other."""
    found = read("rows", {"rows": [1]})
    copy.deepcopy(found).rows.append(2)
    assert found.rows == [1]


def test_json_in_a_text_is_not_shown() -> None:
    """Encoded twice, it has secrets in it whose names only the declaration knows."""
    assert refused(DictList("cards", Secret("number")), {"cards": '[{"number": "5500"}]'}) == (
        "cards is JSON in a text, which is no list"
    )
