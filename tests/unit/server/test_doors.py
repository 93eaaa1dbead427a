"""Where the doors read what comes in: small bodies at once, large ones on a thread."""

import asyncio
import threading
from functools import partial
from typing import Any

import pytest

from zato.server.front import LARGE
from zato.server.http.admin import AdminDoor
from zato.server.http.api import ApiDoor
from zato.server.http.auth import BasicAuth
from zato.server.http.message import Reply, Request
from zato.server.threads import Budget, Threads

AUTH = BasicAuth("user", "password", "realm")
HEADERS = {"authorization": "Basic dXNlcjpwYXNzd29yZA=="}


class Inside:
    """What is behind both doors: it says what it was asked for."""

    async def invoke(self, asked: Any, *_: object) -> str:
        """Answer for the front."""
        return str(asked.name)

    async def run_root(self, call: Any, *_: object) -> Reply:
        """Answer for the dispatcher."""
        return Reply(200, str(call.service).encode())


async def answered_without_a_reader(door: str, body: bytes) -> bool:
    """Knock while nobody can read on a thread, and tell whether there was an answer all the same."""
    threads = Threads(asyncio.get_running_loop(), keep=0)
    readers, gate = Budget(threads, 1, name="readers"), threading.Event()
    inside: Any = Inside()
    doors: Any = {
        "admin": partial(AdminDoor, inside, AUTH, readers, inside, honour_default_expiration=False),
        "api": partial(ApiDoor, inside, Budget(threads, 1, name="slots"), readers, AUTH, max_response=LARGE),
    }

    async def read() -> bytes:
        return body

    request = Request(
        cid="cid",
        method="POST",
        path="/zato/api/invoke/target",
        query="",
        header=HEADERS.get,
        header_values=lambda _: [],
        headers=lambda: HEADERS,
        read=read,
    )
    held = asyncio.ensure_future(readers.run(partial(gate.wait, 30), label="x"))
    asking = asyncio.ensure_future(doors[door]().invoke(request))
    done, _ = await asyncio.wait((asking,), timeout=0.2)
    gate.set()
    _, reply = await asyncio.gather(held, asking)
    assert reply.status == 200
    return bool(done)


@pytest.mark.parametrize("door", ["admin", "api"])
@pytest.mark.parametrize("size", [100, LARGE - 1, LARGE, 2 * LARGE])
def test_bodies(door: str, size: int) -> None:
    """From 64 KB on, a body is read on a thread; what is smaller does not wait for one."""
    body = b'{"name": "target"}'.ljust(size)
    assert asyncio.run(answered_without_a_reader(door, body)) == (size < LARGE)
