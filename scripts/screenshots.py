"""Take pictures of every page of the web admin, light and dark, on a desktop and on a phone.

Usage: PYTHONPATH=. python scripts/screenshots.py [--readme] [NAME ...]

They go to build/screenshots, as NAME-THEME-SIZE.png; names choose some of the pages. With `--readme`, those that
README.md shows are taken into docs/images/admin, too.
"""

import argparse
import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.support.admins import AdminProcess, Site
from tests.support.browsers import DESKTOP, PHONE, chromium
from tests.support.environments import ServerProcess, make_environment
from tests.support.waiting import wait_until

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "build" / "screenshots"
README = ROOT / "docs" / "images" / "admin"
# The best of them, by the names they have there.
SHOWN = {
    "overview-light-desktop": "overview",
    "failed-light-desktop": "invocation",
    "called-dark-desktop": "invoker",
}
SIZES = {"desktop": DESKTOP, "phone": PHONE}
THEMES = ("light", "dark")
PEOPLE = {"ada": "admin", "grace": "operator", "alan": "viewer"}
PASSWORD = "not-for-anybody-else"  # noqa: S105 -- of people who live as long as this program
SLOW = '''
"""Services that take long, so that something runs while pictures are taken."""

import asyncio

from zato.server.service import AsyncService


class Export(AsyncService):
    """Writes all customers to a file, which takes a while."""

    name = "crm.export-customers"

    async def handle(self):
        await asyncio.sleep(600)
'''


@dataclass(frozen=True, slots=True)
class Scene:
    """Servers and what has happened there, as pages are to show it.

    Attributes:
        site: the server and the web admin.
        failed: CID of a call that failed.
        record: the id of that call.
        importing: CID of the call that all others come from.
    """

    site: Site
    failed: str
    record: str
    importing: str

    def addresses(self) -> Mapping[str, str]:
        """Return every page by the name of its picture."""
        return {
            "overview": "/",
            "services": "/services",
            "service": "/services/crm.check-customer",
            "invoker": "/invoke?service=crm.check-customer",
            "called": "/invoke?service=crm.import-report",
            "invocations": "/invocations",
            "failures": "/invocations?status=failed",
            "nonsense": "/invocations?status=falied",
            "failed": f"/invocations/{self.failed}",
            "tree": f"/invocations/{self.importing}",
            "edit": f"/invocations/-/edit?id={self.record}",
            "all": "/invocations/-/all?status=failed&do=replay",
            "servers": "/servers",
            "people": "/people",
            "audit": "/audit",
            "me": "/me",
            "missing": "/no-such-page",
        }


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures and return the exit code."""
    parser = argparse.ArgumentParser(description="Take pictures of the web admin.")
    parser.add_argument("--readme", action="store_true", help="take those of README.md, too")
    parser.add_argument("names", nargs="*", help="pages, by the names of their pictures")
    options = parser.parse_args(arguments)
    TARGET.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="zato-pictures-") as folder,
        _scene(Path(folder)) as scene,
        chromium() as browser,
    ):
        for theme, size in itertools.product(THEMES, SIZES):
            _take_all(browser, scene, theme, size, options.names)
    if options.readme:
        README.mkdir(parents=True, exist_ok=True)
        for taken, name in SHOWN.items():
            shutil.copy(TARGET / f"{taken}.png", README / f"{name}.png")
    return 0


@contextmanager
def _scene(folder: Path) -> Iterator[Scene]:
    """Run a server with the demo's services, and have them do what they do."""
    files = [*(ROOT / "examples").glob("*.py"), ROOT / "docs" / "examples" / "my_service.py"]
    services = {file.name: file.read_text("utf-8") for file in files}
    environment = make_environment(folder / "env", {**services, "slow.py": SLOW}, name="server1")
    (environment.path / "crm").mkdir()
    _make_customers(environment.path / "crm")
    with ServerProcess(environment) as server, AdminProcess(environment) as admin:
        site = Site(server, admin)
        for name, role in PEOPLE.items():
            site.ask("zato.user.create", {"name": name, "password": PASSWORD, "role": role})
        importing = site.ended("crm.import-customers")
        wait_until(lambda: site.ask("crm.import-report")["waiting"] == 0, what="the end of the import")
        failures = site.ask("crm.import-failures")
        for _ in range(2):
            site.call("crm.export-customers")
        site.call("crm.import-report", delay=3600)
        failed = failures[0]["cid"]
        yield Scene(site, failed, site.ask("zato.invocation.get", {"cid": failed})["id"], importing)


def _make_customers(folder: Path) -> None:
    """Write the first few hundred customers of the demo."""
    program = ROOT / "examples" / "data" / "make_customers.py"
    made = subprocess.run([sys.executable, program], check=True, capture_output=True, text=True)  # noqa: S603 -- ours
    (folder / "customers.csv").write_text("".join(made.stdout.splitlines(keepends=True)[:401]), "utf-8")


def _take_all(browser: Browser, scene: Scene, theme: Any, size: str, names: list[str]) -> None:
    width, height = SIZES[size]
    with browser.new_context(
        base_url=scene.site.url,
        color_scheme=theme,
        viewport={"width": width, "height": height},
        timezone_id="Europe/Berlin",
        locale="en-GB",
        reduced_motion="reduce",
    ) as context:
        page = context.new_page()
        page.goto("/login")
        _take(page, f"log-in-{theme}-{size}", names)
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", level=1).wait_for()
        for name, address in scene.addresses().items():
            if not names or name in names:
                page.goto(address)
                _prepare(page, name)
                _take(page, f"{name}-{theme}-{size}", names)


def _prepare(page: Page, name: str) -> None:
    """Have a page show what is worth a picture."""
    if name == "called":
        page.get_by_role("button", name="Run it now").click()
        page.wait_for_url("**call=**")


def _take(page: Page, name: str, names: list[str]) -> None:
    if not names or name.rsplit("-", 2)[0] in names:
        page.wait_for_timeout(150)
        page.screenshot(path=TARGET / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
