"""A server that goes away while somebody looks at it, and comes back elsewhere."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from tests.support.admins import Site
from tests.support.browsers import OpenPage, Watch, axe
from tests.support.environments import ServerProcess, free_port
from tests.support.subprocesses import children_unmeasured

AWAY = "What you see is how it was"


@pytest.fixture
def again(site: Site) -> Iterator[ExitStack]:
    """What is entered here is left after the test: the server that comes back, for instance."""
    with ExitStack() as stack, children_unmeasured():
        yield stack


def test_server_goes_down_and_comes_up_elsewhere(
    site: Site, open_page: OpenPage, watch: Watch, again: ExitStack
) -> None:
    """The page says so, keeps what it shows, and goes on by itself; other pages say how to start it, and so do they."""
    watch.allow(r"status of 503")
    cid = site.ended("shop.order", {})
    live, other = open_page("/", "viewer"), open_page("/servers", "viewer")
    failed = live.get_by_role("link", name=cid)
    expect(failed).to_be_visible()

    site.server.stop()

    expect(live.get_by_role("alert").filter(has_text=AWAY)).to_be_visible()
    expect(failed).to_be_visible()
    other.goto("/invocations")
    expect(other.get_by_text(f"zato start {site.server.environment.path}").first).to_be_visible()
    axe(other)

    again.enter_context(ServerProcess(site.server.environment, "--port", str(free_port())))

    expect(live.get_by_role("alert").filter(has_text=AWAY)).to_be_hidden()
    expect(failed).to_be_visible()
    expect(other.get_by_role("link", name=cid)).to_be_visible()
