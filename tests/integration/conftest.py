"""Marks of the tests that run real servers."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks."""
    config.addinivalue_line("markers", "slow: takes more than ten seconds; '-m \"not slow\"' leaves it out")
