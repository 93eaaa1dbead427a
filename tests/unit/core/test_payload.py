"""What may cross a boundary, and in which form it arrives: compat section 2, line by line."""

import contextlib
import dataclasses
import datetime as dt
import enum
import json
import math
import time
from collections import OrderedDict, UserDict, deque
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple
from unittest.mock import MagicMock
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.errors import InvalidPayload, NotSerializable
from zato.core.payload import (
    MAX_DEPTH,
    decode,
    encode,
    from_door,
    holds_nan,
    stored_to_text,
    to_text,
    unicode_text,
    unwrapped,
)

NOT_FINITE = [math.nan, math.inf, -math.inf]
SCALARS = st.none() | st.booleans() | st.integers() | st.text()


def json_values(*, allow_nan: bool) -> st.SearchStrategy[object]:
    """Return everything that JSON can say."""
    floats = st.floats(allow_nan=allow_nan, allow_infinity=allow_nan)
    return st.recursive(SCALARS | floats, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


class Colour(enum.Enum):
    RED = "red"
    PAIR = (1, 2)
    NOTHING = None


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


class Flag(enum.Flag):
    A = 1
    B = 2


class Point(NamedTuple):
    x: int
    y: int


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not this"


class Number(int):
    def __repr__(self) -> str:
        return "not this"


class Ratio(float):
    def __repr__(self) -> str:
        return "not this"


class Amount(Decimal):
    pass


class Moment(dt.datetime):
    pass


class Day(dt.date):
    pass


class Clock(dt.time):
    pass


class Span(dt.timedelta):
    pass


class DriverUUID(UUID):
    pass


@dataclasses.dataclass
class Order:
    day: dt.date
    items: list[Point]
    parent: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    a: int = 1


class Row(msgspec.Struct):
    key: str
    amount: Decimal = Decimal("1.10")


class Renamed(msgspec.Struct, rename="camel"):
    row_id: int


class Tagged(msgspec.Struct, tag="dog"):
    name: str | msgspec.UnsetType = msgspec.UNSET


class Model:
    """Stands for a pydantic model: its fields come out of `model_dump`."""

    def __init__(self, dumped: object) -> None:
        self._dumped = dumped

    def model_dump(self) -> object:
        return self._dumped


WHEN = dt.datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=dt.UTC)
WARSAW = dt.timezone(dt.timedelta(hours=2))
ONE = UUID(int=1)

