"""The plug-in of pytest: a fixture called `zato`.

pytest loads this in every project whose environment has the package, so what costs time is imported by the fixture.
"""

from collections.abc import Iterator
from typing import Any

import pytest

__all__ = ["zato"]


@pytest.fixture
def zato() -> Iterator[Any]:
    """Run services in memory, now or in the background: a `zato.testing.Zato`, closed after the test."""
    from zato.testing import Zato

    with Zato() as made:
        yield made
