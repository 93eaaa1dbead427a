"""Tests in the style of unittest."""

import unittest
from functools import cached_property
from typing import Any

from zato.testing.answers import Answer
from zato.testing.kit import Target, Zato

__all__ = ["ServiceTestCase"]


class ServiceTestCase(unittest.TestCase):
    """A test case with a `Zato` of its own for each test, made when it is needed first."""

    @cached_property
    def zato(self) -> Zato:
        """What runs services."""
        zato = Zato()
        self.addCleanup(zato.close)
        return zato

    def set_response(self, service: Target, response: Any) -> None:
        """Have a service answer something else. See `Zato.replace`."""
        self.zato.replace(service, response)

    def invoke(self, service: Target, payload: Any = "", **how: Any) -> Answer:
        """Run a service and return what it answers. See `Zato.invoke`."""
        return self.zato.invoke(service, payload, **how)
