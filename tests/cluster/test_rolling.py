"""Three servers behind the HAProxy of the documentation, restarted one after the other."""

from pathlib import Path

import pytest

from tests.cluster.rolling import rolling_restart

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.mark.timeout(600)
def test_clients_see_nothing_of_a_rolling_restart(redis_url: str, cluster_name: str, tmp_path: Path) -> None:
    """Clients that repeat nothing get an answer to every request, and everything that was accepted is run, once."""
    seen = rolling_restart(tmp_path, broker=redis_url, cluster=cluster_name)

    assert seen.errors == ()
    assert (seen.lost, seen.twice) == (frozenset(), frozenset())
    assert len(seen.accepted) > 50