# What a service returns, and the text its caller gets.
RESPONSES = [
    pytest.param("as it is", "as it is", id="text"),
    pytest.param("zażółć 🐍", "zażółć 🐍", id="text-not-ascii"),
    pytest.param('"quoted"', '"quoted"', id="text-in-quotes"),
    pytest.param('{"a": 1}', '{"a": 1}', id="text-that-is-json"),
    pytest.param("", "", id="empty-text"),
    pytest.param(Text("as it is"), "as it is", id="subclass-of-text"),
    pytest.param({"a": [1, None]}, '{"a":[1,null]}', id="dict"),
    pytest.param([1, "b"], '[1,"b"]', id="list"),
    pytest.param({}, "{}", id="empty-dict"),
    pytest.param([], "[]", id="empty-list"),
    pytest.param((), "[]", id="empty-tuple"),
    pytest.param(set(), "[]", id="empty-set"),
    pytest.param(0, "0", id="zero"),
    pytest.param(-7, "-7", id="number"),
    pytest.param(2**70, "1180591620717411303424", id="number-over-64-bits"),
    pytest.param(Number(7), "7", id="subclass-of-int"),
    pytest.param(1.5, "1.5", id="float"),
    pytest.param(Ratio(1.5), "1.5", id="subclass-of-float"),
    pytest.param(-0.0, "-0.0", id="negative-zero"),
    pytest.param(False, "false", id="flag"),
    pytest.param(None, "", id="nothing"),
    pytest.param(b"as it is \xc3\xa9", "as it is é", id="bytes"),
    pytest.param(b"", "", id="empty-bytes"),
    pytest.param(b"\xff\x00", '{"zato_base64":"/wA="}', id="bytes-not-utf8"),
    pytest.param(bytearray(b"abc"), "abc", id="bytearray"),
    pytest.param(memoryview(b"abcdef")[::2], "ace", id="memoryview"),
    pytest.param(
        Order(dt.date(2024, 5, 6), [Point(1, 2)]), '{"day":"2024-05-06","items":[[1,2]],"parent":null}', id="dataclass"
    ),
    pytest.param(Slotted(), '{"a":1}', id="slotted-dataclass"),
    pytest.param(Model({"when": WHEN}), '{"when":"2024-05-06T07:08:09.123000Z"}', id="model"),
    pytest.param(Model([[1, 2]]), "[[1,2]]", id="model-of-a-list"),
    pytest.param(Row("k"), '{"key":"k","amount":1.10}', id="struct"),
    pytest.param(Renamed(1), '{"rowId":1}', id="struct-with-renamed-fields"),
    pytest.param(Tagged("Rex"), '{"type":"dog","name":"Rex"}', id="struct-with-a-tag"),
    pytest.param(Tagged(), '{"type":"dog"}', id="struct-with-an-unset-field"),
    pytest.param(WHEN, "2024-05-06T07:08:09.123000Z", id="datetime"),
    pytest.param(WHEN.replace(microsecond=0, tzinfo=None), "2024-05-06T07:08:09", id="datetime-without-zone"),
    pytest.param(WHEN.replace(microsecond=0, tzinfo=WARSAW), "2024-05-06T07:08:09+02:00", id="datetime-with-offset"),
    pytest.param(Moment(2024, 5, 6, tzinfo=dt.UTC), "2024-05-06T00:00:00Z", id="subclass-of-datetime"),
    pytest.param(dt.date(2024, 5, 6), "2024-05-06", id="date"),
    pytest.param(Day(2024, 5, 6), "2024-05-06", id="subclass-of-date"),
    pytest.param(dt.time(7, 8), "07:08:00", id="time"),
    pytest.param(Clock(7, 8), "07:08:00", id="subclass-of-time"),
    pytest.param(dt.timedelta(days=1, seconds=2), "P1DT2S", id="duration"),
    pytest.param(Span(days=1, seconds=2), "P1DT2S", id="subclass-of-duration"),
    pytest.param(Decimal("1.10"), "1.10", id="decimal"),
    pytest.param(Amount("1.10"), "1.10", id="subclass-of-decimal"),
    pytest.param(ONE, "00000000-0000-0000-0000-000000000001", id="uuid"),
    pytest.param(DriverUUID(int=1), "00000000-0000-0000-0000-000000000001", id="subclass-of-uuid"),
    pytest.param(Colour.RED, "red", id="enum"),
    pytest.param(Colour.PAIR, "[1,2]", id="enum-of-a-tuple"),
    pytest.param(Colour.NOTHING, "", id="enum-of-none"),
    pytest.param(Level.LOW, "1", id="int-enum"),
    pytest.param(Word.YES, "yes", id="str-enum"),
    pytest.param(Flag.A | Flag.B, "3", id="flags"),
    pytest.param({3, 1, 2}, "[1,2,3]", id="set"),
    pytest.param(frozenset("ba"), '["a","b"]', id="frozenset"),
    pytest.param(Point(1, 2), "[1,2]", id="namedtuple"),
    pytest.param(OrderedDict(b=1, a=2), '{"b":1,"a":2}', id="ordered-dict"),
    pytest.param(UserDict(a=1), '{"a":1}', id="user-dict"),
    pytest.param(MappingProxyType({"a": 1}), '{"a":1}', id="mapping"),
]

