"""JSON to data of a type the caller names, and what is said of what does not fit."""

import enum
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypedDict
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.payload import to_text
from zato.core.typed import Misfit, member, reader_of

ID = UUID("12345678-1234-5678-1234-567812345678")
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Line:
    price: Decimal
    tags: set[str] = field(default_factory=set)


@dataclass
class Order:
    id: UUID
    due: datetime
    lines: list[Line]
    colour: Colour = Colour.RED
    before: "Order | None" = None


class Struct(msgspec.Struct, tag="struct"):
    when: date
    long: timedelta


class Keys(TypedDict):
    name: str


class Pair(NamedTuple):
    left: int
    right: str


@attrs.define
class Attrs:
    name: str


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)

    when: datetime
    price: Decimal
    inner: "Model | None" = None


@dataclass
class Picky:
    age: int

    def __post_init__(self) -> None:
        if self.age < 0:
            raise ValueError("nobody is that young")
        if self.age > 200:
            raise KeyError("nobody is that old")


ORDER = Order(ID, NOON, [Line(Decimal("1.10"), {"a"})])
MODEL = Model(when=NOON, price=Decimal("1.10"))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Order, Order(ID, NOON, [Line(Decimal("12345678901234567890.10"))], before=ORDER)),
        (list[Order], [ORDER]),
        (dict[str, Order], {"a": ORDER}),
        (Order | None, ORDER),
        (Struct, Struct(date(2026, 1, 2), timedelta(seconds=5))),
        (Keys, Keys(name="Ada")),
        (Pair, Pair(1, "2")),
        (Model, Model(when=NOON, price=Decimal("1.10"), inner=MODEL)),
        (list[Model], [MODEL]),
        (dict[str, Model], {"a": MODEL}),
        (Model | None, MODEL),
        (dict[int, float], {1: 1.5}),
        (set[int], {1, 2}),
        (Colour, Colour.RED),
        (UUID, ID),
        (datetime, NOON),
        (date, NOON.date()),
        (time, time(1, 2)),
        (timedelta, timedelta(days=1, microseconds=1)),
        (Decimal, Decimal("1.10")),
        (str, "plain"),
        (str, "12"),
        (str, '{"a": 1}'),
        (int, 12),
        (bool, True),
        (dict, {"a": [1]}),
        (Any, {"a": [1]}),
    ],
    ids=str,
)
def test_round_trip(kind: Any, value: object) -> None:
    """What a service returns comes out equal, if it is read as what it was."""
    assert reader_of(kind).read(to_text(value)) == value


def test_attrs() -> None:
    """Classes of attrs are read, though no service can return one."""
    assert reader_of(Attrs).read('{"name": "Ada"}') == Attrs("Ada")


@given(st.text(min_size=1))
def test_text_is_always_text(text: str) -> None:
    """Who wants a text gets one, whatever it looks like; only JSON's own quotes are taken off."""
    read = reader_of(str).read(to_text(text))

    assert read in (text, text.strip()[1:-1]) or text.strip().startswith('"')


@pytest.mark.parametrize(
    ("kind", "text", "problem", "path"),
    [
        pytest.param(Order, "[]", "Expected `object`, got `array`", "$", id="whole"),
        pytest.param(Order, "sorry", "Expected `object`, got `str`", "$", id="plain-text"),
        pytest.param(
            list[Line], '[{"price": 1}, {"price": []}]', "Expected `decimal`, got `array`", "$[1].price", id="x"
        ),
        pytest.param(Keys, "{}", "Object missing required field `name`", "$", id="missing"),
        pytest.param(dict[str, int], '{"a": "1"}', "Expected `int`, got `str`", "$[...]", id="not-converted"),
        pytest.param(Picky, '{"age": -1}', "nobody is that young", "$", id="own-check"),
        pytest.param(Picky, '{"age": 300}', "'nobody is that old'", "$", id="own-error"),
        pytest.param(int, "NaN", "Expected `int`, got `float`", "$", id="lenient"),
        pytest.param(Model, '{"price": 1}', "Field required, got {'price': 1}", "$.when", id="model"),
        pytest.param(list[Model], '[{"price": 1}]', "Field required, got {'price': 1}", "$[0].when", id="in-a-list"),
    ],
)
def test_misfit(kind: Any, text: str, problem: str, path: str) -> None:
    """It is said what was expected, what was found, and where."""
    with pytest.raises(Misfit) as caught:
        reader_of(kind).read(text)

    assert (caught.value.problem, caught.value.path) == (problem, path)


@pytest.mark.parametrize(
    ("kind", "text", "path"), [(list[int] | str, '[1, "a"]', "$[1]"), (Order | str, "{}", "$"), (int | str, "[1]", "$")]
)
def test_misfit_is_no_text(kind: Any, text: str, path: str) -> None:
    """An object or a list that does not fit a union with text is a mistake, and no text."""
    with pytest.raises(Misfit) as caught:
        reader_of(kind).read(text)

    assert caught.value.path == path


@pytest.mark.parametrize(
    ("kind", "text"), [(Order | str, "sorry"), (list[int] | str, "12"), (str | None, "[1"), (str | None, '{"a": 1}')]
)
def test_text_in_a_union(kind: Any, text: str) -> None:
    """What is no object and no list is text, and so is anything if nothing else could be meant."""
    assert reader_of(kind).read(text) == text


class Nothing:
    """No kind of data."""


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        pytest.param(Nothing, "is no kind of data. Use a dataclass", id="class"),
        pytest.param(list[Nothing], "is no kind of data. Use a dataclass", id="list-of-it"),
        pytest.param(dict[str, bytes], "bytes in it.*Use str", id="bytes"),
        pytest.param(12, "Type '12' is not supported", id="value"),
        pytest.param({}, "unhashable", id="unhashable"),
        pytest.param(Order | Line, "may not contain more than one dataclass", id="ambiguous"),
    ],
)
def test_no_type(kind: Any, why: str) -> None:
    """What nothing can be read as is refused before anything is sent."""
    with pytest.raises(TypeError, match=why):
        reader_of(kind)


def test_nan() -> None:
    """Numbers that only lenient parsers read can be had as numbers."""
    assert str(reader_of(list[float]).read("[NaN, 1]")) == "[nan, 1.0]"


@pytest.mark.parametrize("kind", [list[Decimal], list[Decimal | None]])
def test_digits_beside_nan(kind: Any) -> None:
    """Decimals keep their digits in lenient JSON too; where none are wanted, numbers are floats as ever."""
    text = "[NaN, 0.1000000000000000000000001]"

    assert reader_of(kind).read(text)[1] == Decimal("0.1000000000000000000000001")
    assert type(reader_of(list[Any]).read(text)[1]) is float


@pytest.mark.parametrize(
    ("text", "found"),
    [('{"a": 1, "b": 1.10}', "1.10"), ('{"b": {"c":[1.0]}}', '{"c":[1.0]}'), ("{}", None), ("[1]", None), ("x", None)],
)
def test_member(text: str, found: str | None) -> None:
    """One item of an object is taken out as it is written there."""
    assert member(text, "b") == found
