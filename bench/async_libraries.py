"""Many calls at a time of `zato.ping`, with one of several asynchronous HTTP libraries.

python bench/async_libraries.py aiohttp http://127.0.0.1:11223 PASSWORD     (or httpx, httpx2, niquests)
"""

import asyncio
import importlib
import sys
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

CALLS = 6_400
AT_A_TIME = 64
BODY = b'{"name":"zato.ping","payload":"IiI=","is_async":false}'

Call = Callable[[], Awaitable[bytes]]


def _aiohttp(library: Any, url: str, headers: dict[str, str]) -> tuple[Any, Call]:
    session = library.ClientSession(headers=headers, connector=library.TCPConnector(limit=0))

    async def call() -> bytes:
        async with session.post(url, data=BODY) as reply:
            return bytes(await reply.read())

    return session, call


def _httpx(library: Any, url: str, headers: dict[str, str]) -> tuple[Any, Call]:
    limits = library.Limits(max_connections=1000, max_keepalive_connections=1000)
    session = library.AsyncClient(headers=headers, timeout=30, limits=limits)

    async def call() -> bytes:
        return bytes((await session.post(url, content=BODY)).content)

    return session, call


def _niquests(library: Any, url: str, headers: dict[str, str]) -> tuple[Any, Call]:
    session = library.AsyncSession(pool_maxsize=1000)

    async def call() -> bytes:
        return bytes((await session.post(url, data=BODY, headers=headers)).content)

    return session, call


OPEN = {"aiohttp": _aiohttp, "httpx": _httpx, "httpx2": _httpx, "niquests": _niquests}


async def _measure(name: str, address: str, password: str) -> None:
    credentials = b64encode(f"admin.invoke:{password}".encode()).decode("ascii")
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {credentials}"}
    session, call = OPEN[name](importlib.import_module(name), f"{address}/zato/admin/invoke", headers)
    took: list[float] = []

    async def work(calls: int) -> None:
        for _ in range(calls):
            start = time.perf_counter()
            assert b"ZATO_OK" in await call()
            took.append(time.perf_counter() - start)

    async with session:
        await asyncio.gather(*(work(3) for _ in range(AT_A_TIME)))
        took.clear()
        start, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work(CALLS // AT_A_TIME) for _ in range(AT_A_TIME)))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    took.sort()
    each, p99 = 1e3 * cpu / len(took), 1e3 * took[len(took) * 99 // 100]
    print(f"{name}: {len(took) / seconds:,.0f} calls/s, {each:.2f} ms of CPU per call, p99 {p99:.0f} ms")


if __name__ == "__main__":
    asyncio.run(_measure(*sys.argv[1:]))
