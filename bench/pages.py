"""The web admin: its first page, filters over many invocations, memory, and what an open live page costs the server."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import requests
from playwright.sync_api import Browser, Request, sync_playwright

from bench import processes
from bench.admins import ZatoAdmin, crowd, fill, zato_admin
from bench.figures import Row, Skipped, below, median
from bench.http_load import Load, load, request_for
from bench.installation import require_program
from bench.servers import ZatoServer, zato_server

__all__ = ["admin_rows"]

SERVICES = 1_000
RECORDS, QUICK_RECORDS = 100_000, 2_000
FIRST_PAGE_LIMIT = 0.5
# Bytes, and requests.
SIZE_LIMIT, REQUESTS_LIMIT = 100_000, 6
# Milliseconds.
FILTER_LIMIT = 300.0
MEMORY_LIMIT = 70.0
LIVE_RATIO = 0.98
# Milliseconds of processor time a second: that share of one core.
LIVE_CPU_LIMIT = 20.0
LIVE_PAGE = "/live/overview"
# What people ask the list for: each filter alone, and some together.
FILTERS: Mapping[str, str] = {
    "nothing": "",
    "status": "status=failed",
    "service": "service=crowd.number-0007",
    "status and service": "status=done&service=crowd.number-0500",
    "channel": "channel=invoke-async",
    "another channel": "channel=scheduler",
    "server": "server=env",
    "another server": "server=none",
    "text in an error": "error=Order+500+has",
    "text in no error": "error=no+such+text",
    "a minute without calls": "since=2020-01-01T00:00&until=2020-01-01T00:01",
}
SERVICE_LISTS: Mapping[str, str] = {"all": "", "found": "query=number-05", "by errors": "sort=errors&reverse=1"}
# Milliseconds from the beginning of the navigation.
FIRST_PAINT = """
() => new Promise(resolve => new PerformanceObserver(list => {
    for (const entry of list.getEntriesByName("first-contentful-paint")) resolve(entry.startTime);
}).observe({type: "paint", buffered: true}))
"""


@dataclass(frozen=True, slots=True)
class Look:
    """One visit of a page by a browser that has seen nothing of it: seconds until something is visible, and traffic."""

    seconds: float
    size: int
    requests: int


def admin_rows(*, pairs: int, quick: bool) -> list[Row]:
    """Measure with 1,000 services and 100,000 invocations."""
    with zato_server(services={"crowd.py": crowd(SERVICES)}) as server, zato_admin(server) as admin:
        fresh = processes.pss(admin.process.pid)
        fill(server, QUICK_RECORDS if quick else RECORDS, services=SERVICES)
        return [
            *_first_page_rows(admin, pairs, quick=quick),
            _list_row("web admin: the slowest filter over 100,000 invocations", admin, "/invocations", FILTERS, pairs),
            _list_row("web admin: the slowest list of 1,000 services", admin, "/services", SERVICE_LISTS, pairs),
            *_live_rows(server, admin, pairs=pairs, quick=quick),
            _live_cpu_row(server, admin, seconds=2.0 if quick else 20.0),
            below("web admin: PSS, after all that", [processes.pss(admin.process.pid)], "{:.0f} MB", MEMORY_LIMIT),
            Row(name="the same, at its start", ours=f"{fresh:.0f} MB"),
        ]


def _first_page_rows(admin: ZatoAdmin, pairs: int, *, quick: bool) -> list[Row]:
    name = "web admin: first page visible"
    try:
        looks = _looks(admin, require_program("chromium", install=not quick), pairs)
    except Skipped as reason:
        return [Row(name=name, ours=f"skipped: {reason}")]
    sizes, counts = [look.size for look in looks], [look.requests for look in looks]
    return [
        below(name, [look.seconds for look in looks], "{:.2f} s", FIRST_PAGE_LIMIT),
        below("web admin: bytes of it", sizes, "{:,.0f}", SIZE_LIMIT),
        _requests_row(median(counts)),
    ]


def _requests_row(count: float) -> Row:
    target = f"at most {REQUESTS_LIMIT}"
    return Row(name="web admin: requests of it", ours=f"{count:.0f}", target=target, reached=count <= REQUESTS_LIMIT)


def _looks(admin: ZatoAdmin, program: str, count: int) -> list[Look]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            _look(browser, admin)
            return [_look(browser, admin) for _ in range(count)]
        finally:
            browser.close()


def _look(browser: Browser, admin: ZatoAdmin) -> Look:
    """Look at the overview with an empty cache."""
    finished: list[Request] = []
    with browser.new_context() as context:
        context.add_cookies([admin.cookie])
        page = context.new_page()
        # What keeps a live page up to date never finishes, and is a request all the same.
        begun: list[str] = []
        page.on("request", lambda request: begun.append(request.url))
        page.on("requestfinished", lambda request: finished.extend([request]))
        page.goto(admin.url, wait_until="load")
        seconds = page.evaluate(FIRST_PAINT) / 1000
        sizes = [request.sizes() for request in finished]
    size = sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes)
    return Look(seconds, size, len(begun))


def _list_row(name: str, admin: ZatoAdmin, path: str, queries: Mapping[str, str], repeats: int) -> Row:
    """Ask for a list in every way, and tell of the slowest."""
    with admin.session() as session:
        _asked(session, admin, path, "")
        took = {
            what: median([_asked(session, admin, path, query) for _ in range(repeats)])
            for what, query in queries.items()
        }
    slowest = max(took, key=lambda what: took[what])
    return Row(
        name=name,
        ours=f"{took[slowest]:.0f} ms ({slowest})",
        target=f"under {FILTER_LIMIT:.0f} ms",
        reached=took[slowest] < FILTER_LIMIT,
    )


def _asked(session: requests.Session, admin: ZatoAdmin, path: str, query: str) -> float:
    """Return the milliseconds until a page was there in full.

    Raises:
        HTTPError: it was refused.
    """
    start = time.perf_counter()
    reply = session.get(f"{admin.url}{path}?{query}", allow_redirects=False, timeout=60)
    reply.raise_for_status()
    if reply.status_code != requests.codes.ok:
        raise RuntimeError(f"{path}?{query} is answered with {reply.status_code}")
    return (time.perf_counter() - start) * 1000


def _live_rows(server: ZatoServer, admin: ZatoAdmin, *, pairs: int, quick: bool) -> list[Row]:
    name = "zato.ping, requests/s, with a live page open and without"
    try:
        wrk = require_program("wrk", install=not quick)
    except Skipped as reason:
        return [Row(name=name, ours=f"skipped: {reason}")]
    seconds = 1 if quick else 4
    body = request_for("zato.ping")
    watched: list[Load] = []
    alone: list[Load] = []
    load(wrk, server.port, body, 1)
    for _ in range(pairs):
        with _looking_on(admin):
            watched.append(load(wrk, server.port, body, seconds))
        alone.append(load(wrk, server.port, body, seconds))
    ratio = median([one.rate / other.rate for one, other in zip(watched, alone, strict=True)])
    return [
        Row(
            name=name,
            ours=f"{median([one.rate for one in watched]):,.0f}",
            theirs=f"{median([one.rate for one in alone]):,.0f}",
            ratio=ratio,
            target=f"at least {LIVE_RATIO:g} times that without",
            reached=ratio >= LIVE_RATIO,
        )
    ]


def _live_cpu_row(server: ZatoServer, admin: ZatoAdmin, *, seconds: float) -> Row:
    """Measure what a live page costs a server that does nothing else: rates vary more than that is."""
    alone = _cpu_of(server, seconds)
    with _looking_on(admin):
        watched = _cpu_of(server, seconds)
    name = "web admin: processor of the server for an open live page, a second"
    return below(name, [max(watched - alone, 0.0)], "{:.1f} ms", LIVE_CPU_LIMIT)


def _cpu_of(server: ZatoServer, seconds: float) -> float:
    """Return the milliseconds of processor time that a server uses in a second."""
    before = processes.cpu([server.process.pid])
    time.sleep(seconds)
    return (processes.cpu([server.process.pid]) - before) / seconds * 1000


@contextmanager
def _looking_on(admin: ZatoAdmin) -> Iterator[None]:
    """Have a live page open while the context lasts, and read all it says."""
    with admin.session() as session, session.get(admin.url + LIVE_PAGE, stream=True, timeout=60) as page:
        page.raise_for_status()
        said = page.iter_lines()
        next(said)
        reading = threading.Thread(target=_read, args=(said,), daemon=True)
        reading.start()
        yield
        if not reading.is_alive():
            raise ConnectionError(f"{LIVE_PAGE} has ended while it was looked at")


def _read(said: Iterator[bytes]) -> None:
    # The page is closed under it, at the end.
    with suppress(requests.RequestException, AttributeError, ValueError):
        for _ in said:
            pass
