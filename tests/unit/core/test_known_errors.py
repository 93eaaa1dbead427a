"""Raising again what another process raised."""

import pytest

from zato.core import errors
from zato.core.errors import Conflict, NotFound, ServiceError, ServiceUnavailable
from zato.core.known_errors import error_called, error_of

CLASSES: list[type[ServiceError]] = [
    item for item in vars(errors).values() if isinstance(item, type) and issubclass(item, ServiceError)
]


@pytest.mark.parametrize("cls", CLASSES)
def test_status_tells_the_exit_code(cls: type[ServiceError]) -> None:
    """A caller who knows the status of a reply ends as if it had the error itself."""
    assert error_of(cls.status).exit_code == cls.exit_code


@pytest.mark.parametrize("cls", CLASSES)
def test_code_tells_the_class(cls: type[ServiceError]) -> None:
    """An error that was recorded can be raised again as what it was."""
    assert error_called(cls.code) is cls


def test_code_of_something_else() -> None:
    """What is no error of services and doors is one of no special kind."""
    assert (error_called("invalid_setting"), error_called("exception")) == (ServiceError, ServiceError)


@pytest.mark.parametrize("status", [200, 302, 418, 500, 599])
def test_other_statuses_are_failures(status: int) -> None:
    """A status that no error has is a failure of the call."""
    assert error_of(status) is ServiceError


def test_status_stands_for_the_class_that_is_about_it() -> None:
    """Of several errors with one status it is the plainest."""
    assert (error_of(404), error_of(409), error_of(503)) == (NotFound, Conflict, ServiceUnavailable)
