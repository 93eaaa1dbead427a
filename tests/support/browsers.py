"""Chromium for tests: found, started, and watched, so that what a page complains of in its console fails the test."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

__all__ = ["DESKTOP", "PHONE", "OpenPage", "Watch", "axe", "chromium", "find_chromium"]

# Opens pages for a test: the fixture `open_page` says how.
OpenPage = Callable[..., Page]

# Where scripts/chromium.sh puts it, for `make test`.
FETCHED = Path(__file__).parents[2] / ".venv" / "chromium" / "bin"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
DESKTOP = (1280, 800)
PHONE = (390, 844)
# What axe-core calls faults that keep people out.
GRAVE = frozenset({"serious", "critical"})
# Milliseconds that a page has to come to what a test waits for. A machine that tests much else at once is slow.
PATIENCE = 20_000


def find_chromium() -> str | None:
    """Return where Chromium is: what scripts/chromium.sh found, else what is installed."""
    path = f"{FETCHED}{os.pathsep}{os.environ['PATH']}"
    return next((found for name in NAMES if (found := shutil.which(name, path=path))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a Chromium while the context lasts. No event loop of asyncio runs in this thread meanwhile."""
    program = find_chromium()
    assert program is not None, "No Chromium is here; on Debian: sh scripts/chromium.sh .venv/chromium"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright, ThreadPoolExecutor(1) as files:
        # What it writes, it writes on a thread, which is there from the beginning and is nobody's leak.
        files.submit(int).result()
        asyncio.get_running_loop().set_default_executor(files)
        browser = playwright.chromium.launch(executable_path=program, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """Pages of one test, and what they complained of."""

    def __init__(self) -> None:
        self._complaints: list[str] = []
        self._allowed: list[str] = []

    def allow(self, pattern: str) -> None:
        """Expect complaints that a regular expression is found in, such as `status of 503`."""
        self._allowed.append(pattern)

    def look_at(self, context: BrowserContext) -> None:
        """Note what pages of a context complain of from now on."""
        context.set_default_timeout(PATIENCE)
        context.on("console", self._on_console)
        context.on("weberror", lambda failed: self._complaints.append(f"uncaught: {failed.error}"))

    def complaints(self) -> list[str]:
        """Return what nobody expected."""
        return [said for said in self._complaints if not any(re.search(one, said) for one in self._allowed)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where: Any = message.location
            self._complaints.append(f"{message.type}: {message.text} ({where.get('url', '')})")


def axe(page: Page, *rules: str) -> None:
    """Fail if axe-core finds a serious or critical fault on the page as it is now.

    Args:
        page: what is looked at.
        rules: the only ones that are looked for, such as `color-contrast`; by default all.
    """
    found = Axe().run(page, options={"runOnly": list(rules)} if rules else None).response["violations"]
    grave = [fault for fault in found if fault["impact"] in GRAVE]
    assert not grave, "\n".join(map(_described, grave))


def _described(fault: dict[str, Any]) -> str:
    nodes = "; ".join(str(node["html"]) for node in fault["nodes"][:5])
    return f"{fault['impact']}: {fault['id']}: {fault['help']}: {nodes}"
