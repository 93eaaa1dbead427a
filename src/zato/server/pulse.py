"""Whether the event loop of a worker process still turns: the process says so, its supervisor listens.

A service that blocks the event loop for ever takes its whole process with it: no request is answered
and no lease prolonged. Only from outside can that be ended.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable

__all__ = ["beat", "listen"]

BEAT = b"."
BEATS_A_LIMIT = 8


def beat(line: socket.socket, limit: float, loop: asyncio.AbstractEventLoop) -> None:
    """Say from now on, from the event loop, that it turns, a few times in `limit` seconds; 0 is never.

    A supervisor that has ended needs no pulse.
    """
    if not limit:
        return
    with contextlib.suppress(OSError):
        line.send(BEAT, socket.MSG_DONTWAIT)
    loop.call_later(limit / BEATS_A_LIMIT, beat, line, limit, loop)


async def listen(reader: asyncio.StreamReader, limit: float, stalled: Callable[[], None]) -> None:
    """Return when the process has ended; call `stalled` each time there was no pulse for `limit` seconds.

    Two silences of half that time are one: a supervisor that stood still itself, together with the whole
    machine, must not blame the first process it looks at.

    Args:
        reader: what the process says.
        limit: in seconds; 0 is for ever.
        stalled: what to do about it.
    """
    silences = 0
    while True:
        try:
            async with asyncio.timeout(limit / 2 or None):
                if not await reader.read(4096):
                    return
            silences = 0
        except TimeoutError:
            silences += 1
        if silences == 2:
            silences = 0
            stalled()
