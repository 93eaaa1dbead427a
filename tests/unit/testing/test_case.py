"""Tests in the style of unittest."""

import unittest

from tests.unit.testing.services import Call, Echo
from zato.testing import ServiceTestCase


class Inner(ServiceTestCase):
    """As users write it; it runs inside of the tests below."""

    __test__ = False

    def setUp(self) -> None:
        """Leave out what unittest would have one call."""

    def test_answer(self) -> None:
        self.set_response("crm.get-customer", lambda payload: f"Customer {payload['id']}")
        assert self.invoke(Call, {"id": 7}).data == "Customer 7"

    def test_next_answer(self) -> None:
        assert self.zato.calls() == []
        self.set_response("crm.get-customer", {"name": "Jane"})
        assert self.invoke(Call, {"id": 7}, cid="c").cid == "c"

    def test_failure(self) -> None:
        assert self.invoke(Echo, 1).data == 2


def run(*names: str) -> unittest.TestResult:
    """Run some tests of the class above."""
    return unittest.TestSuite(map(Inner, names)).run(unittest.TestResult())


def test_tests_pass() -> None:
    """Each test has services and answers of its own."""
    result = run("test_answer", "test_next_answer")

    assert (result.testsRun, result.errors, result.failures) == (2, [], [])


def test_test_fails() -> None:
    """A wrong answer is a failure, and what was started is stopped all the same."""
    result = run("test_failure")

    assert [test.id().rpartition(".")[2] for test, _ in result.failures] == ["test_failure"]
