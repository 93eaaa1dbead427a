"""Holders of leases as text."""

import pytest

from zato.broker.holders import holder_text, is_dead, server_of
from zato.core.invocation import Holder

ME = Holder("server1", "run-2", 1)


@pytest.mark.parametrize("server", ["server1", "north/server/1", "", "/", "ünï code"])
def test_the_name_of_a_server_may_be_anything(server: str) -> None:
    """It comes back from the text as it went in."""
    assert server_of(holder_text(Holder(server, "run-1", 12))) == server


@pytest.mark.parametrize(
    ("other", "dead"),
    [
        pytest.param(Holder("server1", "run-1", 1), True, id="earlier-run"),
        pytest.param(Holder("server1", "run-1", 2), True, id="earlier-run-of-another-worker"),
        pytest.param(Holder("renamed/since", "run-1", 2), True, id="earlier-run-under-another-name"),
        pytest.param(Holder("server1", "", 1), True, id="of-a-version-without-runs"),
        pytest.param(ME, True, id="the-process-before"),
        pytest.param(Holder("server1", "run-2", 2), False, id="another-worker"),
        pytest.param(Holder("server1", "run-2", 11), False, id="a-number-that-ends-alike"),
        pytest.param(Holder("run-1/1", "run-2", 3), False, id="a-name-like-a-holder"),
    ],
)
def test_who_is_dead(other: Holder, dead: bool) -> None:
    """Everybody of another run is, and of this run the process that had the same number."""
    assert is_dead(holder_text(other), ME) is dead
