"""What brokers store beside their columns."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from zato.core.invocation import ErrorInfo, Invocation
from zato.core.packing import pack_error, pack_failed, pack_options, unpack_error, unpack_failed, unpack_options
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
