"""What values of each type are made of, coming in and going out."""

import enum
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zato.core import elements as e
from zato.core.elements import contract_of
from zato.core.errors import BadRequest, InvalidOutput

ID = UUID("12345678-1234-5678-1234-567812345678")
NOON = datetime(2026, 1, 31, 12)  # noqa: DTZ001 -- without a time zone, as some are
NOON_UTC = NOON.replace(tzinfo=UTC)
MIDNIGHT = datetime.combine(NOON, time())
NOON_IN_TEXT = "2026-01-31T12:00:00"


class Colour(enum.Enum):
    RED = "red"


def contract(kind: Any) -> Any:
    """Return the contract of a service with one element of a type."""
    return contract_of(type("Sample", (), {"input": kind("x"), "output": kind("x")}))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (e.Int, 12, 12),
        (e.Int, "12", 12),
        (e.Int, " -12 ", -12),
        (e.Int, 12.0, 12),
        (e.Float, 1.5, 1.5),
        (e.Float, "1.5", 1.5),
        (e.Float, 1, 1.0),
        (e.Float, Decimal("1.5"), 1.5),
        (e.Decimal, 0.1, Decimal("0.1")),
        (e.Decimal, "0.10", Decimal("0.10")),
        (e.Decimal, 7, Decimal(7)),
        (e.Text, "a", "a"),
        (e.Text, 12, "12"),
        (e.Text, Colour.RED, "red"),
        (e.Secret, "a", "a"),
        (e.Secret, 12, "12"),
        (e.Date, "2026-01-31", date(2026, 1, 31)),
        (e.Date, date(2026, 1, 31), date(2026, 1, 31)),
        (e.Date, "2026-01-31T00:00:00", date(2026, 1, 31)),
        (e.DateTime, NOON_IN_TEXT, NOON),
        (e.DateTime, NOON_IN_TEXT + "Z", NOON_UTC),
        (e.DateTime, "2026-01-31", MIDNIGHT),
        (e.DateTime, date(2026, 1, 31), MIDNIGHT),
        (e.UTC, NOON_IN_TEXT, NOON_UTC),
        (e.UTC, "2026-01-31T14:00:00+02:00", NOON_UTC),
        (e.UUID, str(ID), ID),
        (e.UUID, ID.hex, ID),
        (e.UUID, ID, ID),
        (e.CSV, "a, b", ["a", "b"]),
        (e.CSV, 'a,"b, c"', ["a", "b, c"]),
        (e.CSV, "", []),
        (e.CSV, ["a", 1], ["a", 1]),
        (e.List, [1, "a"], [1, "a"]),
        (e.List, (1, 2), [1, 2]),
        (e.Dict, {"a": {"b": 1}}, {"a": {"b": 1}}),
        (e.DictList, [{"a": 1}], [{"a": 1}]),
        (e.AsIs, {"a": [1]}, {"a": [1]}),
        (e.Opaque, "a", "a"),
    ],
)
def test_read(kind: Any, value: Any, expected: Any) -> None:
    """A value becomes one of the type, from text and from what Python services hand on."""
    found = contract(kind).read({"x": value}, {}).x
    assert (type(found) is type(expected) or isinstance(expected, dict), found) == (True, expected)


@pytest.mark.parametrize("word", ["true", "TRUE", "1", "yes", "On", 1, True])
def test_words_for_true(word: Any) -> None:
    """True has several words, in any case."""
    assert contract(e.Bool).read({"x": word}, {}).x is True


@pytest.mark.parametrize("word", ["false", "False", "0", "no", "OFF", 0, False])
def test_words_for_false(word: Any) -> None:
    """So has false."""
    assert contract(e.Bool).read({"x": word}, {}).x is False


