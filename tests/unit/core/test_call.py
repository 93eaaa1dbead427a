"""The nouns of invocation."""

import pytest

from zato.core.call import AsyncCall, Call, HTTPInfo


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(Call(cid="abc", service="crm.sync"), id="now"),
        pytest.param(AsyncCall(service="crm.sync"), id="later"),
    ],
)
def test_call_without_a_payload_carries_the_empty_text(call: Call | AsyncCall) -> None:
    """A service invoked with nothing gets the empty text, as through the HTTP door."""
    assert call.payload == ""


def test_background_call_by_default_never_expires_and_leaves_the_rest_to_the_target() -> None:
    """Nothing but the service need be said; callbacks are then left to the naming convention."""
    call = AsyncCall(service="crm.sync")
    assert call.channel == "invoke-async"
    assert {call.callback, call.expiration, call.delay, call.retry, call.time_limit} == {None}


def test_calls_share_nothing() -> None:
    """Two requests have headers and parameters of their own."""
    one, other = HTTPInfo(), HTTPInfo()
    assert one.headers is not other.headers
    assert one.params is not other.params
    assert Call(cid="a", service="b").stop is not Call(cid="a", service="b").stop
