"""What a class may declare, where it is found, and what keeps it from being deployed."""

import dataclasses
import typing
from datetime import date
from typing import Any, Optional

import msgspec
import pytest

from zato.core.elements import AsIs, Date, Dict, Int, Model, Secret, Text, contract_of
from zato.core.errors import ServiceDefinitionError


@dataclasses.dataclass
class Customer(Model):
    name: str


class Undecorated(Model):
    name: str


class Extended(Customer):
    age: int


class NoFields:
    pass


@dataclasses.dataclass
class Lost:
    x: "Nowhere"  # type: ignore[name-defined]  # noqa: F821


@dataclasses.dataclass
class Odd:
    x: NoFields


@dataclasses.dataclass
class OddUnion:
    x: NoFields | int


@dataclasses.dataclass
class Holds:
    x: list[Undecorated]


@dataclasses.dataclass
class Endless:
    again: "Endless"


@dataclasses.dataclass
class Chicken:
    egg: "Egg"


@dataclasses.dataclass
class Egg:
    chicken: Chicken


def service(**attributes: Any) -> type:
    """Return a class with attributes."""
    return type("Sample", (), attributes)


def simple(**attributes: Any) -> type:
    """Return a class with a SimpleIO."""
    return service(SimpleIO=type("SimpleIO", (), attributes))


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (service(input=("a", "-a")), "Sample.input: 'a' is declared twice"),
        (simple(input_required="a", input_optional="a"), "Sample.SimpleIO.input: 'a' is declared twice"),
        (service(input=Dict("a", "b", Int("b"))), "Sample.input, 'a': 'b' is declared twice"),
        (service(input=("a", "")), "Sample.input: '' is no name"),
        (service(input=("a", "-")), "Sample.input: '' is no name"),
        (service(input=("a", "--b")), "Sample.input: '-b' is no name"),
        (service(input=("a", " b")), "Sample.input: ' b' is no name"),
        (service(input=("a", "b,c")), "Sample.input: 'b,c' is no name"),
        (service(input="a,,b"), "Sample.input: '' is no name"),
        (service(input=("a", 5)), "Sample.input: 5 is neither a name nor a type"),
        (service(input=("a", Customer)), "Sample.input: <class "),
        (service(input=Int(5)), "Sample.input: 5 is no name. Names are text."),
        (service(input=Int()), "Sample.input: '' is no name"),
        (service(input=("a", Int)), "Sample.input: Int has no name. Write Int('its_name')"),
        (service(output=Int), "Sample.output: Int has no name. Write Int('its_name')"),
        (service(input=5), "Sample.input is 5. Give names and types"),
        (service(input={"a", "b"}), "Sample.input is {"),
        (service(input=NoFields), "Sample.input is the class NoFields, which has no fields. Write @dataclass above it"),
        (service(input=Undecorated), "Sample.input is the class Undecorated, which has no fields. Write @dataclass"),
        (service(input=Extended), "Extended has fields of its own. Write @dataclass above it."),
        (service(input=Holds), "Holds.x: list["),
        (service(input=Odd), "Odd.x: NoFields is no type of an input or output. Use a plain type"),
        (service(input=OddUnion), "OddUnion.x: "),
        (service(input=Lost), "Lost: the type of a field cannot be found: name 'Nowhere' is not defined"),
        (service(input=Endless), "Endless.again is always a Endless, which always has another one in it"),
        (service(input=Chicken), "Egg.chicken is always a Chicken, which always has another one in it"),
        (service(input="a", SimpleIO=NoFields), "Sample has both 'input' and a SimpleIO. Keep one"),
        (service(output="a", SimpleIO=NoFields), "Sample has both 'output' and a SimpleIO. Keep one"),
        (
            service(__annotations__={"input": Customer}, SimpleIO=NoFields),
            "Sample has both 'input' and a SimpleIO. Keep one",
        ),
        (simple(input_required=5), "Sample.SimpleIO.input_required is 5. Give names"),
        (simple(output_required="a", response_elem=5), "Sample.SimpleIO.response_elem is 5. Give the name of a key"),
    ],
)
def test_refused(cls: type, message: str) -> None:
    """The message names the attribute of the class, and says what to write."""
    with pytest.raises(ServiceDefinitionError) as caught:
        contract_of(cls)
    assert str(caught.value).startswith(message)


def annotated(annotation: Any, name: str = "input") -> type:
    """Return a class with an annotation and no value."""
    return service(__annotations__={name: annotation}, __module__=__name__, handle=lambda self: None)


@pytest.mark.parametrize("annotation", [Customer, "Customer", list[Customer], "list[Customer]", "list['Customer']"])
def test_annotations(annotation: Any) -> None:
    """A class by annotation, also where annotations are text."""
    contract = contract_of(annotated(annotation))
    assert (contract.has_input, contract.annotated_input, contract.annotated_output) == (True, True, False)
    assert contract_of(annotated(annotation, "output")).annotated_output


def test_annotation_of_a_class_without_methods() -> None:
    """Its module is where names are looked up."""
    assert contract_of(service(__annotations__={"input": "Customer"}, __module__=__name__)).has_input


@pytest.mark.parametrize("annotation", [Any, "Any", dict, dict[str, Any], object, None, typing.ClassVar[Any]])
def test_annotations_that_declare_nothing(annotation: Any) -> None:
    """A type that any object is says nothing of its elements."""
    assert not contract_of(annotated(annotation)).has_input


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ("Nowhere", "Sample.input is annotated as 'Nowhere', which cannot be found: name 'Nowhere' is not defined"),
        (str, "Sample.input is annotated as <class 'str'>, which has no fields"),
        (Optional[Customer], "Sample.input is annotated as "),  # noqa: UP045
    ],
)
def test_annotations_that_are_refused(annotation: Any, message: str) -> None:
    """What has no fields is no input."""
    with pytest.raises(ServiceDefinitionError) as caught:
        contract_of(annotated(annotation))
    assert str(caught.value).startswith(message)


