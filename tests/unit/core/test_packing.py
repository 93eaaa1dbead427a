"""What brokers store beside their columns."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from zato.core.invocation import ErrorInfo, Failure, Holder, Invocation, Terms
from zato.core.member import Member
from zato.core.packing import (
    pack_error,
    pack_failed,
    pack_failure,
    pack_member,
    pack_options,
    pack_terms,
    unpack_error,
    unpack_failed,
    unpack_failure,
    unpack_member,
    unpack_options,
    unpack_terms,
)
from zato.core.retry import Retry

PLAIN = Invocation(id="0" * 26, cid="abc", service="crm.sync", payload=b'""', created=1)
SECONDS = st.floats(min_value=0, max_value=1e9)
NAMES = st.lists(st.text()).map(tuple)
MAYBE = st.none() | st.text()

INVOCATIONS = st.builds(
    Invocation,
    id=st.just("0" * 26),
    cid=st.just("abc"),
    service=st.just("crm.sync"),
    payload=st.just(b'""'),
    created=st.just(1),
    channel=st.text(),
    in_reply_to=MAYBE,
    replay_of=MAYBE,
    callback=NAMES,
    on_failure=NAMES,
    retry=st.builds(
        Retry,
        st.integers(1, 1000),
        SECONDS,
        SECONDS,
        st.floats(min_value=0, max_value=1),
        on=st.lists(st.sampled_from(["KeyError", "requests.Timeout"])),
        not_on=st.sampled_from([(), ValueError]),
    ),
    time_limit=st.none() | SECONDS,
    data_format=st.text(),
    transport=MAYBE,
    environ=st.none() | st.text().map(str.encode),
    idempotency_key=MAYBE,
)


def unpacked(packed: bytes) -> dict[str, Any]:
    """Return the packed fields as keyword arguments."""
    return dict(unpack_options(packed))


@given(INVOCATIONS)
def test_options_round_trip(invocation: Invocation) -> None:
    """Every packed field comes back equal, and of its own type."""
    assert replace(PLAIN, **unpacked(pack_options(invocation))) == invocation


def test_plain_call_packs_into_nothing() -> None:
    """Defaults take no space."""
    assert pack_options(PLAIN) == b"{}"


def test_field_added_later_reads_as_its_default() -> None:
    """What an older release stored can be read by this one, and what a newer one stored too."""
    assert replace(PLAIN, **unpacked(b'{"new":1}')) == PLAIN


@given(st.builds(ErrorInfo, st.text(), st.text(), st.text(), st.text()))
def test_error_round_trip(error: ErrorInfo) -> None:
    """A stored error comes back with its traceback."""
    assert unpack_error(pack_error(error)) == error


def test_error_of_an_attempt_round_trip() -> None:
    """It is stored like that of an outcome, and there always is one."""
    error = ErrorInfo("exception", "ValueError", "Größe", "Traceback …")
    assert (unpack_failed(pack_failed(error)), pack_failed(error)) == (error, pack_error(error))


@pytest.mark.parametrize("convert", [pack_error, unpack_error], ids=["pack", "unpack"])
def test_no_error_stays_none(convert: type[object]) -> None:
    """An invocation that did not fail has no error, stored or not."""
    assert convert(None) is None  # type: ignore[call-arg]


def test_error_with_half_a_surrogate_pair_is_stored() -> None:
    """A failure that names an undecodable file is recorded like any other."""
    assert pack_error(ErrorInfo("error", "OSError", "caf\udce9")) is not None


HOLDERS = st.builds(Holder, st.text(), st.text(), st.integers(1, 100))
NUMBERS = st.integers(0, 2**53)
MEMBERS = st.builds(
    Member,
    holder=HOLDERS,
    identity=st.text(),
    host=st.text(),
    pid=NUMBERS,
    version=st.text(),
    address=st.text(),
    started=NUMBERS,
    services=NUMBERS,
    running=NUMBERS,
    slots=NUMBERS,
)
TERMS = st.builds(
    Terms,
    max_concurrency=st.none() | st.integers(1, 1000),
    retry=st.none()
    | st.builds(Retry, st.integers(1, 1000), SECONDS, on=st.lists(st.sampled_from(["KeyError", "x.Y"]))),
    time_limit=st.none() | SECONDS,
)
FAILURES = st.builds(
    Failure,
    attempt=NUMBERS,
    started=NUMBERS,
    ended=NUMBERS,
    server=st.text(),
    error=st.builds(ErrorInfo, st.text(), st.text(), st.text(), st.text()),
)


@given(TERMS)
def test_terms_round_trip(terms: Terms) -> None:
    """What a class says comes back equal, from bytes and from the same as text."""
    assert unpack_terms(pack_terms(terms)) == terms
    assert unpack_terms(pack_terms(terms).decode()) == terms


def test_no_terms_take_no_space() -> None:
    """Most services say nothing."""
    assert pack_terms(Terms()) == b"{}"


@given(MEMBERS)
def test_members_round_trip(member: Member) -> None:
    """What a process tells of itself comes back equal, from bytes and from the same as text."""
    assert unpack_member(pack_member(member)) == member
    assert unpack_member(pack_member(member).decode()) == member


@given(FAILURES)
def test_failures_round_trip(failure: Failure) -> None:
    """An attempt that failed comes back equal."""
    assert unpack_failure(pack_failure(failure)) == failure


def test_what_a_later_version_adds_is_passed_over() -> None:
    """Servers of two versions share a store while one after the other is upgraded."""
    assert unpack_terms(b'{"max_concurrency":2,"colour":"red"}') == Terms(max_concurrency=2)
