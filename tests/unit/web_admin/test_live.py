"""Pages that change by themselves, without a server behind them."""

import asyncio
from typing import Any

from starlette.types import Message

from zato.core.errors import ServerNotRunning
from zato.web_admin.app import make_app
from zato.web_admin.door import Address, Door
from zato.web_admin.live import Lookers
from zato.web_admin.visit import Options


def nobody_there() -> Address:
    """Find no server."""
    raise ServerNotRunning("No server runs in this environment.")


async def _first_event(places: int) -> str:
    app = make_app(Door(nobody_there), Options())
    app.state.lookers = Lookers(places)
    said: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    cookie = [(b"cookie", b"zato_admin_8183_session=x")]
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/live/overview", "query_string": b""}

    async def receive() -> Message:
        await said
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message.get("body") and not said.done():
            said.set_result(message["body"].decode())

    await app({**scope, "raw_path": b"/live/overview", "headers": cookie, "root_path": ""}, receive, send)
    return await said


def test_server_that_is_away_is_said() -> None:
    """With the server's own words; the stream goes on."""
    said = asyncio.run(_first_event(1))
    assert said == "event: away\ndata: No server runs in this environment.\n\n"


def test_page_beyond_those_that_may_be_live_says_that_it_waits() -> None:
    """It does not look as if nothing were new."""
    said = asyncio.run(_first_event(0))
    assert said.startswith("event: away\ndata: Too many pages are live at once")
