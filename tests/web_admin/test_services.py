"""The pages of services: the list, and one of them."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from tests.support.admins import Site, services_in
from tests.support.browsers import PHONE, OpenPage, Watch, axe
from tests.support.visitors import Enter, Visitor, text_of

pytestmark = pytest.mark.usefixtures("unmeasured")

SERVICES = Path(__file__).parent / "services"
HANDLE = "\n    def handle(self):\n        pass\n\n\n"
MARKUP = '<script>document.title = "taken"</script>'


@pytest.fixture(scope="module")
def services() -> Mapping[str, str]:
    """The usual ones, and a thousand more."""
    classes = (f"class Many{number}(Service):\n    name = 'many.{number:04}'\n{HANDLE}" for number in range(1000))
    return {**services_in(SERVICES), "many.py": f"from zato.server.service import Service\n\n\n{''.join(classes)}"}


@pytest.fixture
def viewer(enter: Enter, site: Site) -> Visitor:
    """Somebody who may look."""
    visitor: Visitor = enter(session=site.session("viewer"))
    return visitor


def names_in(reply: requests.Response) -> list[str]:
    """Return the services that a list shows, in order."""
    assert reply.status_code == 200, reply.text
    return [part.partition('"')[0] for part in reply.text.split('<th scope="row"><a class="name" href="/services/')[1:]]


def test_list_has_users_services_by_name(viewer: Visitor) -> None:
    """Built-in ones are there when they are asked for."""
    last = names_in(viewer.get("/services?page=21"))
    assert last == sorted(last)
    assert "shop.price" in last
    assert not [name for name in last if name.startswith("zato.")]
    assert names_in(viewer.get("/services?internal=1&query=zato.ping")) == ["zato.ping"]


@pytest.mark.parametrize("query", ["shop.PRICE", "Price", "shop.py price", "<b>"])
def test_search_goes_by_name_implementation_and_file(viewer: Visitor, query: str) -> None:
    """All words have to be there, whichever case they have; what nothing has is said, as text."""
    reply = viewer.get("/services", params={"query": query})
    if query == "<b>":
        assert names_in(reply) == []
        assert "No service has <strong>&lt;b&gt;</strong>" in reply.text
    else:
        assert names_in(reply) == ["shop.price"]


def test_list_is_sorted_by_calls(viewer: Visitor, site: Site) -> None:
    """The address says so, and the heading of the column."""
    for _ in range(30):
        site.ask("shop.report", {"size": 1})
    reply = viewer.get("/services?sort=calls&reverse=1")
    assert names_in(reply)[0] == "shop.report"
    assert 'aria-sort="descending"' in reply.text


def test_list_is_paged(viewer: Visitor) -> None:
    """Each page has an address; one beyond the last says how many there are."""
    first, last = viewer.get("/services?query=many"), viewer.get("/services?query=many&page=20")
    assert names_in(first) == [f"many.{number:04}" for number in range(50)]
    assert names_in(last) == [f"many.{number:04}" for number in range(950, 1000)]
    assert 'rel="prev" href="/services?query=many&amp;page=19"' in last.text
    assert 'rel="next"' not in last.text
    assert "There are fewer pages" in text_of(viewer.get("/services?page=9999"))


# Python reads no number of so many digits.
LONG = f"page=000000001{'9' * 5000}"


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=99999999999", "sort=<b>", "internal=maybe", "page=%C2%B2", LONG]
)
def test_nonsense_in_the_address_is_said(viewer: Visitor, query: str) -> None:
    """The message names the part and what is legal, and shows no stack."""
    reply = viewer.get(f"/services?{query}")
    assert reply.status_code == 400
    assert f"{query.partition('=')[0]}=" in text_of(reply)
    assert "<b>" not in reply.text


def test_service_says_what_it_is(viewer: Visitor) -> None:
    """Docstring, input with defaults, options and source are on its page."""
    said = " ".join(text_of(viewer.get("/services/shop.price")).split())
    for part in ("Says what an item costs.", "The second paragraph", "amount int no 1", "item text yes", "shop.Price"):
        assert part in said
    assert "class Price(Service):" in said
    assert "Retriesnone" in said


def test_service_shows_its_last_calls(viewer: Visitor, site: Site) -> None:
    """With status and error, and a way to all of them."""
    cid = site.ended("shop.order", {})
    reply = viewer.get("/services/shop.order")
    assert f"/invocations/{cid}" in reply.text
    assert "An order needs a customer" in text_of(reply)
    assert "/invocations?service=shop.order" in reply.text


def test_markup_in_a_docstring_is_text(viewer: Visitor) -> None:
    """It is shown in the description and in the source, and runs in neither."""
    reply = viewer.get("/services/shop.markup")
    assert MARKUP not in reply.text
    assert text_of(reply).count(MARKUP) == 2


def test_builtin_has_no_source_and_no_public_address(viewer: Visitor) -> None:
    """The page says so."""
    said = text_of(viewer.get("/services/zato.queue.pause"))
    assert "This service is built in." in said
    assert "Its own address" not in said


@pytest.mark.parametrize("name", ["shop.prize", "%3Cscript%3E", "a%2Fb", "%00", "x" * 3000])
def test_unknown_service_is_said(viewer: Visitor, name: str) -> None:
    """A clear message, with the nearest name, and no stack."""
    reply = viewer.get(f"/services/{name}")
    assert reply.status_code == 404
    assert "<script>" not in reply.text.partition("<main")[2]
    if name == "shop.prize":
        assert "shop.price" in text_of(reply)


def test_curl_line_of_a_service_runs_as_copied(viewer: Visitor) -> None:
    """It takes the password from the environment, and the example of the declared input."""
    reply = viewer.get("/services/shop.price")
    line = text_of(reply).partition("curl --silent")[2].partition("Source")[0].replace("⧉", "")
    printed = subprocess.check_output(["bash", "-c", f"curl --silent{line}"], text=True, timeout=30)
    assert json.loads(printed) == {"item": "item", "cost": 1}


def test_pages_are_right_in_a_browser(open_page: OpenPage, watch: Watch) -> None:
    """Search by keyboard, from the list to a service and on to the invoker; axe-core finds no grave fault."""
    page = open_page("/services", "operator")
    page.keyboard.press("/")
    page.keyboard.type("price")
    page.keyboard.press("Enter")
    page.wait_for_url("**/services?query=price")
    axe(page)
    page.get_by_role("link", name="shop.price").click()
    page.get_by_role("heading", name="shop.price").wait_for()
    axe(page)
    page.get_by_role("link", name="Invoke it").click()
    page.wait_for_url("**/invoke?service=shop.price")
    assert '"item": "item"' in page.input_value("#payload")


@pytest.mark.parametrize("path", ["/services?query=shop", "/services/shop.price"])
def test_pages_fit_a_phone_in_the_dark(open_page: OpenPage, path: str) -> None:
    """Nothing but tables and programs, in their frames, is wider than the screen."""
    page = open_page(path, "viewer", size=PHONE, theme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    axe(page)
