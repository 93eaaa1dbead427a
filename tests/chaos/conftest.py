"""Marks of the tests that break servers."""

import logging

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks."""
    config.addinivalue_line("markers", "slow: takes more than ten seconds; '-m \"not slow\"' leaves it out")


@pytest.fixture(autouse=True)
def no_records_of_refused_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing keeps the records of urllib3, which hold the sockets that they tell of."""
    monkeypatch.setattr(logging.getLogger("urllib3.connectionpool"), "disabled", True)


@pytest.fixture(scope="module", autouse=True)
def nothing_measured(unmeasured: None) -> None:
    """What is killed on purpose measures no coverage."""
