"""Makes calls with a peer's library, in the peer's environment: `python -m bench.peers.produce PEER`.

Reads a number a line, makes that many calls, and prints as JSON when it began and the CPU it took. A library
whose calls are coroutines has 32 of them in flight; the others make one after the other, as they are built to.
"""

import asyncio
import importlib
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

from bench.work import payload

__all__ = ["main"]

IN_FLIGHT = 32
Send = Callable[[object], object]
SendAsync = Callable[[object], Awaitable[object]]


def main(peer: str) -> None:
    """Carry out what stdin asks for, to its end."""
    module = importlib.import_module(f"bench.peers.{peer}_peer")
    if hasattr(module, "send_async"):
        asyncio.run(_serve_async(module.start, module.send_async, module.stop))
        return
    for count in _counts():
        began = _now()
        for number in range(count):
            module.send(payload(number))
        _report(began)


async def _serve_async(
    start: Callable[[], Awaitable[object]], send: SendAsync, stop: Callable[[], Awaitable[object]]
) -> None:
    await start()
    counts = _counts()
    while count := await asyncio.to_thread(next, counts, 0):
        began = _now()
        numbers = iter(range(count))

        async def lane(numbers: Iterator[int]) -> None:
            for number in numbers:
                await send(payload(number))

        await asyncio.gather(*(lane(numbers) for _ in range(IN_FLIGHT)))
        _report(began)
    await stop()


def _counts() -> Iterator[int]:
    print("ready", flush=True)
    for line in sys.stdin:
        yield int(line)


def _now() -> tuple[float, float]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.monotonic(), used.ru_utime + used.ru_stime


def _report(began: tuple[float, float]) -> None:
    print(json.dumps({"start": began[0], "cpu": _now()[1] - began[1]}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
