"""The nouns of invocation."""

import pytest

from zato.core.call import AsyncCall, Call, HTTPInfo
from zato.core.retry import Retry


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


def test_background_call_by_default_runs_once_and_never_expires() -> None:
    """Nothing but the service need be said; callbacks are then left to the naming convention."""
    call = AsyncCall(service="crm.sync")
    assert (call.channel, call.callback, call.expiration, call.delay, call.retry) == (
        "invoke-async",
        None,
        None,
        None,
        Retry(attempts=1),
    )


def test_calls_share_nothing() -> None:
    """Two requests have headers and parameters of their own."""
    one, other = HTTPInfo(), HTTPInfo()
    assert one.headers is not other.headers
    assert one.params is not other.params