# Each is nested, so that whatever has a form by itself has it inside something else.
NESTED = [
    pytest.param({"a": [{"b": {WHEN}}]}, {"a": [{"b": ["2024-05-06T07:08:09.123000Z"]}]}, id="set-in-dict-in-list"),
    pytest.param([b"\xff", b"a"], [{"zato_base64": "/w=="}, "a"], id="bytes-in-list"),
    pytest.param(Model({"row": Row("k")}), {"row": {"key": "k", "amount": 1.1}}, id="struct-in-model"),
    pytest.param(
        {"o": Order(WHEN.date(), [], Slotted())},
        {"o": {"day": "2024-05-06", "items": [], "parent": {"a": 1}}},
        id="dataclass-in-dataclass",
    ),
    pytest.param((Colour.PAIR, Word.YES), [[1, 2], "yes"], id="enums-in-tuple"),
    pytest.param({"s": {Point(2, 1), Point(1, 2)}}, {"s": [[1, 2], [2, 1]]}, id="namedtuples-in-set"),
]

KEYS = [
    pytest.param("a", "a", id="text"),
    pytest.param(Text("a"), "a", id="subclass-of-text"),
    pytest.param("", "", id="empty"),
    pytest.param(1, "1", id="number"),
    pytest.param(1.5, "1.5", id="float"),
    pytest.param(-0.0, "-0.0", id="negative-zero"),
    pytest.param(True, "true", id="flag"),
    pytest.param(None, "null", id="none"),
    pytest.param(Colour.RED, "red", id="enum"),
    pytest.param(Level.LOW, "1", id="int-enum"),
    pytest.param(Word.YES, "yes", id="str-enum"),
    pytest.param(dt.date(2024, 5, 6), "2024-05-06", id="date"),
    pytest.param(WHEN.replace(microsecond=0), "2024-05-06T07:08:09+00:00", id="datetime"),
    pytest.param(dt.time(7, 8), "07:08:00", id="time"),
    pytest.param(ONE, str(ONE), id="uuid"),
    pytest.param(Decimal("1.10"), "1.10", id="decimal"),
]

CYCLE: list[object] = []
CYCLE.append({"again": CYCLE})
LOOP = Order(dt.date(2024, 5, 6), [])
LOOP.parent = LOOP

# What is refused, and what the message says of it: the reason and the path.
UNFIT = [
    pytest.param(object(), r"builtins\.object has no JSON form at \$\.$", id="object"),
    pytest.param({"a": [0, {"b": object()}]}, r"builtins\.object has no JSON form at \$\.a\[1\]\.b\.$", id="path"),
    pytest.param(Order(WHEN, [], object()), r"at \$\.parent\.$", id="path-in-dataclass"),
    pytest.param((n for n in [1]), r"builtins\.generator has no JSON form", id="generator"),
    pytest.param(range(3), r"builtins\.range has no JSON form", id="range"),
    pytest.param({}.keys(), "dict_keys has no JSON form", id="view-of-keys"),
    pytest.param(deque([1]), r"collections\.deque has no JSON form", id="deque"),
    pytest.param(1j, r"builtins\.complex has no JSON form", id="complex"),
    pytest.param(Order, r"builtins\.type has no JSON form", id="dataclass-itself"),
    pytest.param(Model, r"builtins\.type has no JSON form", id="model-itself"),
    pytest.param(MagicMock(), r"MagicMock has no JSON form", id="mock"),
    pytest.param(Colour, r"enum\.EnumType has no JSON form", id="enum-itself"),
    pytest.param({b"a": 1}, r"a key of type bytes has no JSON form at \$\.$", id="key-of-bytes"),
    pytest.param({"a": {(1, 2): 1}}, r"a key of type tuple has no JSON form at \$\.a\.$", id="key-of-a-tuple"),
    pytest.param({Colour.PAIR: 1}, "a key of type tuple has no JSON form", id="key-of-an-enum-of-a-tuple"),
    pytest.param([{1: "a", "1": "b"}], r"two keys are the same as text at \$\[0\]\.$", id="number-and-its-text"),
    pytest.param({None: 1, "null": 2}, "two keys are the same as text", id="none-and-its-text"),
    pytest.param(
        {Word.YES: 1, Text("no"): 2, Colour.RED: 3, "red": 4}, "two keys are the same", id="enum-and-its-value"
    ),
    pytest.param(CYCLE, "nested deeper than 200 levels, or holds itself", id="list-that-holds-itself"),
    pytest.param(LOOP, "nested deeper than 200 levels, or holds itself", id="dataclass-that-holds-itself"),
    pytest.param("a\ud800", "half of a surrogate pair", id="half-a-surrogate-pair"),
    pytest.param({"\udc00": 1}, "half of a surrogate pair", id="half-a-surrogate-pair-as-key"),
    pytest.param([10**5000], "4300 digits", id="number-of-5000-digits"),
    pytest.param({10**5000: 1}, "4300 digits", id="key-of-5000-digits"),
]