def test_value_wins_over_annotation() -> None:
    """What is written with a value is a declaration by value."""
    contract = contract_of(service(__annotations__={"input": "Nowhere"}, input="name"))
    assert (contract.has_input, contract.annotated_input) == (True, False)


@pytest.mark.parametrize("value", [None, "", (), [], property(lambda self: 1), lambda self: 1, classmethod(print)])
def test_what_declares_nothing(value: Any) -> None:
    """Nothing is nothing, and a method or property of that name is the service's own."""
    assert not contract_of(service(input=value)).has_input


def test_nearest_of_value_and_annotation_wins() -> None:
    """A subclass may turn a base's names into a model."""
    base = service(input="a")
    sub = type("Sub", (base,), {"__annotations__": {"input": Customer}, "__module__": __name__})
    assert contract_of(sub).annotated_input
    assert not contract_of(type("Last", (sub,), {"input": "b"})).annotated_input


def test_empty_simple_io() -> None:
    """It declares nothing."""
    contract = contract_of(simple())
    assert (contract.has_input, contract.has_output) == (False, False)


def test_subclass_inherits() -> None:
    """Input and output are found on bases, each for itself."""
    base = service(input="a", output="b")
    contract = contract_of(type("Sub", (base,), {"output": "c"}))
    assert (contract.read({"a": 1}, {}), contract.written({"c": 1}, print)) == ({"a": 1}, {"c": 1})


def test_nearest_form_wins() -> None:
    """A subclass may declare in another form than its base."""
    old = simple(input_required="a")
    assert contract_of(type("Sub", (old,), {"input": "b"})).read({"b": 1}, {}) == {"b": 1}
    new = service(input="b")
    sub = type("Sub", (new,), {"SimpleIO": type("SimpleIO", (), {"input_required": "a"})})
    assert contract_of(sub).read({"a": 1}, {}) == {"a": 1}


def test_options_that_have_no_effect_are_noted() -> None:
    """What a SimpleIO says besides is no mistake, and may be a misspelt one."""
    notes = contract_of(simple(input_requird="a", force_type=True)).notes
    assert notes == (
        "Sample.SimpleIO.input_requird has no effect here. Did you mean 'input_required'?",
        "Sample.SimpleIO.force_type has no effect here.",
    )


class Struct(msgspec.Struct):
    name: str
    father: "Struct | None" = None


def test_described() -> None:
    """A declaration has a JSON form: what the elements are called, what they are, whether they need be there."""
    contract = contract_of(
        service(input=(Int("id"), Text("-name", default="x"), Dict("-by", Date("day"))), output=Struct)
    )
    assert contract.described() == {
        "input": {
            "elements": [
                {"name": "id", "type": "int", "required": True},
                {"name": "name", "type": "text", "required": False, "default": "x"},
                {
                    "name": "by",
                    "type": "dict",
                    "required": False,
                    "default": None,
                    "elements": [{"name": "day", "type": "date", "required": True}],
                },
            ],
            "is_list": False,
            "wrapper": None,
        },
        "output": {
            "elements": [
                {"name": "name", "type": "text", "required": True},
                {"name": "father", "type": "Struct", "required": False, "default": None, "elements": []},
            ],
            "is_list": False,
            "wrapper": None,
        },
    }


def test_described_without_a_declaration() -> None:
    """Nothing is described by nothing."""
    assert contract_of(service()).described() == {"input": None, "output": None}


def test_type_as_text() -> None:
    """A type in a debugger says what it declares."""
    assert (repr(Int("a")), repr(Int("-a"))) == ("Int(a)", "Int(-a)")


def test_nothing_takes_away_what_a_base_declares() -> None:
    """A subclass may take what it likes."""
    base = service(input="a", output="b")
    contract = contract_of(type("Sub", (base,), {"input": None}))
    assert (contract.has_input, contract.has_output) == (False, True)


def test_annotation_with_nothing_as_its_value() -> None:
    """`input: Customer = None` is how some type checkers want it."""
    assert contract_of(service(__annotations__={"input": Customer}, input=None, __module__=__name__)).annotated_input


def test_model_in_a_simple_io() -> None:
    """Newer services of older systems have models there; answers are wrapped as ever."""
    contract = contract_of(simple(input=Customer, output=list[Customer]))
    assert contract.read({"name": "Jane"}, {}) == Customer("Jane")
    assert contract.written([Customer("Jane")], print) == {"response": [{"name": "Jane"}]}
    with pytest.raises(ServiceDefinitionError, match=r"^Sample\.SimpleIO\.input is <class"):
        contract_of(simple(input=Customer, input_required="a"))


@pytest.mark.parametrize(
    ("element", "default"),
    [
        pytest.param(Secret("pin", default="1234"), "***", id="secret"),
        pytest.param(AsIs("login", default={"password": "hunter2"}), {"password": "***"}, id="secret-inside"),
        pytest.param(AsIs("other", default=NoFields()), "of type NoFields", id="no-json"),
        pytest.param(Date("day", default=date(2026, 1, 31)), "2026-01-31", id="date"),
    ],
)
def test_described_defaults(element: Any, default: Any) -> None:
    """A default is shown as JSON has it, without secrets."""
    assert contract_of(service(input=element)).described()["input"]["elements"][0]["default"] == default
