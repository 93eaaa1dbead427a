"""Classes with typed fields as input: dataclasses, models, structs and pydantic models."""

import dataclasses
import enum
import gc
import typing
import weakref
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal, NewType, Optional
from uuid import UUID

import msgspec
import pydantic
import pytest
from typing_extensions import TypeAliasType

from zato.core.elements import Model, contract_of
from zato.core.errors import BadRequest, InvalidOutput, InvalidPayload, ServiceDefinitionError

Sku = NewType("Sku", str)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


def read(model: Any, payload: Any) -> Any:
    """Return what a service with an input of a class gets."""
    return contract_of(type("Sample", (), {"input": model})).read(payload, {})


def refused(model: Any, payload: Any) -> str:
    """Return why an input is refused."""
    with pytest.raises(BadRequest) as caught:
        read(model, payload)
    return str(caught.value)


def one_field(hint: Any) -> Any:
    """Return a dataclass with one field of a type."""
    return dataclasses.make_dataclass("One", [("x", hint)])


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (list[int], ["1", 2], [1, 2]),
        (typing.List[int], ["1"], [1]),  # noqa: UP006
        (typing.List, ["1"], ["1"]),  # noqa: UP006
        (Sequence[int], ["1"], [1]),
        (list[int | None], [None, "1"], [None, 1]),
        (dict[str, int], {"a": "1"}, {"a": 1}),
        (typing.Dict, {"a": "1"}, {"a": "1"}),  # noqa: UP006
        (dict[int, int], {"1": "2"}, {1: 2}),
        (dict, {"a": 1}, {"a": 1}),
        (int | None, None, None),
        (Optional[int], "5", 5),  # noqa: UP045
        (int | str | None, None, None),
        (int | str, "a", "a"),
        (int | str, 5, 5),
        (Any, None, None),
        (object, [1], [1]),
        (date | str, "2026-01-31", date(2026, 1, 31)),
        (date | str, "soon", "soon"),
        (date | str | None, None, None),
        (Sku, "a", "a"),
        (TypeAliasType("Years", int), "5", 5),
        (typing.Mapping[str, int], {"a": "1"}, {"a": 1}),
        (Annotated[list[int], ["unhashable"]], ["1"], [1]),
        (Annotated[int, "years"], "5", 5),
        (Annotated[int, msgspec.Meta(ge=1)], "5", 5),
        (Colour, "red", Colour.RED),
        (Literal["a", "b"], "a", "a"),
        (tuple[int, int], ["1", 2], (1, 2)),
        (set[int], [1, 1], {1}),
    ],
)
def test_types(hint: Any, value: Any, expected: Any) -> None:
    """What fields are annotated with is what they get, from text if need be."""
    assert read(one_field(hint), {"x": value}).x == expected


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (list[int], [1, "x"], "x[1] is 'x', which is no integer"),
        (list[int], [None], "Element is null: x[0]"),
        (list[int], "1", "x is '1', which is no list"),
        (dict[str, int], {"a": "x"}, "x.a is 'x', which is no integer"),
        (dict[str, int], [1], "x is a list, which is no object"),
        (dict[str, str], {"password": ["hunter2"]}, "x.password is no text"),
        (date | UUID, "soon", "x is 'soon', which is none of date, uuid"),
        (Colour, "green", "x is 'green', which is none of 'red', 'blue'"),
        (Literal["a", "b"], "c", "x is 'c', which is none of 'a', 'b'"),
        (Annotated[int, msgspec.Meta(ge=1)], 0, "x is 0: Expected `int` >= 1"),
        (tuple[int, int], [1, "x"], "x[1] is 'x', which is no integer"),
        (tuple[int, int], [1, None], "Element is null: x[1]"),
        (tuple[int, int], [1], "x is a list: Expected `array` of length 2, got 1"),
        (dict[int, int], {"1": "x"}, "x is an object: inside of it, expected `int`, got `str`"),
    ],
)
def test_refused(hint: Any, value: Any, message: str) -> None:
    """What is wrong has its path, also in what is left to msgspec."""
    assert refused(one_field(hint), {"x": value}) == message


@dataclasses.dataclass
class Person(Model):
    name: str
    phone: str | None
    tags: list[str] = dataclasses.field(default_factory=list)
    age: int = 5
    password: str = ""
    greeting: str = dataclasses.field(init=False, default="")

    def __post_init__(self) -> None:
        if self.age < 0:
            raise ValueError("age is below 0, password=hunter2")
        self.greeting = f"Hello {self.name}"