@given(json_values(allow_nan=True))
def test_round_trip(value: object) -> None:
    """What JSON can say, NaN and infinities included, comes back as it went."""
    assert repr(decode(encode(value))) == repr(value)


@given(json_values(allow_nan=False))
def test_other_parsers_read_what_we_write(value: object) -> None:
    """The bytes are JSON to everybody."""
    assert repr(json.loads(encode(value, allow_nan=False))) == repr(value)


@given(json_values(allow_nan=False))
def test_text_is_the_same_now_and_later(value: object) -> None:
    """A stored response becomes the same text as one that is sent at once."""
    assert stored_to_text(encode(value)) == to_text(value)


@given(st.text())
def test_text_is_returned_as_it_is(text: str) -> None:
    """Whatever the text holds, quotes and JSON included, nothing is added or lost."""
    assert to_text(text) == text


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimal_is_written_digit_for_digit(value: Decimal) -> None:
    """A decimal is a JSON number with the digits it had."""
    assert encode([value]) == f"[{value}]".encode()


@pytest.mark.parametrize(("value", "text"), RESPONSES)
def test_response_text(value: object, text: str) -> None:
    """Each type of the list has its one form."""
    assert to_text(value) == text


@pytest.mark.parametrize(("value", "text"), RESPONSES)
def test_stored_response_text(value: object, text: str) -> None:
    """The same form comes out of the store."""
    assert stored_to_text(encode(value, allow_nan=False)) == text


@pytest.mark.parametrize(("value", "plain"), NESTED)
def test_nested_values(value: object, plain: object) -> None:
    """What has a form by itself has it inside others."""
    assert decode(encode(value)) == plain


def test_nothing_stored_is_no_text() -> None:
    """A service without output leaves no text."""
    assert stored_to_text(None) == ""


@pytest.mark.parametrize(("key", "text"), KEYS)
def test_keys(key: object, text: str) -> None:
    """A key that is no text is written as its value would be."""
    assert json.loads(encode({key: 1, "other": 2})) == {text: 1, "other": 2}


def test_set_that_cannot_be_sorted_is_a_list_all_the_same() -> None:
    """Members that do not compare are written in the order they come."""
    assert sorted(json.loads(encode({1, "a", None})), key=str) == [1, None, "a"]


def test_set_of_decimals_with_nan() -> None:
    """A NaN that refuses to be compared stops nobody."""
    numbers = decode(encode({Decimal("NaN"), Decimal(1)}))
    assert sorted(map(str, numbers)) == ["1", "nan"]


@pytest.mark.parametrize(("value", "message"), UNFIT)
def test_what_has_no_json_form_is_refused(value: object, message: str) -> None:
    """The message says what is refused and where it is."""
    with pytest.raises(NotSerializable, match=message):
        encode(value)


def test_message_says_what_was_to_be_written() -> None:
    """A payload and a response are told apart."""
    with pytest.raises(NotSerializable, match=r"^The response cannot be written as JSON: builtins\.object"):
        to_text(object())


@pytest.mark.parametrize("value", ["\ud800", "é\udcff", Text("\ud800")], ids=["alone", "after-text", "subclass"])
def test_text_that_cannot_be_sent_is_refused(value: str) -> None:
    """Half of a surrogate pair is refused in a response that is plain text, too."""
    with pytest.raises(NotSerializable, match=r"The response .* half of a surrogate pair"):
        to_text(value)


