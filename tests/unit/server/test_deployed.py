"""What is told of services: lists of them, one of them, how it is written, what it accepts."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from zato.core.errors import BadRequest, UnknownService
from zato.server.service import AsyncService, Service
from zato.testing import Zato


class Sync(Service):
    """Answers."""

    name = "crm.sync"
    input = "customer", "-note"

    def handle(self) -> str:
        if self.request.input.customer == "nobody":
            raise ValueError("no such customer")
        return "ok"


class Later(AsyncService):
    name = "billing.later"

    async def handle(self) -> None:
        pass


@dataclass
class Strange:
    """What an input is made of, with code of its own."""

    word: str

    def __post_init__(self) -> None:
        if self.word == "exit":
            raise SystemExit(self.word)
        raise KeyError(self.word)


class Odd(Service):
    name = "crm.odd"
    input = Strange

    def handle(self) -> None:
        pass


@pytest.fixture
def zato() -> Iterator[Zato]:
    """A kit with two services, one of which ran three times, once with an error."""
    with Zato() as kit:
        kit.deploy(Sync, Later)
        kit.invoke("crm.sync", {"customer": "ada"})
        kit.invoke("crm.sync", {"customer": "joan"})
        with pytest.raises(ValueError, match="no such"):
            kit.invoke("crm.sync", {"customer": "nobody"})
        yield kit


def names(zato: Zato, **wish: Any) -> list[str]:
    """Return the names that a list has."""
    return [item["name"] for item in zato.invoke("zato.service.get-list", wish).data["items"]]


def test_item_of_a_list(zato: Zato) -> None:
    """It says what the service is, where it is written, who has it, and how often it ran."""
    items = zato.invoke("zato.service.get-list", {"query": "crm"}).data["items"]

    assert items == [
        {
            "name": "crm.sync",
            "impl_name": f"{__name__}.Sync",
            "is_internal": False,
            "is_async": False,
            "file": __file__,
            "calls": 3,
            "errors": 1,
            "servers": ["testing"],
        }
    ]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        pytest.param({}, ["billing.later", "crm.sync"], id="by-name"),
        pytest.param({"reverse": True}, ["crm.sync", "billing.later"], id="reverse"),
        pytest.param({"sort": "calls"}, ["billing.later", "crm.sync"], id="by-calls"),
        pytest.param({"sort": "errors", "reverse": True}, ["crm.sync", "billing.later"], id="by-errors"),
        pytest.param({"sort": "impl_name"}, ["billing.later", "crm.sync"], id="by-implementation"),
        pytest.param({"sort": "file", "reverse": True}, ["billing.later", "crm.sync"], id="alike-stay-by-name"),
        pytest.param({"limit": 1}, ["billing.later"], id="first-page"),
        pytest.param({"limit": 1, "offset": 1}, ["crm.sync"], id="second-page"),
        pytest.param({"offset": 2}, [], id="after-the-last"),
        pytest.param({"query": "LATER test_deployed"}, ["billing.later"], id="every-word-in-any-case"),
        pytest.param({"query": ""}, ["billing.later", "crm.sync"], id="empty-query"),
        pytest.param({"query": "crm later"}, [], id="words-of-two-services"),
    ],
)
def test_list_as_it_is_wished_for(zato: Zato, wish: dict[str, Any], expected: list[str]) -> None:
    """Words narrow it, a column orders it, and a page is cut of it."""
    assert names(zato, internal=False, **wish) == expected


def test_total_of_a_list_counts_all_pages(zato: Zato) -> None:
    """Whoever shows pages knows how many there are."""
    found = zato.invoke("zato.service.get-list", {"limit": 1, "internal": False}).data
    assert (len(found["items"]), found["total"]) == (1, 2)


def test_list_without_a_wish(zato: Zato) -> None:
    """It has everything, by name, built-in services too; those have no file, so by file they come last."""
    assert {"crm.sync", "zato.ping"} < set(names(zato))
    assert names(zato) == sorted(names(zato))
    assert names(zato, sort="file")[:2] == ["billing.later", "crm.sync"]


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        pytest.param({"limit": 0}, "'limit' is a whole number from 1 to 1000000, not 0", id="no-page"),
        pytest.param({"limit": True}, "'limit' is a whole number .* not True", id="a-truth-for-a-number"),
        pytest.param({"offset": -1}, "'offset' is a whole number from 0", id="negative"),
        pytest.param({"offset": 10**40}, "'offset' is a whole number from 0", id="huge"),
        pytest.param({"sort": "call"}, "'sort' is one of name, .* Did you mean 'calls'", id="unknown-column"),
        pytest.param({"query": "a" * 501}, "'query' is a text of 1 to 500 characters", id="long-query"),
        pytest.param({"query": ["a"]}, r"'query' is text, not \['a'\]", id="list-for-a-text"),
        pytest.param({"query": "a\0"}, "'query' is a text of 1 to 500 characters", id="a-nul"),
        pytest.param({"internal": "no"}, "'internal' is true or false", id="text-for-a-truth"),
        pytest.param({"pages": 1}, "There is no input 'pages'", id="unknown-field"),
    ],
)
def test_wish_that_is_not_legal(zato: Zato, wish: dict[str, Any], message: str) -> None:
    """The field is named, and what it may be."""
    with pytest.raises(BadRequest, match=message):
        zato.invoke("zato.service.get-list", wish)


def test_one_service(zato: Zato) -> None:
    """It is told of as in a list, with what the class declares and where it begins."""
    told = zato.invoke("zato.service.get", {"name": "crm.sync"}).data

    assert (told["calls"], told["errors"], told["servers"]) == (3, 1, ["testing"])
    assert (told["doc"], Path(__file__).read_text().splitlines()[told["line"] - 1]) == (
        "Answers.",
        "class Sync(Service):",
    )


def test_source_of_a_service(zato: Zato) -> None:
    """It is the class and nothing else of its file, with the line where it begins."""
    source = zato.invoke("zato.service.get-source", {"name": "billing.later"}).data
    before = Path(__file__).read_text().partition("class Later")[0]

    assert source == {
        "name": "billing.later",
        "file": __file__,
        "source": 'class Later(AsyncService):\n    name = "billing.later"\n\n'
        "    async def handle(self) -> None:\n        pass\n",
        "line": before.count("\n") + 1,
        "has_changed": False,
    }


def test_source_of_a_built_in_service(zato: Zato) -> None:
    """Of what no user wrote there is none to show."""
    source = zato.invoke("zato.service.get-source", {"name": "zato.ping"}).data
    assert source == {"name": "zato.ping", "file": None, "source": None, "line": None, "has_changed": False}


@pytest.mark.parametrize(
    ("name", "payload", "expected"),
    [
        pytest.param("crm.sync", {"customer": "ada"}, (True, None), id="accepted"),
        pytest.param("crm.sync", '{"customer": "ada"}', (True, None), id="as-text"),
        pytest.param("crm.sync", {"note": "x"}, (False, "Element missing: customer"), id="missing"),
        pytest.param("crm.sync", [1], (False, "[0] is 1, which is no object"), id="no-object"),
        pytest.param("crm.sync", None, (False, "Element missing: customer"), id="null"),
        pytest.param("billing.later", [1, 2], (True, None), id="nothing-is-declared"),
        pytest.param("crm.odd", {"word": "x"}, (False, "KeyError"), id="a-model-that-raises"),
        pytest.param("crm.odd", {"word": "exit"}, (False, "SystemExit: exit"), id="a-model-that-exits"),
    ],
)
def test_input_that_is_checked(zato: Zato, name: str, payload: object, expected: tuple[bool, str | None]) -> None:
    """The message is the one that a caller would get, and the service does not run."""
    zato.deploy(Odd)
    told = zato.invoke("zato.service.check-input", {"name": name, "payload": payload}).data

    ok, message = expected
    assert told["ok"] is ok
    assert (message or "") in (told["message"] or "")
    assert zato.invoke("zato.service.get", {"name": "crm.sync"}).data["calls"] == 3


@pytest.mark.parametrize("service", ["zato.service.get", "zato.service.get-source", "zato.service.check-input"])
def test_service_that_is_not_named_or_not_there(zato: Zato, service: str) -> None:
    """Both are said, with the name that is nearest."""
    with pytest.raises(BadRequest, match="Give 'name', the name of a service"):
        zato.invoke(service, {})
    with pytest.raises(UnknownService, match=r"Did you mean 'crm\.sync'"):
        zato.invoke(service, {"name": "crm.synk"})