def test_model() -> None:
    """A field with a default may be left out; in a model so may one that may be null."""
    found = read(Person, {"name": "Jane", "age": None, "greeting": "ignored"})
    assert found == Person("Jane", None, [], 5)
    assert found.tags is not read(Person, {"name": "Joe"}).tags


def test_what_a_class_refuses_itself() -> None:
    """Its ValueError is the caller's mistake, without the secrets that it may name."""
    assert refused(Person, {"name": "Jane", "age": -1}) == "The input is not legal: age is below 0, password=***"
    family = dataclasses.make_dataclass("Family", [("people", list[Person])])
    message = "people[0] is not legal: age is below 0, password=***"
    assert refused(family, {"people": [{"name": "Jane", "age": -1}]}) == message


def test_computed_field_is_written() -> None:
    """What a class computes itself is not read, and leaves."""
    contract = contract_of(type("Sample", (), {"output": Person}))
    assert contract.written(Person("Jane", None), print)["greeting"] == "Hello Jane"


def test_secret_is_not_in_the_text_of_a_model() -> None:
    """A model as text has no secret in it, unless its class says otherwise."""
    assert "password=***, greeting='Hello Jane'" in repr(Person("Jane", None, password="hunter2"))


def test_dict_of_a_model() -> None:
    """A model and the dict of its fields are the same."""
    person = Person("Jane", "5", ["a"])
    assert Person.from_dict(person.to_dict() | {"greeting": "x"}) == Person.from_json(person.to_json()) == person


def test_models_in_a_model_become_dicts() -> None:
    """Also in lists and dicts; what was never set is left out."""
    holder = Holder()
    holder.people, holder.by_name = [Person("Jane", None)], {"joe": Person("Joe", None)}
    found = holder.to_dict()
    assert (found["people"][0]["name"], found["by_name"]["joe"]["name"], "other" in found) == ("Jane", "Joe", False)


@dataclasses.dataclass(init=False)
class Holder(Model):
    people: list[Person]
    by_name: dict[str, Person]
    other: int


def test_model_without_an_initializer() -> None:
    """Older services write it so: attributes are set one by one."""
    found = read(Holder, {"people": [{"name": "Jane"}], "by_name": {}, "other": "5"})
    assert (found.people[0].name, found.other) == ("Jane", 5)


def test_from_dict_and_from_json_refuse() -> None:
    """They tell what a service's input would."""
    with pytest.raises(BadRequest, match=r"^Element missing: name$"):
        Person.from_dict({})
    with pytest.raises(BadRequest, match=r"^Person is a list, which is no object$"):
        Person.from_json("[]")
    with pytest.raises(InvalidPayload):
        Person.from_json("{")


@dataclasses.dataclass
class Node(Model):
    name: str
    children: "list[Node]" = dataclasses.field(default_factory=list)
    parent: "Node | None" = None


def test_model_that_refers_to_itself() -> None:
    """A list of its own kind, or one that may be absent, is read to any depth, with the path."""
    found = read(Node, {"name": "a", "children": [{"name": "b", "parent": {"name": "c"}}]})
    assert found.children[0].parent.name == "c"
    assert refused(Node, {"name": "a", "children": [{"name": "b", "children": [{}]}]}) == (
        "Element missing: children[0].children[0].name"
    )


def test_deepest_payload() -> None:
    """The deepest JSON that comes in is read."""
    payload: dict[str, Any] = {"name": "x"}
    for _ in range(99):
        payload = {"name": "x", "children": [payload]}
    assert read(Node, payload).children[0].children[0].name == "x"


def test_model_that_is_handed_on() -> None:
    """A service may be given an instance; it is read already."""
    person = Person("Jane", None)
    assert (read(Person, person), read(list[Person], [person])) == (person, [person])


def test_list_of_a_model() -> None:
    """It takes a list, and nothing else."""
    assert [person.name for person in read(list[Person], [{"name": "a"}, {"name": "b"}])] == ["a", "b"]
    message = "The input has to be a list of JSON objects with 'name'; it is "
    assert refused(list[Person], {"name": "a"}) == f"{message}one object"
    assert refused(list[Person], "") == f"{message}empty"


def test_model_takes_no_list() -> None:
    """Where one is declared, a list is refused."""
    assert refused(Person, []) == "The input has to be a JSON object with 'name'; it is a list"


class Pet(msgspec.Struct, rename="camel", forbid_unknown_fields=True, tag="pet", tag_field="kind"):
    full_name: str
    born: date | msgspec.UnsetType = msgspec.UNSET
    tags: list[str] = []