@pytest.mark.parametrize("number", [*NOT_FINITE, Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Ratio("inf")])
def test_numbers_that_are_none_are_refused_in_a_response(number: object) -> None:
    """NaN and infinities never become null: the error names the path."""
    with pytest.raises(NotSerializable, match=r"(nan|inf) is no JSON number at \$\.rows\[1\]\.$"):
        to_text({"rows": [1.0, number]})


@pytest.mark.parametrize(
    ("number", "word"),
    [
        pytest.param(math.nan, b"NaN", id="nan"),
        pytest.param(-math.inf, b"-Infinity", id="infinity"),
        pytest.param(Decimal("sNaN"), b"NaN", id="signalling-decimal"),
        pytest.param(Decimal("Infinity"), b"Infinity", id="infinite-decimal"),
    ],
)
def test_numbers_that_are_none_pass_in_a_payload(number: object, word: bytes) -> None:
    """Between our own processes they travel as Python's json writes them."""
    assert encode({"n": number}) == b'{"n":' + word + b"}"


@pytest.mark.parametrize(
    ("stored", "nan"),
    [
        pytest.param(b"[NaN]", True, id="nan"),
        pytest.param(b"-Infinity", True, id="infinity"),
        pytest.param(b'"NaN"', False, id="word-in-a-string"),
        pytest.param(b"[1.5]", False, id="number"),
    ],
)
def test_stored_nan_is_found(stored: bytes, nan: bool) -> None:
    """JSON that only lenient parsers read is told from JSON."""
    assert holds_nan(stored) is nan


def nested(levels: int) -> Any:
    """Return lists and dicts in turn, so many levels deep."""
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_200_levels_pass_out_and_in() -> None:
    """Nesting up to the limit is carried both ways."""
    assert decode(encode(nested(MAX_DEPTH))) == nested(MAX_DEPTH)


