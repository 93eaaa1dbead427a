"""The overview, and servers and queues: what is shown of them, what changes by itself, and what may be done there."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.admins import ROLES, Site
from tests.support.browsers import DESKTOP, PHONE, OpenPage, Watch, axe
from tests.support.visitors import Enter, text_of

pytestmark = pytest.mark.usefixtures("unmeasured")

OURS = ("/", "/servers", "/servers/drain?name=server1", "/people", "/people/viewer", "/audit", "/me")


@pytest.fixture
def drained(site: Site) -> Iterator[None]:
    """The server drains while the test runs."""
    site.ask("zato.server.drain", {})
    yield
    site.ask("zato.server.drain", {"undo": True})


@pytest.fixture
def held(site: Site) -> Iterator[str]:
    """The CID of a call that waits, because its queue is paused."""
    site.ask("zato.queue.pause", {"name": "default"})
    cid = site.call("shop.price", {"item": "tea"})
    yield cid
    site.ask("zato.queue.resume", {"name": "default"})


def test_failed_call_is_one_click_away(site: Site, open_page: OpenPage) -> None:
    """The overview has its error's message, which leads to the call."""
    cid = site.ended("shop.order", {"item": "tea"})
    page = open_page("/", "operator")
    page.get_by_role("link", name="An order needs a customer").first.click()
    page.wait_for_url(f"**/invocations/{cid}")


def test_long_name_leaves_room_for_the_reason(site: Site, open_page: OpenPage) -> None:
    """A service whose name is too long for its column has it broken; why it failed stays in view."""
    site.ended("shop.order", {"item": "tea"})
    page = open_page("/", "viewer")
    end = page.locator("tr:has(.why)").first.evaluate(
        "row => { row.querySelector('.name').textContent = 'crm.import-'.repeat(20);"
        " return row.querySelector('.why').getBoundingClientRect().right; }"
    )
    assert end < DESKTOP[0]


def test_phone_shows_which_page_it_is(open_page: OpenPage) -> None:
    """The row of pages is wider than a phone; the one that is shown is scrolled to."""
    page = open_page("/audit", size=PHONE)
    expect(page.get_by_role("navigation").get_by_role("link", name="Audit")).to_be_in_viewport(ratio=1)


def test_overview_goes_on_by_itself(site: Site, open_page: OpenPage) -> None:
    """Who looks on sees a call fail, without loading the page again."""
    page = open_page("/", "viewer")
    page.get_by_text("Last failures").wait_for()
    cid = site.ended("shop.order", {"item": "coffee"})
    page.get_by_role("link", name=cid).wait_for()
    assert page.get_by_role("link", name=re.compile("failed in the last hour")).is_visible()


def test_overview_counts_what_waits(enter: Enter, held: str) -> None:
    """Each figure leads to the list of what it counts, and a queue that is paused is said to be."""
    text = enter("viewer").get("/").text
    assert '<a href="/invocations?status=waiting">1</a>' in text
    assert "Queue default is paused" in text
    assert "Its calls wait until it is resumed." in text


def test_overview_counts_what_failed(site: Site, enter: Enter) -> None:
    """Of the last hour, and leads to just those."""
    site.ended("shop.order")
    failed = site.ask("zato.invocation.count", {"status": "failed"})["count"]
    text = enter("viewer").get("/").text
    assert f'<a href="/invocations?status=failed&amp;within=1h">{failed}</a>' in text
    assert "failed in the last hour</a>" in text


def test_overview_says_that_a_server_drains(enter: Enter, drained: None) -> None:
    """It is a reason for calls to wait."""
    text = enter("viewer").get("/").text
    assert "Server server1 drains" in text
    assert "All is well" not in text


def test_queue_is_paused_and_resumed(site: Site, open_page: OpenPage, held: str) -> None:
    """By the buttons beside its state; the notice says what it means."""
    page = open_page("/servers", "operator")
    page.get_by_role("button", name="Resume queue default").click()
    page.get_by_text("Queue default runs again.").wait_for()
    with site.server.client() as client:
        assert client.result(held, wait=30).ok
    page.get_by_text("Pause a queue that is not listed").click()
    page.get_by_label("Name of the queue").fill("mail")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_text("Queue mail is paused. Its calls wait until it is resumed.").wait_for()
    page.get_by_role("button", name="Resume queue mail").click()
    page.get_by_text("Queue mail runs again.").wait_for()


def test_server_is_drained_and_takes_work_again(site: Site, open_page: OpenPage) -> None:
    """After a page that says what it means, and by the keyboard alone."""
    page = open_page("/servers", "operator")
    page.get_by_role("link", name="Drain server server1").press("Enter")
    page.get_by_text("No other server takes them").wait_for()
    page.get_by_role("button", name="Drain server1").press("Enter")
    page.get_by_text("Server server1 drains: what runs goes on.").wait_for()
    assert site.ask("zato.cluster.get-servers")["items"][0]["draining"]
    page.get_by_role("button", name="Take work again").press("Enter")
    page.get_by_text("Server server1 takes background calls again.").wait_for()
    assert not site.ask("zato.cluster.get-servers")["items"][0]["draining"]


def test_servers_tell_their_figures(site: Site, enter: Enter) -> None:
    """Everything that the cluster knows of a server, as words."""
    server = site.ask("zato.cluster.get-servers")["items"][0]
    text = text_of(enter("viewer").get("/servers"))
    for figure in (server["name"], server["host"], server["address"], server["version"], server["workers"][0]["pid"]):
        assert str(figure) in text
    assert "alive" in text


def test_queue_tells_what_waits(enter: Enter, held: str) -> None:
    """How much of each, and since when."""
    text = enter("viewer").get("/servers").text
    assert '<a href="/invocations?status=waiting" aria-label="1 waiting">1</a>' in text
    assert "data-ago" in text


def test_what_may_not_be_done_is_not_offered(site: Site, enter: Enter, held: str) -> None:
    """A viewer sees no button, and the server refuses what the page does not offer."""
    viewer = enter("viewer")
    text = viewer.get("/servers").text
    assert "Drain…" not in text
    assert "Pause" not in text
    assert "<button id=" not in text
    for path, name in (("/servers/drain", "server1"), ("/servers/pause", "mine"), ("/servers/resume", "default")):
        assert viewer.submit(path, name=name).status_code == 403
    assert {queue["name"] for queue in site.ask("zato.queue.get-list")["items"] if queue["paused"]} == {"default"}


def test_log_in_counts_down(site: Site, open_page: OpenPage, watch: Watch) -> None:
    """Who failed too often sees on the button when it works again; it then does."""
    watch.allow("status of (403|429)")
    # The other tests log in from the same address.
    assert all(map(site.session, ROLES))
    page = open_page("/login", None)
    for _ in range(5):
        page.get_by_label("Name").fill("nobody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("alert").filter(has_text=re.compile("wrong|Too many")).wait_for()
        if page.get_by_role("button", name=re.compile("Log in in [0-9]+ s")).count():
            break
    assert page.get_by_role("button", name=re.compile("Log in in [0-9]+ s")).is_disabled()
    page.get_by_text("You can try again now.").wait_for()
    assert page.get_by_role("button", name="Log in", exact=True).is_enabled()


@pytest.mark.parametrize("path", ["/login", *OURS])
def test_page_keeps_nobody_out(open_page: OpenPage, path: str) -> None:
    """axe-core finds no grave fault, in the dark neither; on a phone nothing but a table is wider than the screen."""
    page = open_page(path, None if path == "/login" else "admin")
    axe(page)
    page.emulate_media(color_scheme="dark")
    axe(page, "color-contrast")
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
