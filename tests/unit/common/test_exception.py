"""Import paths of older programs."""

import pytest

from zato.common import exception
from zato.core import errors
from zato.server import service

OLDER = {"Inactive", "InternalServerError", "ZatoException"}


@pytest.mark.parametrize("name", sorted(set(exception.__all__) - OLDER))
def test_exceptions_are_the_same_at_every_path(name: str) -> None:
    """Whichever path an exception is imported from, `except` catches it."""
    assert getattr(exception, name) is getattr(service, name) is getattr(errors, name)


@pytest.mark.parametrize(
    "error", [exception.BadRequest("abc", "No."), exception.BadRequest("No.")], ids=["cid", "bare"]
)
def test_both_spellings_of_an_error(error: exception.BadRequest) -> None:
    """With or without the CID the caller is shown the message."""
    assert (str(error), error.status) == ("No.", 400)