@pytest.mark.parametrize(
    ("kind", "value", "but"),
    [
        (e.Int, "x", "'x', which is no integer"),
        (e.Int, "", "'', which is no integer"),
        (e.Int, "1_0", "'1_0', which is no integer"),
        (e.Int, 1.5, "1.5, which is no integer"),
        (e.Int, float("inf"), "inf, which is no integer"),
        (e.Int, float("nan"), "nan, which is no integer"),
        (e.Int, True, "True, which is no integer"),
        pytest.param(e.Int, "9" * 5000, f"'{'9' * 79}, which is no integer", id="long"),
        (e.Float, "nan", "'nan', which is no number"),
        pytest.param(e.Float, 10**400, "a very large number, which is no number", id="large-float"),
        (e.Float, False, "False, which is no number"),
        (e.Decimal, "NaN", "'NaN', which is no number"),
        (e.Decimal, "1_0", "'1_0', which is no number"),
        (e.Decimal, float("inf"), "inf, which is no number"),
        (e.Decimal, True, "True, which is no number"),
        (e.Bool, "maybe", "'maybe', which is neither true nor false"),
        (e.Bool, 2, "2, which is neither true nor false"),
        (e.Bool, [], "a list, which is neither true nor false"),
        (e.Text, True, "True, which is no text"),
        (e.Text, {}, "an object, which is no text"),
        pytest.param(e.Text, 10**5000, "a very large number, which is no text", id="large-text"),
        (e.Date, "2026-02-30", "'2026-02-30', which is no date such as '2026-01-31'"),
        (e.Date, NOON_IN_TEXT, f"'{NOON_IN_TEXT}', which is no date such as '2026-01-31'"),
        (e.DateTime, 12, "12, which is no date and time such as '2026-01-31T12:00:00'"),
        (e.UTC, "0001-01-01T00:00+05:00", "'0001-01-01T00:00+05:00', which is no date and time such as"),
        (e.UUID, "x", "'x', which is no UUID"),
        (e.UUID, 5, "5, which is no UUID"),
        (e.CSV, 5, "5, which is no list"),
        (e.CSV, '"a', "'\"a', which is no list"),
        (e.List, "a", "'a', which is no list"),
        (e.List, {"a": 1}, "an object, which is no list"),
        (e.Dict, [1], "a list, which is no object"),
        (e.DictList, {"a": 1}, "an object, which is no list"),
        (e.Int, NOON, "of type datetime, which is no integer"),
    ],
)
def test_refused(kind: Any, value: Any, but: str) -> None:
    """What does not convert is shown, as short as it can be, with what it is not."""
    with pytest.raises(BadRequest) as caught:
        contract(kind).read({"x": value}, {})
    assert str(caught.value).startswith(f"x is {but}")


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (e.Int, "12", 12),
        (e.Bool, "yes", True),
        (e.Float, Decimal("1.5"), 1.5),
        (e.Decimal, "0.10", Decimal("0.10")),
        (e.Text, ID, str(ID)),
        (e.Text, date(2026, 1, 31), "2026-01-31"),
        (e.Date, NOON, "2026-01-31"),
        (e.Date, "2026-01-31", "2026-01-31"),
        (e.DateTime, NOON, NOON_IN_TEXT),
        (e.DateTime, NOON_UTC, NOON_IN_TEXT + "Z"),
        (e.UTC, NOON, NOON_IN_TEXT + "Z"),
        (e.UTC, NOON.replace(tzinfo=timezone(timedelta(hours=2))), "2026-01-31T10:00:00Z"),
        (e.UUID, ID, str(ID)),
        (e.CSV, ["a", "b, c", 1], 'a,"b, c",1'),
        (e.CSV, "a,b", "a,b"),
        (e.List, (item for item in "ab"), ["a", "b"]),
        (e.DictList, ({"a": 1},), [{"a": 1}]),
        (e.AsIs, NOON, NOON),
        (e.Int, None, None),
    ],
)
def test_written(kind: Any, value: Any, expected: Any) -> None:
    """A value leaves as plain data of the type; nothing leaves as null."""
    assert contract(kind).written({"x": value}, print) == {"x": expected}


@pytest.mark.parametrize(("kind", "value"), [(e.Int, "x"), (e.List, "abc"), (e.CSV, {"a": 1}), (e.Text, [])])
def test_not_written(kind: Any, value: Any) -> None:
    """What does not convert on the way out is the service's mistake."""
    with pytest.raises(InvalidOutput, match="x is "):
        contract(kind).written({"x": value}, print)


def test_item_of_a_list_of_objects() -> None:
    """Of a list of objects, the item that is none is named."""
    with pytest.raises(BadRequest, match=r"^x\[1\] is 5, which is no object$"):
        contract(e.DictList).read({"x": [{}, 5]}, {})


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n\0")).map(str.strip)))
@settings(max_examples=50)
def test_csv_comes_back(items: list[str]) -> None:
    """Whatever is written as one text is read as the same items."""
    text = contract(e.CSV).written({"x": items}, print)["x"]
    assert contract(e.CSV).read({"x": text}, {}).x == items


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=50)
def test_decimal_keeps_the_digits(number: float) -> None:
    """A number of JSON becomes the decimal whose digits it shows."""
    assert str(contract(e.Decimal).read({"x": number}, {}).x) == str(Decimal(repr(number)))
