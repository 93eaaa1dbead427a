"""Tests of hello_farewell.py. 'zato' runs it in memory, without a server."""

from pathlib import Path

import pytest
from zato.server.service import BadRequest
from zato.testing import Zato

SERVICE = Path(__file__).parents[1] / "hello_farewell.py"


def test_hello_farewell_greets(zato: Zato) -> None:
    """Whoever is named is greeted."""
    zato.deploy(SERVICE)

    answer = zato.invoke("hello.farewell", {"name": "Ada"})

    assert answer.data == {"greeting": "Hello, Ada!"}


def test_hello_farewell_needs_a_name(zato: Zato) -> None:
    """Who names nobody is told so."""
    zato.deploy(SERVICE)

    with pytest.raises(BadRequest, match="Element missing: name"):
        zato.invoke("hello.farewell")
