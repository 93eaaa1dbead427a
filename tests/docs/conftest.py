"""The pages are played as readers play them: what they start measures no coverage."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def nothing_measured(unmeasured: None) -> None:
    """Ask for it in every module here."""
