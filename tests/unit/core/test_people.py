"""Names, passwords and roles of people, and how long somebody waits who tried in vain."""

import pytest

from zato.core.errors import BadRequest
from zato.core.people import (
    Attempts,
    Role,
    check_password,
    check_user,
    password_bytes,
    role_of,
    seconds_to_wait,
    takes_password,
)

NOW = 1_700_000_000_000


@pytest.mark.parametrize("name", ["a", "ann.lee", "a_b-c@example.com", "9", "x" * 64])
def test_legal_name(name: str) -> None:
    """It stays as it is."""
    assert check_user(name) == name


def test_capitals_make_no_other_name() -> None:
    """A telephone writes the first letter as a capital."""
    assert check_user("Ann.Lee") == "ann.lee"


@pytest.mark.parametrize("name", ["", "x" * 65, "a b", "a/b", "żółw", "a\n", "<b>", "\u212a"])
def test_illegal_name(name: str) -> None:
    """The message says what is legal."""
    with pytest.raises(BadRequest, match="use 1 to 64 of the characters a-z 0-9"):
        check_user(name)


@pytest.mark.parametrize(
    ("password", "legal"), [("x" * 7, False), ("x" * 8, True), ("ż" * 1024, True), ("x" * 1025, False)]
)
def test_length_of_a_password(password: str, legal: bool) -> None:
    """It counts in characters, and no message shows the password."""
    if legal:
        assert check_password(password) == password
        return
    with pytest.raises(BadRequest, match=r"^A person's password is 8 to 1024 characters\.$"):
        check_password(password)


def test_password_is_the_same_from_every_keyboard() -> None:
    """Some write one character where others write a letter and its accent."""
    assert password_bytes("cafe\u0301-au-lait") == password_bytes("caf\u00e9-au-lait")
    assert password_bytes("half \ud800 of one") != password_bytes("half \ud801 of one")


def test_each_role_may_what_the_one_before_may() -> None:
    """Nobody is above an admin."""
    covered = [[role.covers(needed) for needed in Role] for role in Role]
    assert covered == [[True, False, False], [True, True, False], [True, True, True]]


def test_role_that_there_is_not() -> None:
    """The message has the one that is meant, and all of them."""
    with pytest.raises(BadRequest, match=r"no role 'amdin'; roles: viewer, operator, admin\. Did you mean 'admin'\?"):
        role_of("amdin")


@pytest.mark.parametrize(
    ("count", "of_one", "of_all"),
    [(2, 0, 0), (3, 1, 0), (4, 2, 0), (5, 4, 0), (8, 32, 0), (9, 60, 0), (19, 60, 0), (20, 60, 30), (10**9, 60, 30)],
)
def test_wait_after_failures(count: int, of_one: int, of_all: int) -> None:
    """It doubles with each from one address, and is the same for all of them together."""
    attempts = Attempts(count=count, last=NOW)
    found = [seconds_to_wait(attempts, NOW, of_all=every) for every in (False, True)]
    assert found == [of_one, of_all]


@pytest.mark.parametrize(("later", "wait"), [(0, 4), (1, 4), (1000, 3), (3999, 1), (4000, 0), (-10_000, 4)])
def test_wait_ends(later: int, wait: int) -> None:
    """Seconds are rounded up; a clock that was set back does not make it longer than it is."""
    assert seconds_to_wait(Attempts(count=5, last=NOW), NOW + later, of_all=False) == wait


@pytest.mark.parametrize(
    ("service", "takes"),
    [("zato.user.create", True), ("zato.session.open", True), ("zato.ping", False), ("my.user.create", False)],
)
def test_which_inputs_have_passwords(service: str, takes: bool) -> None:
    """They are those of the built-ins that deal with people."""
    assert takes_password(service) is takes
