"""A server, a web admin and a Chromium for the tests of a module, and pages in which somebody is logged in.

A module that needs other services overrides the fixture `services`.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.admins import AdminProcess, Site, add_people, services_in
from tests.support.browsers import DESKTOP, OpenPage, Watch, chromium
from tests.support.environments import ServerProcess, make_environment
from tests.support.subprocesses import children_unmeasured
from tests.support.visitors import Enter, Visitor

SERVICES = Path(__file__).parent / "services"


@pytest.fixture(scope="module")
def services() -> Mapping[str, str]:
    """The services of the server, as files by name."""
    return services_in(SERVICES)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, services: Mapping[str, str]) -> Iterator[Site]:
    """A server and a web admin that may not read its data, and a person of every role."""
    environment = make_environment(tmp_path_factory.mktemp("site") / "env", services)
    with ExitStack() as stack:
        with children_unmeasured():
            server = stack.enter_context(ServerProcess(environment))
        add_people(server)
        yield Site(server, stack.enter_context(AdminProcess(environment)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium. It is gone when the module's tests are done: others need their own event loops."""
    with chromium() as started:
        yield started


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Sees to it that no page complains in the console, beyond what is allowed."""
    watching = Watch()
    yield watching
    assert not watching.complaints(), watching.complaints()


@pytest.fixture
def open_page(site: Site, browser: Browser, watch: Watch) -> Iterator[OpenPage]:
    """Opens pages, each in a browser profile of its own: `open_page("/services", role="viewer", size=PHONE)`.

    Without a role nobody is logged in. `theme` is "light" or "dark"; `zone` is the time zone's name.
    """
    contexts = []

    def open_one(
        path: str = "/",
        role: str | None = "admin",
        *,
        size: tuple[int, int] = DESKTOP,
        theme: str = "light",
        zone: str = "Europe/Berlin",
    ) -> Page:
        wanted: Any = {"color_scheme": theme, "viewport": dict(zip(("width", "height"), size, strict=True))}
        context = browser.new_context(
            base_url=site.url, timezone_id=zone, locale="en-GB", reduced_motion="reduce", **wanted
        )
        contexts.append(context)
        watch.look_at(context)
        if role is not None:
            context.add_cookies([site.cookie(role)])  # type: ignore[list-item]
        page = context.new_page()
        if path:
            page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """A page on which an admin is logged in; nothing is loaded yet."""
    return open_page("", "admin")


@pytest.fixture
def enter(site: Site) -> Iterator[Enter]:
    """Brings somebody to the web admin without a browser: `enter("viewer")`, `enter(address="127.0.0.2")`.

    Without a role nobody is logged in. Failures to log in are counted for each address.
    """
    with ExitStack() as stack:

        def come(role: str | None = None, *, session: str | None = None, address: str = "127.0.0.1") -> Visitor:
            token = site.session(role) if role is not None else session
            return stack.enter_context(Visitor(site.url, token, address=address))

        yield come