def test_201_levels_are_refused_going_out() -> None:
    """A response one level too deep is an error of the service."""
    with pytest.raises(NotSerializable, match="nested deeper than 200 levels"):
        encode(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize("read", [decode, from_door], ids=["body", "payload"])
@pytest.mark.parametrize("levels", [201, 100_000], ids=["one-too-many", "far-too-many"])
def test_201_levels_are_refused_coming_in(read: Any, levels: int) -> None:
    """Input one level too deep is an error of the caller, however it is read."""
    with pytest.raises(InvalidPayload, match="nested deeper than 200 levels") as caught:
        read(b'{"a":' * levels + b"1" + b"}" * levels)

    assert caught.value.status == 400


def test_text_that_holds_deep_json_is_refused() -> None:
    """JSON twice encoded is held to the same limit."""
    with pytest.raises(InvalidPayload, match="nested deeper than 200 levels"):
        from_door(json.dumps("[" * 201 + "]" * 201).encode())


@given(st.text(alphabet='[]{}"\\ab', max_size=30))
def test_brackets_in_text_do_not_count(text: str) -> None:
    """Only brackets that nest are nesting, whatever quotes and backslashes stand around the others."""
    value = [text, "[" * 201, {text: "{" * 201 + text}]
    assert decode(encode(value)) == value


def test_many_brackets_side_by_side_are_not_deep() -> None:
    """A long flat list is not nested."""
    assert decode(b"[" + b"[],{}," * 300 + b"1]")[-1] == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'"' + b"\\" * 5_000_001, id="backslashes-without-end"),
        pytest.param(b"[" * 201 + b'"' + b"\\" * 5_000_000, id="backslashes-in-brackets"),
        pytest.param(b'"' + b'\\"' * 2_500_000 + b"[" * 201, id="escaped-quotes-without-end"),
        pytest.param(b'"' + b"[" * 5_000_000, id="brackets-without-end"),
        pytest.param(b'["a",' * 500_000, id="strings-and-brackets"),
        pytest.param(b"[" + b'{"a":[1],"b":"0123456789"},' * 150_000 + b"1]", id="300000-brackets"),
    ],
)
def test_five_megabytes_take_no_seconds(text: bytes) -> None:
    """The time to read a payload grows with its length, even if it was made to be hard."""
    began = time.process_time()
    with contextlib.suppress(InvalidPayload):
        from_door(text)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(b"1e400", math.inf, id="too-large-for-a-float"),
        pytest.param(b"[-1e400]", [-math.inf], id="too-small-for-a-float"),
        pytest.param(b"1e-400", 0.0, id="too-near-to-zero"),
        pytest.param(b"9" * 4300, int("9" * 4300), id="as-long-as-numbers-get"),
        pytest.param(b'{"a":1,"a":2}', {"a": 2}, id="key-twice"),
        pytest.param(b'{"a":NaN,"a":2}', {"a": 2}, id="key-twice-leniently"),
        pytest.param(b' \t\r\n{"a" : 1 } \n', {"a": 1}, id="white-space"),
        pytest.param('"é"', "é", id="text-instead-of-bytes"),
        pytest.param(rb'"\ud83d\ude00"', "😀", id="escaped-pair-of-surrogates"),
        pytest.param(rb'"\u0000"', "\0", id="null-character"),
        pytest.param(b"-0.0", -0.0, id="negative-zero"),
    ],
)
def test_unusual_json_is_read(text: bytes | str, value: object) -> None:
    """JSON at its edges has one meaning."""
    assert repr(decode(text)) == repr(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b"", "This is not JSON", id="empty"),
        pytest.param(b"{'a': 1}", "This is not JSON", id="single-quotes"),
        pytest.param(b"[1,]", "This is not JSON", id="comma-last"),
        pytest.param(b"[1] x", "This is not JSON", id="more-after-the-end"),
        pytest.param(b'"\n"', "This is not JSON", id="line-feed-in-a-string"),
        pytest.param(b"9" * 5000, "This is not JSON: .*4300 digits", id="number-of-5000-digits"),
        pytest.param(b"\xef\xbb\xbf{}", "This is not JSON: Unexpected UTF-8 BOM", id="byte-order-mark"),
        pytest.param('{"a":1}'.encode("utf-16"), "not UTF-8: byte 0xff at 0", id="utf-16"),
        pytest.param('{"a":1}'.encode("utf-16-le"), "This is not JSON", id="utf-16-without-a-mark"),
        pytest.param(b'{"a":"\xff"}', "not UTF-8: byte 0xff at 6", id="byte-that-is-not-utf-8"),
        pytest.param(b'"\xed\xa0\x80"', "not UTF-8: byte 0xed at 1", id="encoded-surrogate"),
        pytest.param('"\ud800"', "not UTF-8: byte 0xed at 1", id="half-a-surrogate-pair-in-text"),
        pytest.param(rb'"\ud800"', "holds text that is not Unicode", id="escaped-half-of-a-surrogate-pair"),
        pytest.param(rb'{"\udc00":1}', "holds text that is not Unicode", id="key-of-half-a-surrogate-pair"),
    ],
)
def test_what_is_no_json_is_refused(text: bytes | str, message: str) -> None:
    """Whatever is wrong with the bytes, the error is the caller's and says what it is."""
    with pytest.raises(InvalidPayload, match=message):
        decode(text)


@given(st.binary())
def test_reading_bytes_has_two_ends(data: bytes) -> None:
    """Any bytes are either JSON or an error of the caller."""
    with contextlib.suppress(InvalidPayload):
        assert encode(decode(data))


@pytest.mark.parametrize("data", [b"", b'""', b"null", b" null\n", b'"" '])
def test_empty_payload_is_the_empty_text(data: bytes) -> None:
    """Nothing, null and the empty string are all the empty text."""
    assert from_door(data)[0] == ""


