"""The same done to all invocations that match: counted, confirmed, done once, stopped, begun again."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.admins import ROLES, Site
from tests.support.browsers import axe
from tests.support.environments import PASSWORD
from tests.support.visitors import Enter, Visitor, text_of
from tests.support.waiting import wait_until
from zato.web_admin.door import Address, Door, Person
from zato.web_admin.jobs import Job, Wanted

pytestmark = pytest.mark.usefixtures("unmeasured")

ALL = "/invocations/-/all"


def failed(site: Site, channel: str, count: int = 3) -> None:
    """Have calls fail that are found by their channel."""
    with site.server.client() as client:
        made = client.invoke_async_many([{"name": "shop.order", "channel": channel}] * count)
        for cid in made.data:
            client.result(cid, wait=30)


def count(site: Site, channel: str, **filters: str) -> int:
    """Return how many calls of a channel there are."""
    return int(site.ask("zato.invocation.count", {"channel": channel, **filters})["count"])


def form_of(visitor: Visitor, query: str) -> dict[str, str]:
    """Return the fields of the question."""
    text = visitor.get(f"{ALL}?{query}").text
    (form,) = re.findall(rf'<form method="post" action="{ALL}".*?</form>', text, re.DOTALL)
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def door_of(site: Site) -> Door:
    """Return a way to the server that is not the web admin's."""
    address = Address(site.server.address, "admin.invoke", PASSWORD, str(site.server.environment.path))
    return Door(lambda: address)


def outcome(visitor: Visitor, fields: dict[str, str]) -> str:
    """Confirm, and return what the job's page says in the end."""
    reply = visitor.send(ALL, fields)
    assert reply.status_code == 303, reply.text
    path = reply.headers["Location"]
    wait_until(lambda: "data-ended" in visitor.get(path).text, what="the end of the job")
    return " ".join(text_of(visitor.get(path)).split())


def test_all_that_failed_are_replayed(site: Site, page: Page) -> None:
    """From the filtered list to the count, the confirmation and the result."""
    failed(site, "everything")
    page.goto("/invocations?status=failed&channel=everything")
    page.get_by_role("link", name="Replay all that match").click()
    expect(page.locator(".counts")).to_have_text("3 failed")
    page.get_by_role("button", name="Replay 3 calls").click()
    expect(page.locator("dl.figures")).to_contain_text("Replayed3")
    axe(page)
    wait_until(lambda: count(site, "everything") == 6, what="three calls more")


def test_nothing_is_replayed_twice(site: Site, enter: Enter) -> None:
    """A form sent again leads to the same job; another job leaves out what was replayed before, unless it is meant."""
    failed(site, "twice")
    visitor = enter("operator")
    fields = form_of(visitor, "do=replay&channel=twice")
    first = visitor.send(ALL, fields).headers["Location"]
    assert visitor.send(ALL, fields).headers["Location"] == first
    assert "Replayed3" in outcome(visitor, fields).replace(" ", "")

    same = {**fields, "key": "another"}
    assert "Replayed before3" in outcome(visitor, same)
    assert count(site, "twice") == 6
    assert "Replayed3" in outcome(visitor, {**same, "key": "once-more", "again": "1"}).replace(" ", "")


def test_what_comes_in_after_the_question_is_left_alone(site: Site, enter: Enter) -> None:
    """What is done is what was counted."""
    failed(site, "later", 1)
    visitor = enter("operator")
    fields = form_of(visitor, "do=replay&channel=later")
    failed(site, "later", 1)
    assert "Replayed1" in outcome(visitor, fields)


def test_oldest_is_replayed_first(site: Site, enter: Enter) -> None:
    """However many pages of records they are on, they come in once more in the order in which they came."""
    with site.server.client() as client:
        client.invoke_async_many([{"name": "shop.told", "channel": "order", "payload": n} for n in range(250)])
    wait_until(lambda: count(site, "order", status="done") == 250, what="all calls")
    visitor = enter("operator")
    assert "Replayed250" in outcome(visitor, form_of(visitor, "do=replay&status=done&channel=order")).replace(" ", "")

    made = site.ask("zato.invocation.get-list", {"channel": "order", "limit": 500})["items"][:250]
    first = site.ask("zato.invocation.get", {"id": made[-1]["id"]})["payload"]
    assert first < 10