def test_struct() -> None:
    """A struct's own rules hold: other names, no unknown ones, a tag, what is unset."""
    assert read(Pet, {"fullName": "Rex", "kind": "pet", "born": "2026-01-31"}) == Pet("Rex", date(2026, 1, 31))
    assert refused(Pet, {"full_name": "Rex"}).startswith("full_name is not legal: it has to be left out")
    assert refused(Pet, {"fullName": "Rex", "kind": "car"}) == "kind is 'car', which is not 'pet'"
    assert refused(Pet, {}) == "Element missing: fullName"


def test_struct_is_written() -> None:
    """With its tag, without what is unset."""
    contract = contract_of(type("Sample", (), {"output": Pet}))
    warnings: list[str] = []
    assert contract.written(Pet("Rex"), warnings.append) == {"kind": "pet", "fullName": "Rex", "tags": []}
    assert contract.written({"kind": "pet", "fullName": "Rex"}, warnings.append)["kind"] == "pet"
    assert not warnings


class Account(msgspec.Struct):
    password: int = msgspec.field(name="pw")


def test_renamed_secret() -> None:
    """It is one by either of its names."""
    assert refused(Account, {"pw": "hunter2"}) == "pw is no integer"
    assert contract_of(type("Sample", (), {"input": Account})).masked({"pw": "hunter2"}) == {"pw": "***"}


def test_field_that_may_be_null_is_required() -> None:
    """Only a model lets it be left out, as older services expect."""
    assert refused(one_field(int | None), {}) == "Element missing: x"


def test_computed_field_of_a_dict() -> None:
    """Who answers with a dict need not compute it."""
    fields: list[Any] = [("a", int), ("b", int, dataclasses.field(init=False))]
    contract = contract_of(type("Sample", (), {"output": dataclasses.make_dataclass("Sum", fields)}))
    assert contract.written({"a": 1}, print) == {"a": 1}


class Member(pydantic.BaseModel):
    full_name: str = pydantic.Field(alias="fullName", min_length=2)
    age: int = 5
    password: str = "hunter2"

    @pydantic.field_validator("age")
    @classmethod
    def check(cls, age: int) -> int:
        """Refuse what is below 0."""
        if age < 0:
            raise ValueError("below 0")
        return age


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({}, "Element missing: fullName"),
        ({"fullName": "x"}, "fullName is 'x': String should have at least 2 characters"),
        ({"fullName": None}, "Element is null: fullName"),
        ({"fullName": "Jane", "age": -1}, "age is not legal: Value error, below 0"),
        ({"fullName": "Jane", "age": 1.5}, "age is 1.5, which is no integer"),
        ({"fullName": "Jane", "password": ["hunter2"]}, "password is no text"),
    ],
)
def test_pydantic(payload: Any, message: str) -> None:
    """What pydantic finds is told in our words, or else in its own."""
    assert refused(Member, payload) == message


def test_pydantic_is_written() -> None:
    """Under the names of JSON."""
    contract = contract_of(type("Sample", (), {"output": Member}))
    assert contract.written(Member(fullName="Jane"), print) == {"fullName": "Jane", "age": 5, "password": "hunter2"}


def test_pydantic_is_described() -> None:
    """Its fields have a JSON form like any others."""
    described = contract_of(type("Sample", (), {"input": Member})).described()["input"]["elements"]
    assert described[:2] == [
        {"name": "fullName", "type": "str", "required": True},
        {"name": "age", "type": "int", "required": False},
    ]


def test_enumeration_is_written() -> None:
    """As its value, also in a list and in a dict."""
    fields = [("x", Colour), ("many", list[Colour]), ("named", dict[str, Colour])]
    contract = contract_of(type("Sample", (), {"output": dataclasses.make_dataclass("Colours", fields)}))
    payload = {"x": Colour.RED, "many": (Colour.RED,), "named": {"a": Colour.BLUE}}
    assert contract.written(payload, print) == {"x": "red", "many": ["red"], "named": {"a": "blue"}}


def test_union_of_models() -> None:
    """The first one that fits is taken, in both directions."""
    contract = contract_of(type("Sample", (), {"output": one_field(Account | Node)}))
    for value in (Node("a"), {"name": "a"}):
        assert contract.written({"x": value}, print) == {"x": {"name": "a", "children": [], "parent": None}}
    with pytest.raises(InvalidOutput, match=r"x is an object, which is none of Account, Node"):
        contract.written({"x": {}}, print)
    assert read(one_field(Account | Node), {"x": {"name": "a"}}).x == Node("a")


