"""The pages of a site with 1,000 services and 100,000 invocations: they stay quick, sound and quiet."""

import time
from collections.abc import Iterator, Mapping

import apsw
import pytest
import requests

from tests.support.admins import Site
from tests.support.browsers import OpenPage, axe

SERVICES, CALLS, FAILS = 1000, 100_000, 500
# Ten times the promise that `make bench BENCH='--only admin'` measures.
LIMIT = 3.0

HEAD = """
from zato.server.service import AsyncService

class Member(AsyncService):
    name = "crowd.fails"
    async def handle(self):
        raise ValueError("Order 1 has no customer")
"""
ONE = """
class Number{number}(Member):
    name = "crowd.number-{number:04}"
    async def handle(self):
        pass
"""
MANY = """
INSERT INTO invocation (id, cid, service, parent, created, queue, priority, options, payload)
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :calls)
SELECT printf('%026d', n), printf('crowd-%06d', n), printf('crowd.number-%04d', n % :services), NULL,
       i.created - :calls + n, i.queue, i.priority, i.options,
       CAST('{"number":' || n || '}' AS BLOB)
FROM n, invocation i WHERE i.cid = :cid
"""
OUTCOMES = """
INSERT INTO outcome (seq, status, ended, started, attempts, takeovers, server, version, error, response)
SELECT i.seq, iif(i.seq % :fails, 'done', 'failed'), i.created + 5, i.created + 1, 1, 0, o.server, o.version,
       iif(i.seq % :fails, NULL, o.error), iif(i.seq % :fails, CAST('"fine"' AS BLOB), NULL)
FROM invocation i, outcome o
WHERE i.cid LIKE 'crowd-%' AND o.seq = (SELECT seq FROM invocation WHERE cid = :cid)
"""
PAGES = (
    "/",
    "/services",
    "/services?q=number-09&sort=calls&reverse=1",
    "/services/crowd.number-0042",
    "/invoke?service=crowd.number-0042",
    "/invocations",
    "/invocations?status=failed&error=NO+CUSTOMER",
    "/invocations?service=crowd.number-0042&channel=invoke-async",
    "/invocations/crowd-050000",
    "/servers",
)


@pytest.fixture(scope="module")
def services() -> Mapping[str, str]:
    """A thousand of them, in one file."""
    return {"crowd.py": HEAD + "".join(ONE.format(number=number) for number in range(SERVICES))}


@pytest.fixture(scope="module")
def crowded(site: Site) -> Site:
    """A site whose store has what would take a minute to run: copies of one call that failed."""
    cid = site.ended("crowd.fails")
    with_cid = {"cid": cid, "calls": CALLS, "services": SERVICES, "fails": FAILS}
    file = apsw.Connection(str(next(site.server.environment.data.glob("*.db"))))
    try:
        file.set_busy_timeout(20_000)
        with file:
            file.execute(MANY, with_cid)
            file.execute(OUTCOMES, with_cid)
    finally:
        file.close()
    assert site.ask("zato.invocation.count")["count"] == CALLS + 1
    return site


@pytest.fixture
def session(crowded: Site) -> Iterator[requests.Session]:
    """Somebody who is logged in, without a browser."""
    with requests.Session() as session:
        cookie = crowded.cookie("viewer")
        session.cookies.set(cookie["name"], cookie["value"])
        yield session


@pytest.mark.parametrize("path", PAGES)
def test_page_is_quick(crowded: Site, session: requests.Session, path: str) -> None:
    """Whatever is searched, sorted and filtered, it is the server that does it, a page at a time."""
    began = time.monotonic()
    reply = session.get(crowded.url + path)
    assert (reply.status_code, len(reply.content) < 100_000) == (200, True)
    assert time.monotonic() - began < LIMIT


def test_pages_are_sound(crowded: Site, open_page: OpenPage) -> None:
    """A journey from the overview to one of 200 failures, in a browser: accessible, and nothing in the console."""
    page = open_page("/invocations?status=failed&error=NO+CUSTOMER")
    axe(page)
    page.locator("main a", has_text="crowd-").first.click()
    page.wait_for_url("**/invocations/crowd-*")
    assert "Order 1 has no customer" in page.inner_text("main")
    page.goto("/services?sort=name&reverse=1")
    axe(page)
    assert page.locator("tbody tr").count() <= 100
