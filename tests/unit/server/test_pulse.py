"""Whether an event loop turns, as its process says and its supervisor hears."""

import asyncio
import socket

from tests.support.waiting import wait_until
from zato.server.pulse import beat, listen

LIMIT = 0.2


async def silences(line: bytes | None, *, limit: float = LIMIT, most: int = 3) -> int:
    """Return how often a process was found to stand still, which says something once or ends, or does nothing."""
    reader = asyncio.StreamReader()
    stalls: list[float] = []

    def stalled() -> None:
        stalls.append(asyncio.get_running_loop().time())
        if len(stalls) == most:
            reader.feed_eof()

    if line is not None:
        reader.feed_data(line)
        reader.feed_eof()
    await listen(reader, limit, stalled)
    return len(stalls)


def test_process_that_ends_has_not_stood_still() -> None:
    """Its last words are heard, and nobody is told."""
    assert asyncio.run(silences(b"..")) == 0


def test_silent_process_is_reported_again_and_again() -> None:
    """It may be that the first attempt to end it did not help."""
    assert asyncio.run(silences(None)) == 3


def test_no_limit_is_for_ever() -> None:
    """Silence without a limit is not reported."""

    async def listened() -> bool:
        listening = asyncio.create_task(listen(asyncio.StreamReader(), 0, lambda: None))
        await asyncio.wait((listening,), timeout=3 * LIMIT)
        listening.cancel()
        return listening.done()

    assert asyncio.run(listened()) is False


def test_one_silence_of_half_the_time_is_forgiven() -> None:
    """A supervisor that stood still together with the machine hears the pulse late."""

    async def stalls() -> int:
        reader, found = asyncio.StreamReader(), []
        listening = asyncio.create_task(listen(reader, LIMIT, lambda: found.append(1)))
        for _ in range(3):
            await asyncio.sleep(LIMIT * 0.75)
            reader.feed_data(b".")
        reader.feed_eof()
        await listening
        return len(found)

    assert asyncio.run(stalls()) == 0


def test_pulse_goes_on_whether_somebody_listens_or_not() -> None:
    """The first is at once; a supervisor that has ended is no reason to stop."""
    loop = asyncio.new_event_loop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        beat(theirs, LIMIT, loop)
        heard = ours.recv(1)
        ours.close()
        beat(theirs, LIMIT, loop)
    loop.close()
    assert heard == b"."


def test_pulse_of_a_full_line_does_not_wait() -> None:
    """A supervisor that stands still does not hold up its workers."""
    loop = asyncio.new_event_loop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        wait_until(lambda: _is_full(theirs))
        theirs.setblocking(True)
        beat(theirs, LIMIT, loop)
    loop.close()


def _is_full(line: socket.socket) -> bool:
    try:
        line.send(bytes(65_536))
    except BlockingIOError:
        return True
    return False


def test_no_limit_needs_no_pulse() -> None:
    """Nothing is said that nobody listens for."""
    loop = asyncio.new_event_loop()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        beat(theirs, 0, loop)
        theirs.close()
        heard = ours.recv(1)
    loop.close()
    assert heard == b""
