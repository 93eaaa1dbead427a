"""Pages that change while somebody looks: server-sent events with the part of the page that is new.

The server is asked every other second, once for each page that is open, and a browser is sent something only if it
differs from what it has. The protocol is that of the HTML standard, section 9.2, server-sent events.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from zato.core.errors import ZatoError
from zato.web_admin.errors import ServerAway, SessionOver
from zato.web_admin.page import admitted, visit_of
from zato.web_admin.visit import Visit

__all__ = ["Fragment", "Lookers", "live"]

Fragment = Callable[[Visit], str]

# Seconds between two looks, and between two signs of life to a browser that nothing is new for.
EVERY = 2.0
SIGN_OF_LIFE = 15.0
# Threads that look at the server at once, however many pages are live: pages that are opened have others.
MOST_THREADS = 8
# Who may look on at once; each costs a request to the server every other second.
MOST_LOOKERS = 100


class Lookers:
    """Those who look on at once, and the threads that look for them.

    Attributes:
        places: one for each page that is live.
        threads: how many of them are looked for at once.
    """

    def __init__(self, places: int = MOST_LOOKERS, threads: int = MOST_THREADS) -> None:
        """Take how many there may be of each."""
        self.places = asyncio.Semaphore(places)
        self.threads = CapacityLimiter(threads)


def live(path: str, fragment: Fragment, *, every: float = EVERY) -> Route:
    """Return a route that streams a part of a page whenever it changes.

    Events: `html`, the new part; `away`, the server does not answer, with why; `over`, the log-in has ended; `wrong`,
    the address makes no sense, with why. The last two are the end.

    Args:
        path: as Starlette writes it.
        fragment: makes the part, on a thread.
        every: seconds between two looks.
    """

    async def endpoint(request: Request) -> Response:
        visit = visit_of(request)
        return StreamingResponse(
            _events(visit, fragment, every, request.app.state.lookers),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    return Route(path, endpoint, name=path)


async def _events(visit: Visit, fragment: Fragment, every: float, lookers: Lookers) -> AsyncIterator[bytes]:
    if lookers.places.locked():
        yield _event("away", "Too many pages are live at once, and this one waits for its turn.")
    async with lookers.places:
        last, said = ("", ""), time.monotonic()
        while True:
            now = await to_thread.run_sync(_look, visit, fragment, limiter=lookers.threads)
            if now != last:
                last, said = now, time.monotonic()
                yield _event(*now)
            elif time.monotonic() - said > SIGN_OF_LIFE:
                said = time.monotonic()
                yield b": still here\n\n"
            if now[0] in ("over", "wrong"):
                return
            await asyncio.sleep(every)


def _look(visit: Visit, fragment: Fragment) -> tuple[str, str]:
    try:
        if not visit.role:
            admitted(visit)
        return "html", fragment(visit)
    except SessionOver as error:
        return "over", str(error)
    except ServerAway as error:
        return "away", str(error)
    except ZatoError as error:
        return "wrong", str(error)


def _event(name: str, data: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n".encode()