def test_all_that_wait_are_cancelled(site: Site, enter: Enter) -> None:
    """Whatever has no outcome yet, of each status."""
    with site.server.client() as client:
        client.invoke_async_many([{"name": "shop.told", "channel": "cancelled", "delay": 600}] * 3)
        assert client.invoke_async("course.slow", channel="cancelled").ok
    wait_until(lambda: count(site, "cancelled", status="running") == 1, what="the running call")
    visitor = enter("operator")
    assert "3 delayed, 1 running" in " ".join(text_of(visitor.get(f"{ALL}?do=cancel&channel=cancelled")).split())
    assert "Cancelled4" in outcome(visitor, form_of(visitor, "do=cancel&channel=cancelled"))
    assert count(site, "cancelled", status="cancelled") == 4


@pytest.mark.parametrize(
    ("token", "why"),
    [
        pytest.param("forged", "The log-in that it was begun with has ended. Log in, and begin it again", id="log-in"),
        pytest.param("viewer", "Begin it again for the rest.", id="role"),
    ],
)
def test_job_ends_when_the_server_refuses_it(site: Site, token: str, why: str) -> None:
    """A log-in that ended and a role that changed are said, and nothing is replayed."""
    failed(site, f"refused-{token}")
    session = site.session(token) if token in ROLES else token
    wanted = Wanted(
        deed="replay",
        asked={"channel": f"refused-{token}"},
        statuses=("failed",),
        again=False,
        person=Person(session, "127.0.0.1"),
        user=token,
        link=f"{ALL}?do=replay",
    )
    job, door = Job("key", wanted), door_of(site)
    job.run(door)
    door.close()
    assert why in job.why
    assert (job.counts.total(), count(site, f"refused-{token}")) == (0, 3)


def test_viewer_begins_nothing(site: Site, enter: Enter) -> None:
    """The list has no such link, and the form is refused."""
    visitor = enter("viewer")
    failed(site, "viewed", 1)
    assert ALL not in visitor.get("/invocations?channel=viewed").text
    assert visitor.submit(ALL, do="replay", channel="viewed", key="viewer").status_code == 403
    assert count(site, "viewed") == 1


@pytest.mark.parametrize("query", ["", "do=delete", "do=cancel&status=done", "do=replay&since=x", "do=replay&x=1"])
def test_nonsense_is_refused_with_a_message(enter: Enter, query: str) -> None:
    """Nothing is counted, and the message names what is wrong."""
    reply = enter("operator").get(f"{ALL}?{query}")
    assert reply.status_code == 400
    assert 'class="said"' in reply.text


@pytest.mark.parametrize("key", ["", "../../login", "x" * 65])
def test_form_without_its_key_begins_nothing(enter: Enter, key: str) -> None:
    """It might be sent twice; and nobody makes up an address."""
    assert enter("operator").submit(ALL, do="replay", key=key).status_code == 400


def test_where_nothing_matches_there_is_nothing_to_confirm(enter: Enter) -> None:
    """The page says so, and has no button that does it."""
    reply = enter("operator").get(f"{ALL}?do=replay&service=never.called")
    assert "nothing to replay" in text_of(reply)
    assert 'name="key"' not in reply.text


def test_job_that_is_not_there_is_explained(enter: Enter) -> None:
    """Whoever opens an old address learns what became of the job."""
    reply = enter("operator").get("/invocations/-/jobs/nothing")
    assert reply.status_code == 400
    assert "kept for an hour" in text_of(reply)


def test_job_is_stopped(site: Site, enter: Enter) -> None:
    """What is left is left, and the page says so and offers to begin again."""
    with site.server.client() as client:
        client.invoke_async_many([{"name": "shop.told", "channel": "stopped"}] * 2000)
    wait_until(lambda: count(site, "stopped", status="done") == 2000, what="many calls")
    visitor = enter("operator")
    fields = form_of(visitor, "do=replay&status=done&channel=stopped")
    path = visitor.send(ALL, fields).headers["Location"]
    assert visitor.send(f"{path}/stop", fields).status_code == 303
    wait_until(lambda: "data-ended" in visitor.get(path).text, what="the end of the job")
    page = visitor.get(path)
    assert "It was stopped." in text_of(page)
    assert "Begin again" in text_of(page)


def test_viewer_sees_what_matches_and_no_button(site: Site, enter: Enter) -> None:
    """A colleague's address of a replay shows the count, and says which role it takes."""
    site.ended("shop.order", {"item": "tea"})
    reply = enter("viewer").get("/invocations/-/all?status=failed&do=replay&service=shop.order")
    assert "To replay calls you need the role operator." in text_of(reply)
    assert 'action="/invocations/-/all"' not in reply.text
