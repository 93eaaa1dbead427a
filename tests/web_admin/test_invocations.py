"""Invocations in the web admin: finding a call, seeing what became of it, and doing it again."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.support.admins import Site
from tests.support.browsers import PHONE, OpenPage, Watch, axe
from tests.support.visitors import Enter, text_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("unmeasured")

MARKUP = "<script>document.title = 'taken'</script>"


def calls_in(response: requests.Response) -> list[str]:
    """Return the CIDs that a list shows, in order."""
    return re.findall(r'aria-label="Copy CID ([^"]+)"', response.text)


def running(site: Site) -> str:
    """Return the CID of a call that runs until it is cancelled."""
    cid = site.call("course.slow")
    wait_until(lambda: site.ask("zato.invocation.get", {"cid": cid})["status"] == "running", what="a running call")
    return cid


def id_of(site: Site, cid: str) -> str:
    """Return the id of a call."""
    return str(site.ask("zato.invocation.get", {"cid": cid})["id"])


def test_newcomer_finds_a_failed_call_corrects_and_replays_it(site: Site, page: Page) -> None:
    """From the list to the reason, to the payload, to the new call, which is done."""
    site.ended("shop.order", {"item": "tea"})
    page.goto("/invocations?status=failed&service=shop.order")
    page.get_by_role("region", name="Invocations").locator("tbody .id a").first.click()
    expect(page.get_by_role("heading", name="Why it failed")).to_be_visible()
    expect(page.locator(".failure").first).to_contain_text("An order needs a customer")

    page.get_by_role("link", name="Replay with edits").click()
    page.get_by_label("Payload").fill('{"customer": }')
    expect(page.locator("#payload-problem")).to_contain_text("This is no JSON")
    page.get_by_label("Payload").fill('{"customer": "Ada"}')
    expect(page.locator("#payload-problem")).to_be_empty()
    page.get_by_role("button", name="Replay with this payload").click()

    expect(page.get_by_role("status")).to_contain_text("Replayed with another payload")
    expect(page.locator(".state .status")).to_contain_text("done")
    expect(page.locator("#response-text")).to_contain_text("Ada")


def test_list_goes_on_by_itself_when_asked(site: Site, page: Page) -> None:
    """A call that comes in shows up in a live list, without a reload."""
    page.goto("/invocations?service=shop.told")
    page.get_by_role("link", name="Go live").click()
    page.wait_for_url("**live=1**")
    cid = site.ended("shop.told")
    expect(page.get_by_role("region", name="Invocations")).to_contain_text(cid)


def test_call_is_followed_until_it_has_an_outcome(site: Site, page: Page) -> None:
    """The page of a call that runs says when it was cancelled by somebody else, and asks no more afterwards."""
    cid = running(site)
    page.goto(f"/invocations/{cid}")
    expect(page.locator(".state .status")).to_contain_text("running")
    with page.expect_event("requestfailed", lambda request: "/live/invocation/" in request.url):
        site.ask("zato.invocation.cancel", {"cid": cid})
    expect(page.locator(".state .status")).to_contain_text("cancelled")
    expect(page.get_by_role("button", name="Replay")).to_be_visible()


def test_time_is_of_the_viewer_and_its_address_is_utc(open_page: OpenPage) -> None:
    """Noon in New Delhi is half past six in the address, and noon again when the address is opened."""
    page = open_page("/invocations", zone="Asia/Kolkata")
    page.get_by_text("More filters").click()
    expect(page.locator("label[for=since]")).to_contain_text("Asia/")
    page.get_by_label("Since").fill("2026-01-31T12:00:00")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/invocations?since=2026-01-31T06%3A30%3A00Z")
    expect(page.get_by_label("Since")).to_have_value(re.compile("^2026-01-31T12:00"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible(site: Site, open_page: OpenPage, theme: str) -> None:
    """The list, a call that failed after retries, the form and the question to all: by axe-core, on a phone."""
    cid = site.ended("course.flaky", {"a": [1, "x", None]})
    pages = ("/invocations", f"/invocations/{cid}", f"/invocations/-/edit?id={id_of(site, cid)}")
    page = open_page("", size=PHONE, theme=theme)
    for path in (*pages, "/invocations/-/all?do=replay"):
        page.goto(path)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_nonsense_in_an_address_is_accessible(open_page: OpenPage, watch: Watch) -> None:
    """What is wrong stands beside the field, and belongs to it for those who do not see it."""
    watch.allow("status of 400")
    page = open_page("/invocations?within=1y&status=faild")
    axe(page)
    expect(page.get_by_label("Accepted")).to_have_accessible_description(
        "There is no time span '1y'. There are 15m, 1h, 24h."
    )


def test_keyboard_alone_cancels_a_call(site: Site, page: Page) -> None:
    """From the address to the button, without a mouse."""
    cid = running(site)
    page.goto(f"/invocations/{cid}")
    page.get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Cancelled.")
    expect(page.locator(".state .status")).to_contain_text("cancelled")


@pytest.mark.parametrize("name", ["service", "channel", "server", "cid", "error", "parent", "status", "within"])
def test_each_filter_leaves_out_what_does_not_match(site: Site, enter: Enter, name: str) -> None:
    """A call is in the list that asks for what it has, and in none that asks for something else."""
    cid = site.ended("shop.order", channel="till", cid=f"filtered-{name}")
    record = site.ask("zato.invocation.get", {"cid": cid})
    fit = {**record, "error": "CUSTOMER", "within": "15m"}[name]
    unfit = {"status": "done", "within": ""}.get(name, "nothing-like-it")

    assert cid in calls_in(enter("viewer").get("/invocations", params={name: fit}))
    if unfit:
        reply = enter("viewer").get("/invocations", params={name: unfit})
        assert cid not in calls_in(reply)


def test_id_finds_its_call_like_a_cid(site: Site, enter: Enter) -> None:
    """One of several that share a CID, and only if the other filters fit."""
    site.ended("shop.price", {"item": "tea"}, cid="shared by two")
    site.ended("shop.order", {"customer": "Ada"}, cid="shared by two")
    call_id = id_of(site, "shared by two")
    reply = enter("viewer").get("/invocations", params={"cid": call_id})
    assert calls_in(reply) == ["shared by two"]
    assert "one of 2" in text_of(reply)
    assert not calls_in(enter("viewer").get("/invocations", params={"cid": call_id, "service": "shop.price"}))


def test_several_calls_of_one_cid_are_listed(site: Site, enter: Enter) -> None:
    """The page of the CID leads to each of them by its id."""
    for _ in range(2):
        site.ended("shop.told", cid="a/b c")
    reply = enter("viewer").get("/invocations/a%2Fb%20c")
    assert "2 calls carry this CID" in text_of(reply)
    (newest, _) = re.findall(r'<a href="/invocations/([^"]+)">a/b c', reply.text)
    assert newest == id_of(site, "a/b c")


def test_list_in_pages_there_and_back(site: Site, enter: Enter) -> None:
    """Older pages go on where the page ended, and 'newer' shows the same page again."""
    with site.server.client() as client:
        assert client.invoke_async_many([{"name": "shop.told"}] * 60).ok
    first = enter("viewer").get("/invocations?service=shop.told")
    (older,) = re.findall(r'href="([^"]+)" rel="next"', first.text)
    second = enter("viewer").get(older.replace("&amp;", "&"))
    assert len(calls_in(first)) == 50
    assert not set(calls_in(first)) & set(calls_in(second))
    (newer,) = re.findall(r'href="([^"]+)" rel="prev"', second.text)
    assert newer == "/invocations?service=shop.told"


@pytest.mark.parametrize(
    "query", ["status=x", "since=x", "cursor=x", "within=x", "x=x", "since=2026-01-02&until=2026-01-01"]
)
def test_nonsense_in_an_address_is_a_message(enter: Enter, query: str) -> None:
    """It is a 400 with the filters to correct it, and no list that pretends to be the answer."""
    reply = enter("viewer").get(f"/invocations?{query}")
    assert (reply.status_code, calls_in(reply)) == (400, [])
    assert 'class="problem"' in reply.text


def test_empty_lists_say_what_to_do_next(enter: Enter) -> None:
    """Where nothing matches, the filters can be cleared."""
    reply = enter("viewer").get("/invocations?service=never.called")
    assert "No invocation matches" in text_of(reply)
    assert '<a href="/invocations">Clear all filters</a>' in reply.text


def test_markup_is_text_everywhere(site: Site, page: Page) -> None:
    """CID, payload, error and response are shown as they are, and none of them becomes a part of the page."""
    cid = site.ended("shop.markup", {"fail": True, "note": MARKUP}, cid=MARKUP)
    for path in ("/invocations", f"/invocations/{id_of(site, cid)}", f"/invocations/-/edit?id={id_of(site, cid)}"):
        page.goto(path)
        assert "taken" not in page.title()
        expect(page.locator("main")).to_contain_text(MARKUP)
    assert page.locator("main script").count() == 0


def test_call_shows_what_it_belongs_to(site: Site, enter: Enter) -> None:
    """The request that began it, what it made, whom it answers, and where in all this it is."""
    cid = site.ended("shop.basket")
    wait_until(lambda: len(site.ask("zato.invocation.get-tree", {"cid": cid})["items"]) == 4, what="four calls")
    reply = enter("viewer").get(f"/invocations/{cid}")
    text = " ".join(text_of(reply).split())
    assert "Began with a request that has no record, because it was synchronous or is kept no more" in text
    assert re.search(r"shop.basket [\d.]+ m?s this one .*shop.price .*shop.told callback .*shop.order", text)


def test_payload_stands_before_a_tree_that_may_be_long(site: Site, open_page: OpenPage) -> None:
    """Whoever looks for why a call failed need not scroll past 200 others, where there is one column."""
    page = open_page(f"/invocations/{site.ended('shop.basket')}", size=PHONE)
    tops = [
        page.get_by_role("heading", name=name).evaluate("each => each.getBoundingClientRect().top")
        for name in ("Where the time went", "Payload", "What it belongs to")
    ]
    assert tops == sorted(tops)


def test_request_without_a_record_shows_what_it_made(site: Site, enter: Enter) -> None:
    """A synchronous request can be looked for by its CID, too."""
    with site.server.client() as client:
        cid = client.invoke("shop.basket").cid
    text = text_of(enter("viewer").get(f"/invocations/{cid}"))
    assert "What this request made" in text
    assert "shop.price" in text


def test_unknown_cid_is_said_to_be_unknown(enter: Enter) -> None:
    """The page says what has a record, and for how long."""
    reply = enter("viewer").get("/invocations/nothing%2Flike-it")
    assert reply.status_code == 404
    assert "Nothing kept here has the CID or the id nothing/like-it" in text_of(reply)


def test_retries_are_drawn_and_told(site: Site, enter: Enter) -> None:
    """Each stretch of the bar has its words beside it, and each failed attempt its error."""
    text = " ".join(text_of(enter("viewer").get(f"/invocations/{site.ended('course.flaky')}")).split())
    assert re.search(r"Attempt 1 failed [\d.]+ m?s Pause before the next attempt [\d.]+ m?s .*Ran, and failed", text)
    assert "2 of at most 2" in text
    assert text.count("KeyError: 'tea'") == 2


def test_large_response_is_cut_and_downloaded_whole(site: Site, enter: Enter) -> None:
    """The page has its beginning; the download has every byte, as a file that no browser runs."""
    cid = site.ended("shop.report", {"size": 300_000})
    page = enter("viewer").get(f"/invocations/{cid}")
    assert "x" * 1000 in page.text
    assert "300 kB, of which this is the beginning · Download the whole" in text_of(page)
    assert len(page.text) < 100_000
    (path,) = re.findall(r'href="(/invocations/-/download\?[^"]+what=response)"', page.text)
    reply = enter("viewer").get(path.replace("&amp;", "&"))
    assert json.loads(reply.content) == {"text": "x" * 300_000}
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Content-Disposition"] == f"attachment; filename=response-{cid}.json"


def test_download_has_a_plain_name_whatever_the_cid_is(site: Site, enter: Enter) -> None:
    """No CID breaks out of the header, or says where the file is put."""
    call_id = id_of(site, site.ended("shop.told", {"a": 1}, cid='../a"; b/c.json'))
    reply = enter("viewer").get(f"/invocations/-/download?id={call_id}&what=payload")
    assert reply.headers["Content-Disposition"] == "attachment; filename=payload-..-a-b-c.json.json"
    assert reply.json() == {"a": 1}


@pytest.mark.parametrize("query", ["", "what=cookie", "what=payload&id=nothing"])
def test_download_of_nothing_is_refused(enter: Enter, query: str) -> None:
    """The message says what there is to download."""
    assert enter("viewer").get(f"/invocations/-/download?{query}").status_code in (400, 404)


def test_digits_of_a_payload_stay_as_they_were(site: Site, enter: Enter) -> None:
    """No number is rounded on its way from the form, to the page, and into the form again."""
    numbers, visitor = ["12.125", "123456789012345678901234567890"], enter("operator")
    call_id = id_of(site, site.ended("shop.order"))
    payload = f'{{"customer": "Ada", "prices": [{", ".join(numbers)}]}}'
    path = visitor.submit("/invocations/-/edit", id=call_id, kind="json", payload=payload).headers["Location"]
    for page in (path, f"/invocations/-/edit?id={path.rpartition('/')[2]}"):
        text = text_of(visitor.get(page))
        assert all(number in text for number in numbers), text


def test_payload_is_checked_against_the_declared_input(site: Site, page: Page) -> None:
    """What the service would refuse is said at a pause in the typing, in the words that a caller would get."""
    page.goto(f"/invocations/-/edit?id={id_of(site, site.ended('shop.price', {'item': 'tea'}))}")
    page.get_by_label("Payload").fill('{"amount": 1}')
    expect(page.locator("#payload-problem")).to_contain_text("item")
    page.get_by_label("Payload").fill('{"item": "milk"}')
    expect(page.locator("#payload-problem")).to_be_empty()


def test_what_is_no_json_is_not_replayed(site: Site, enter: Enter) -> None:
    """The form comes back with what was typed, and says what is wrong with it."""
    call_id = id_of(site, site.ended("shop.order"))
    reply = enter("operator").submit("/invocations/-/edit", id=call_id, kind="json", payload="{'a': 1}")
    assert reply.status_code == 400
    assert "{'a': 1}" in text_of(reply)
    assert 'aria-invalid="true"' in reply.text


def test_text_is_replayed_as_text(site: Site, enter: Enter) -> None:
    """What looks like a number stays a text if that is said, and lines end as they did."""
    visitor, call_id = enter("operator"), id_of(site, site.ended("shop.told", "1"))
    reply = visitor.submit("/invocations/-/edit", id=call_id, kind="text", payload="1\r\n2")
    made = reply.headers["Location"].rpartition("/")[2]
    assert site.ask("zato.invocation.get", {"id": made})["payload"] == "1\n2"


def test_second_replay_is_made_only_if_somebody_insists(site: Site, enter: Enter) -> None:
    """Two people who replay the same call do it once; whoever was second learns of it, and may do it again."""
    call_id, first, second = id_of(site, site.ended("shop.told")), enter("operator"), enter("admin")
    assert "This is the new call" in first.landed(first.submit("/invocations/-/replay", id=call_id))
    page = second.landed(second.submit("/invocations/-/replay", id=call_id))
    assert "was replayed before, as" in page
    assert "Replay again" in page
    reply = second.submit("/invocations/-/replay", id=call_id, again="1")
    assert "This is the new call" in second.landed(reply)


def test_call_that_ended_meanwhile_is_not_cancelled(site: Site, enter: Enter) -> None:
    """Whoever comes too late learns what the call is now."""
    call_id, visitor = id_of(site, site.ended("shop.told")), enter("operator")
    page = visitor.landed(visitor.submit("/invocations/-/cancel", id=call_id))
    assert "cannot be cancelled: it is done" in page


@pytest.mark.parametrize("path", ["cancel", "replay", "edit"])
def test_viewer_changes_nothing(site: Site, enter: Enter, path: str) -> None:
    """There is no button, and the server refuses who sends the form all the same."""
    call_id = id_of(site, site.ended("shop.order"))
    page = enter("viewer").get(f"/invocations/{call_id}")
    assert f"/invocations/-/{path}" not in page.text
    reply = enter("viewer").submit(f"/invocations/-/{path}", id=call_id, kind="json", payload="{}")
    assert reply.status_code == 403


def test_span_of_time_leaves_out_what_is_older(site: Site, enter: Enter) -> None:
    """Dates in the address are UTC."""
    cid = site.ended("shop.told")
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert cid in calls_in(enter("viewer").get("/invocations", params={"until": soon}))
    assert cid not in calls_in(enter("viewer").get("/invocations", params={"since": soon}))
