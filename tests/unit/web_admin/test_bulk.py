"""What is done to all that match: to which statuses."""

import pytest

from zato.web_admin.errors import BadAddress
from zato.web_admin.jobs import Deed
from zato.web_admin.pages.bulk import statuses_of


@pytest.mark.parametrize(
    ("deed", "status", "meant"),
    [
        pytest.param("replay", "", ("failed",), id="replay-what-failed"),
        pytest.param("replay", "done", ("done",), id="replay-what-is-done"),
        pytest.param("cancel", "", ("waiting", "delayed", "running", "stranded"), id="cancel-what-has-no-outcome"),
        pytest.param("cancel", "delayed", ("delayed",), id="cancel-what-is-delayed"),
    ],
)
def test_statuses_that_are_meant(deed: Deed, status: str, meant: tuple[str, ...]) -> None:
    """The one that the list is filtered by, else those that it is usually meant for."""
    assert statuses_of(deed, status) == meant


@pytest.mark.parametrize(
    ("deed", "status", "said"),
    [
        ("replay", "running", "What is running cannot be replayed: it has no outcome yet. Choose one of done"),
        ("cancel", "failed", "What is failed cannot be cancelled: it has an outcome. Choose one of waiting"),
    ],
)
def test_status_that_it_cannot_be_done_to(deed: Deed, status: str, said: str) -> None:
    """The message says why, and which statuses there are."""
    with pytest.raises(BadAddress, match=said):
        statuses_of(deed, status)