def test_struct_in_a_union() -> None:
    """What is left to msgspec misses elements in the same words."""
    assert refused(one_field(Pet | int), {"x": {"kind": "pet"}}) == "Element missing: x.fullName"


def test_pydantic_takes_the_query_string() -> None:
    """What the payload lacks is taken from there, under the names of JSON."""
    contract = contract_of(type("Sample", (), {"input": Member}))
    assert contract.read({"age": 1}, {"fullName": "Jane", "age": "2"}) == Member(fullName="Jane", age=1)


def test_pydantic_in_a_dataclass() -> None:
    """Forms can be mixed."""
    team = dataclasses.make_dataclass("Team", [("members", list[Member])])
    assert read(team, {"members": [{"fullName": "Jane"}]}).members[0].full_name == "Jane"
    assert refused(team, {"members": [{}]}) == "Element missing: members[0].fullName"


def test_fields_of_a_model_are_checked_when_the_class_is_made() -> None:
    """`dataclass` would say it, but not which field of which class, and what to write."""
    with pytest.raises(
        ServiceDefinitionError, match=r"^Wrong\.tags has a list as its default.* field\(default_factory="
    ):

        class Wrong(Model):
            tags: list[str] = []  # noqa: RUF012 -- what it is about


def test_field_with_the_name_of_a_method() -> None:
    """It would hide the method."""
    with pytest.raises(ServiceDefinitionError, match=r"^Wrong\.to_dict: models have a method of this name"):

        class Wrong(Model):
            to_dict: str  # type: ignore[assignment]


@dataclasses.dataclass
class Login(Model):
    password: str
    extra: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.password) < 8:
            raise ValueError(f"{self.password!r} has less than 8 characters")


class PydanticLogin(pydantic.BaseModel):
    password: str

    @pydantic.field_validator("password")
    @classmethod
    def check(cls, value: str) -> str:
        raise ValueError(f"{value!r} has less than 8 characters")


@pytest.mark.parametrize(
    ("model", "payload", "message"),
    [
        (Login, {"password": "ab-12"}, "The input is not legal: '***' has less than 8 characters"),
        (one_field(Login), {"x": {"password": "ab-12"}}, "x is not legal: '***' has less than 8 characters"),
        (PydanticLogin, {"password": "ab-12"}, "password is not legal: Value error, '***' has less than 8 characters"),
    ],
)
def test_secret_in_what_a_class_says(model: Any, payload: Any, message: str) -> None:
    """A validator's text is passed on, without the secret it has in it."""
    assert refused(model, payload) == message


def test_secrets_inside_of_fields_are_not_in_the_text_of_a_model() -> None:
    """The text of a model shows as little as that of an input."""
    assert repr(Login("ab-12-cd-34", {"token": "ab-12"})) == "Login(password=***, extra={'token': '***'})"


def test_model_is_compiled_once() -> None:
    """A subclass has fields of its own, all the same."""

    @dataclasses.dataclass
    class Base(Model):
        a: int

    assert Base.from_dict({"a": "1"}) == Base(1)

    @dataclasses.dataclass
    class Sub(Base):
        b: int

    assert Sub.from_dict({"a": 1, "b": "2"}) == Sub(1, 2)
    assert vars(Base)["_zato_shape"] is not vars(Sub)["_zato_shape"]
    assert [Base.from_dict({"a": 3}), Base._zato_shape] == [Base(3), vars(Base)["_zato_shape"]]  # type: ignore[attr-defined]


@dataclasses.dataclass
class Strict:
    values: dict[str, int]


def test_long_names_are_cut_in_messages() -> None:
    """Whoever sends a key of a megabyte does not get it back."""
    assert refused(Strict, {"values": {"k" * 10_000: "x"}}) == f"values.{'k' * 80} is 'x', which is no integer"


class Counted:
    """Says whether anything still has it."""


@pytest.mark.parametrize("model", [Strict, one_field(Literal["a"]), PydanticLogin])
def test_refused_input_is_not_kept(model: Any) -> None:
    """What was refused, and who asked, is free at once: no error holds the frames it went through."""

    def attempt() -> "weakref.ref[Counted]":
        caller = Counted()
        with suppress(BadRequest):
            read(model, {"values": {"a": "x"}, "x": "b", "password": "a"})
        return weakref.ref(caller)

    gc.collect()
    gc.disable()
    try:
        assert attempt()() is None
    finally:
        gc.enable()
