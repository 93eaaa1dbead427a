"""Whatever comes, an input is read or refused as the caller's mistake, an output is written or as the service's."""

import dataclasses
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from zato.core import elements as e
from zato.core.elements import contract_of
from zato.core.errors import BadRequest, InvalidOutput
from zato.core.payload import encode

NAMES = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "customer_id", "is_new", "password", "get"]
KINDS = [e.Bool, e.CSV, e.Date, e.DateTime, e.Decimal, e.Float, e.Int, e.List, e.Secret, e.Text, e.UTC]
ITEMS = [*(kind(f"-{name}") for kind, name in zip(KINDS, NAMES, strict=False)), "customer_id", "-is_new", "-password"]


@dataclasses.dataclass
class Fields:
    a: int
    b: bool = False
    c: list["Fields"] | None = None
    d: dict[str, Decimal] = dataclasses.field(default_factory=dict)
    e: date | datetime | None = None
    f: Literal["x", 5] = 5
    g: UUID | None = None
    h: tuple[int, str] | None = None
    i: float | str = ""
    get: "Fields | None" = None


class Names:
    input = output = (*ITEMS, e.Dict("-get", e.UUID("-a"), e.DictList("-b", *ITEMS)))


class OfDataclass:
    input = output = Fields


class OfStruct:
    input = output = msgspec.defstruct("Struct", [("a", int), ("b", Fields | None, None)])


TEXTS = st.sampled_from(
    ["", "x", "1", "true", "2026-01-31", "2026-01-31T12:00:00Z", "a,b", '"', "nan", "1_0", "\ud800"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=12,
)
FORMS = [contract_of(form) for form in (Names, OfDataclass, OfStruct)]


@given(payload=VALUES, params=st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=2))
@settings(max_examples=40, deadline=None)
def test_input(payload: Any, params: dict[str, str]) -> None:
    """Nothing but a BadRequest comes of what does not fit."""
    for contract in FORMS:
        with suppress(BadRequest):
            contract.masked(contract.read(payload, params))


@given(payload=VALUES)
@settings(max_examples=40, deadline=None)
def test_output(payload: Any) -> None:
    """Nothing but an InvalidOutput; what leaves once fits when it is written again."""
    for contract in FORMS:
        with suppress(InvalidOutput):
            left = contract.written(payload, lambda _: None)
            assert encode_or_none(contract.written(left, print)) == encode_or_none(left)


def encode_or_none(value: Any) -> bytes | None:
    """Return the JSON of a value; NaN is not equal to itself, and half a surrogate pair has none."""
    with suppress(Exception):
        return encode(value)
    return None
