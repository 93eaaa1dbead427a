"""What docs/howto/web-admin.md shows: the command, and the files of two proxies in front of a real web admin."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests

from tests.docs.proxies import EXAMPLES, Proxy, caddy_of_web_admin, nginx_of_web_admin
from tests.docs.transcripts import blocks_of
from tests.support.admins import PASSWORDS, AdminProcess, Site, add_people
from tests.support.environments import ServerProcess, make_environment
from zato.core.settings import Settings
from zato.web_admin.live import SIGN_OF_LIFE

# What is started here is measured by other tests.
pytestmark = pytest.mark.usefixtures("unmeasured")

RunProxy = Callable[[Path, int], AbstractContextManager[Proxy]]

PAGE = EXAMPLES.parent / "howto" / "web-admin.md"
PROXIES = [pytest.param(nginx_of_web_admin, id="nginx"), pytest.param(caddy_of_web_admin, id="caddy")]
FORM_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]+)"')


@pytest.fixture(scope="module")
def site(unmeasured: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server, and a web admin that believes its proxy."""
    environment = make_environment(tmp_path_factory.mktemp("behind") / "try")
    with ServerProcess(environment) as server:
        add_people(server)
        with AdminProcess(environment, "--port", "0", "--trust-proxy") as admin:
            yield Site(server, admin)


@pytest.fixture(scope="module", params=PROXIES)
def proxy(request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy in front of it."""
    run: RunProxy = request.param
    with run(tmp_path_factory.mktemp("proxy"), site.port) as running:
        yield running


def test_page_shows_the_files() -> None:
    """What the other tests run stands in the page to the letter."""
    shown = blocks_of(PAGE, "conf")

    assert shown == [(EXAMPLES / f"web-admin.{kind}").read_text("utf-8") for kind in ("Caddyfile", "nginx.conf")]


def test_page_shows_what_the_command_says(site: Site) -> None:
    """The block of the page differs from what is printed in the folder and the port alone."""
    [shown] = blocks_of(PAGE, "text")
    said = site.process.said().replace(str(site.server.environment.path), "try").replace(str(site.port), "8183")

    assert shown.partition("\n")[2] == said


def test_settings_of_the_page_are_settings() -> None:
    """Each line of TOML is legal, and says the opposite of the default."""
    names = [line.partition(" = ")[0] for block in blocks_of(PAGE, "toml") for line in block.splitlines()]

    assert names == ["web_admin", "web_admin_trust_proxy"]
    assert not any(getattr(Settings(), name) for name in names)


def test_person_logs_in_through_a_proxy(proxy: Proxy, site: Site) -> None:
    """The form is taken, the cookie is for HTTPS alone, and the audit has the browser's address."""
    with requests.Session() as browser:
        browser.verify, browser.trust_env = str(proxy.authority), False
        form = browser.get(f"{proxy.address}/login", timeout=30).text
        [token] = set(FORM_TOKEN.findall(form))
        given = {"form_token": token, "name": "viewer", "password": PASSWORDS["viewer"]}
        headers = {"Origin": proxy.address, "X-Forwarded-For": "203.0.113.9"}
        reply = browser.post(f"{proxy.address}/login", given, headers=headers, allow_redirects=False, timeout=30)

    assert (reply.status_code, reply.headers["Location"]) == (303, "/")
    assert "; secure" in reply.headers["Set-Cookie"].lower()
    [entry, *_] = site.ask("zato.audit.get-list", {"user": "viewer"})["items"]
    assert entry["client"] == "127.0.0.1"


def test_live_page_comes_through_a_proxy(proxy: Proxy, site: Site) -> None:
    """What is new is not held back until there is more of it, and silence between two events ends nothing."""
    cookie = site.cookie("viewer")
    live = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    with requests.get(
        f"{proxy.address}/live/overview", headers=live, verify=str(proxy.authority), stream=True, timeout=30
    ) as page:
        first = next(page.iter_lines())

    assert first == b"event: html"
    assert SIGN_OF_LIFE == 15