@pytest.mark.parametrize(
    ("data", "value"),
    [
        pytest.param(b'{"a":1}', {"a": 1}, id="object"),
        pytest.param(b"[]", [], id="empty-list"),
        pytest.param(b"0", 0, id="zero"),
        pytest.param(b"false", False, id="false"),
        pytest.param(b'"text"', "text", id="string"),
        pytest.param(b'"12"', "12", id="string-that-holds-a-number"),
        pytest.param(b'"null"', "null", id="string-that-holds-null"),
        pytest.param(rb'"{\"a\": [1]}"', {"a": [1]}, id="string-that-holds-an-object"),
        pytest.param(b'" [1, 2]"', [1, 2], id="string-that-holds-a-list"),
        pytest.param(rb'"\"[1]\""', '"[1]"', id="string-in-a-string"),
        pytest.param(rb'["{\"a\": 1}"]', ['{"a": 1}'], id="string-deeper-inside"),
        pytest.param(b'"[1"', "[1", id="string-that-begins-like-a-list"),
        pytest.param(b'"{not json}"', "{not json}", id="string-in-braces"),
        pytest.param(b"[NaN]", [math.nan], id="nan"),
        pytest.param("zażółć".encode(), "zażółć", id="no-json"),
        pytest.param(b"{'a': 1}", "{'a': 1}", id="nearly-json"),
        pytest.param(rb'"\ud800"', r'"\ud800"', id="no-unicode"),
        pytest.param(b"9" * 5000, "9" * 5000, id="number-of-5000-digits"),
    ],
)
def test_payload_at_the_door(data: bytes, value: object) -> None:
    """JSON is parsed, a string that holds an object or a list once more, and anything else is text."""
    assert repr(from_door(data)[0]) == repr(value)


@pytest.mark.parametrize("text", ["", '""', '{"a":1}', "no json", '"[1]"', "null "])
def test_raw_payload_is_kept(text: str) -> None:
    """The service can see the payload as it came, except that empty ones are empty."""
    raw = "" if text == '""' else text
    assert from_door(text.encode())[1] == raw


def test_payload_that_is_no_text_is_refused() -> None:
    """Binary data is refused with the advice to encode it."""
    with pytest.raises(InvalidPayload, match=r"not UTF-8 text\. Encode binary data"):
        from_door(b"\xff\x00")


@given(json_values(allow_nan=False))
def test_payload_of_a_client_arrives(value: object) -> None:
    """Any JSON value reaches the target, and none but strings are changed on the way."""
    received = from_door(encode(value))[0]
    assert repr(received) == repr(value) or value is None or isinstance(value, str)


@pytest.mark.parametrize(
    ("value", "bare"),
    [
        pytest.param({"response": [1]}, [1], id="response"),
        pytest.param({"zato_ping_response": {"a": 1}}, {"a": 1}, id="starts-with-zato"),
        pytest.param({"zato": None}, None, id="zato-alone"),
        pytest.param(OrderedDict(response=1), 1, id="subclass-of-dict"),
        pytest.param({"Response": 1}, {"Response": 1}, id="other-case"),
        pytest.param({"my_zato": 1}, {"my_zato": 1}, id="zato-elsewhere"),
        pytest.param({"response": 1, "a": 2}, {"response": 1, "a": 2}, id="two-keys"),
        pytest.param({1: 2}, {1: 2}, id="key-that-is-no-text"),
        pytest.param({}, {}, id="empty"),
        pytest.param(["response"], ["response"], id="list"),
        pytest.param('{"response": 1}', '{"response": 1}', id="text"),
    ],
)
def test_wrapper_is_taken_off(value: object, bare: object) -> None:
    """Only a dict whose one key is `response` or starts with `zato` is a wrapper."""
    assert unwrapped(value) == bare


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        pytest.param("plain", "plain", id="ascii"),
        pytest.param("zażółć 🐍", "zażółć 🐍", id="unicode"),
        pytest.param("café \udce9", r"café \udce9", id="half-a-surrogate-pair"),
    ],
)
def test_text_of_any_origin_can_be_sent(text: str, clean: str) -> None:
    """What UTF-8 cannot hold is written as its escape."""
    assert unicode_text(text) == clean


def test_own_data_is_left_alone() -> None:
    """Writing a value changes nothing in it."""
    value: Mapping[str, Any] = {"a": [1, {2}], "b": OrderedDict(c=b"d")}
    before = repr(value)
    encode(value)
    assert repr(value) == before
