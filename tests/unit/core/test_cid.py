"""Correlation IDs and invocation ids."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.cid import CID_ENTROPY, ID_ENTROPY, check_cid, make_cid, make_invocation_id
from zato.core.errors import InvalidCID

CID_BYTES = st.binary(min_size=CID_ENTROPY, max_size=CID_ENTROPY)
ID_BYTES = st.binary(min_size=ID_ENTROPY, max_size=ID_ENTROPY)
MILLISECONDS = st.integers(min_value=0, max_value=2**48 - 1)
PRINTABLE = st.characters(exclude_categories=("C", "Z")) | st.just(" ")


@given(CID_BYTES)
def test_cid_is_24_lower_case_hex_digits_led_by_a_letter(entropy: bytes) -> None:
    """Whatever the random bytes, the first digit is a letter."""
    assert re.fullmatch("[a-f][0-9a-f]{23}", make_cid(entropy))


@given(CID_BYTES)
def test_cid_is_never_json(entropy: bytes) -> None:
    """No JSON parser takes a CID for a number or anything else."""
    with pytest.raises(json.JSONDecodeError):
        json.loads(make_cid(entropy))


@given(CID_BYTES, CID_BYTES)
def test_cid_keeps_what_is_random(one: bytes, other: bytes) -> None:
    """Two CIDs are equal only if all bytes after the first are."""
    same = make_cid(one) == make_cid(other)
    assert not same or one[1:] == other[1:]


@pytest.mark.parametrize(
    ("entropy", "cid"),
    [
        pytest.param(bytes(12), "a" + "0" * 23, id="zeros"),
        pytest.param(bytes.fromhex("9" + "1" * 23), "d" + "1" * 23, id="digit-first"),
        pytest.param(bytes.fromhex("f" * 24), "f" * 24, id="letter-first"),
    ],
)
def test_cid_of_known_bytes(entropy: bytes, cid: str) -> None:
    """A leading digit becomes a letter, a leading letter stays."""
    assert make_cid(entropy) == cid


@given(CID_BYTES)
def test_own_cids_are_legal(entropy: bytes) -> None:
    """A CID of ours can be given back to us."""
    cid = make_cid(entropy)
    assert check_cid(cid) == cid


@given(MILLISECONDS, ID_BYTES)
def test_id_is_26_characters(milliseconds: int, entropy: bytes) -> None:
    """Every id has the same length and alphabet."""
    assert re.fullmatch("[0-9a-f]{26}", make_invocation_id(milliseconds, entropy))


@given(MILLISECONDS, MILLISECONDS, ID_BYTES, ID_BYTES)
def test_ids_sort_by_time(one: int, other: int, first: bytes, second: bytes) -> None:
    """Ids sort as their times do, and those of one millisecond as their random bytes."""
    made = [make_invocation_id(one, first), make_invocation_id(other, second)]
    assert (made[0] < made[1], made[0] == made[1]) == (
        (one, first) < (other, second),
        (one, first) == (other, second),
    )


def test_id_of_a_known_time() -> None:
    """The id is hex of 48 bits of time and 56 of chance."""
    assert make_invocation_id(1, b"\xff" * 7) == "00000000000" + "1" + "f" * 14


@given(st.text(PRINTABLE, min_size=1, max_size=128))
def test_callers_cid_is_used_as_it_is(cid: str) -> None:
    """Up to 128 printable characters are legal and come back unchanged."""
    assert check_cid(cid) == cid


@pytest.mark.parametrize(
    ("cid", "shown"),
    [
        pytest.param("", "not ''", id="empty"),
        pytest.param("a" * 129, "not 'aaa", id="too-long"),
        pytest.param("a\nb", r"not 'a\\nb'", id="line-feed"),
        pytest.param("a\x7f", r"not 'a\\x7f'", id="control-character"),
        pytest.param("\ud800", r"not '\\ud800'", id="half-a-surrogate-pair"),
        pytest.param(b"abc", "not of type bytes", id="bytes"),
        pytest.param(None, "not of type NoneType", id="none"),
        pytest.param(10**5000, "not of type int", id="huge-number"),
    ],
)
def test_illegal_cid_is_refused(cid: object, shown: str) -> None:
    """What is no printable ASCII text of 1 to 128 characters is refused by name."""
    with pytest.raises(InvalidCID, match=f"A CID is 1 to 128 printable characters, {shown}"):
        check_cid(cid)


def test_longest_cid_is_legal() -> None:
    """128 characters are not too many."""
    assert check_cid("a" * 128) == "a" * 128
