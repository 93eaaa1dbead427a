"""Elements without a type are what their names say."""

from typing import Any

import pytest

from zato.core.elements import AsIs, contract_of
from zato.core.elements.by_name import kind_by_name
from zato.core.errors import BadRequest


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((f"{prefix}x", "bool") for prefix in ("by_", "has_", "is_", "may_", "needs_", "should_")),
        *((f"x{suffix}", "int") for suffix in ("_count", "_id", "_size", "_timeout")),
        ("id", "int"),
        ("ID", "int"),
        ("is_id", "bool"),
        ("password", "secret"),
        ("auth_token", "secret"),
        ("secret_key", "secret"),
        ("access_key_id", "secret"),
        ("token_count", "int"),
        ("has_password", "bool"),
        ("issue", "any"),
        ("idea", "any"),
        ("paid", "any"),
        ("name", "any"),
    ],
)
def test_kind(name: str, kind: str) -> None:
    """Prefixes make truths, suffixes whole numbers, and secrets are known by their names."""
    assert kind_by_name(name).name == kind


class Customer:
    input = "customer_id", "-is_active", "-password"
    output = "customer_id", "-is_active"


def test_values_convert() -> None:
    """By name, text becomes what it stands for."""
    found = contract_of(Customer).read({"customer_id": "12", "is_active": "no"}, {})
    assert found == {"customer_id": 12, "is_active": False, "password": ""}


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (
            {"customer_id": "C-17"},
            "customer_id is 'C-17', which is no integer. Its name makes it a whole number; a service that takes any "
            "value declares it as AsIs('customer_id')",
        ),
        (
            {"customer_id": 1, "is_active": "perhaps"},
            "is_active is 'perhaps', which is neither true nor false. Its name makes it true or false; a service that "
            "takes any value declares it as AsIs('is_active')",
        ),
    ],
)
def test_message_says_that_the_name_is_why(payload: Any, message: str) -> None:
    """Nobody wrote a type, so the message says where it comes from, and how to opt out."""
    with pytest.raises(BadRequest) as caught:
        contract_of(Customer).read(payload, {})
    assert str(caught.value) == message


def test_as_is_opts_out() -> None:
    """An element that is declared to be anything is anything, whatever its name."""
    sample = type("Sample", (), {"input": AsIs("customer_id")})
    assert contract_of(sample).read({"customer_id": "C-17"}, {}).customer_id == "C-17"


def test_null_stays() -> None:
    """Where no type is written, a null is a value."""
    assert contract_of(Customer).read({"customer_id": None}, {}).customer_id is None


def test_empty_text_of_an_optional_one_is_nothing() -> None:
    """Forms and older clients send an empty text for what they do not have."""
    assert contract_of(Customer).read({"customer_id": 1, "is_active": ""}, {}).is_active == ""


def test_output_leaves_as_it_is_if_it_does_not_fit() -> None:
    """What a service answers is its own affair: its names promise nothing."""
    contract = contract_of(Customer)
    for active, leaves in (("no", False), ("perhaps", "perhaps")):
        written = contract.written({"customer_id": "C-17", "is_active": active}, print)
        assert written == {"customer_id": "C-17", "is_active": leaves}


@pytest.mark.parametrize("value", [{"session": "abc"}, ["abc"], 5])
def test_secret_by_name_stays_what_it_is(value: Any) -> None:
    """Only its type is not known: cookies are an object."""
    found = contract_of(Customer).read({"customer_id": 1, "password": value}, {})
    assert (found.password, repr(found)) == (value, "{'customer_id': 1, 'is_active': '', 'password': '***'}")
