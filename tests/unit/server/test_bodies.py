"""Bodies within limits of size and time."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zato.core.errors import BadRequest, PayloadTooLarge, RequestTimeout
from zato.server.http.bodies import BodyDeadlines, declared_length, read_chunks

LIMIT = 100


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield chunks as a connection does."""
    for chunk in chunks:
        yield chunk


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_body_in_chunks(chunks: list[bytes]) -> None:
    """A body is the chunks together, and over the limit it is refused, announced or not."""
    whole = b"".join(chunks)
    reading = read_chunks(stream(chunks), LIMIT)

    if len(whole) > LIMIT:
        with pytest.raises(PayloadTooLarge, match="over 100 bytes"):
            asyncio.run(reading)
    else:
        assert asyncio.run(reading) == whole


@pytest.mark.parametrize(("header", "length"), [(None, None), ("0", 0), ("100", 100), ("007", 7)])
def test_announced_length(header: str | None, length: int | None) -> None:
    """A length up to the limit is taken as it is, and so is none."""
    assert declared_length(header, LIMIT) == length


@pytest.mark.parametrize("header", ["-1", "1.0", "ten", "", "0x10", " 5", "5,5"])
def test_length_that_is_no_number(header: str) -> None:
    """A length that is no number is refused."""
    with pytest.raises(BadRequest, match="Content-Length is a number"):
        declared_length(header, LIMIT)


@pytest.mark.parametrize("header", ["101", "9" * 30], ids=["by-one", "absurd"])
def test_length_over_the_limit(header: str) -> None:
    """A length over the limit is refused before anything is read."""
    with pytest.raises(PayloadTooLarge):
        declared_length(header, LIMIT)


def test_body_in_time() -> None:
    """A body that arrives is nobody's concern any more."""

    async def scenario() -> tuple[bytes, int]:
        deadlines = BodyDeadlines(30)
        with deadlines.watch():
            body = await read_chunks(stream([b"abc"]), LIMIT)
        return body, deadlines.watched

    assert asyncio.run(scenario()) == (b"abc", 0)


def test_bodies_that_are_late() -> None:
    """Each late body ends with an error that names the setting, and one that came in time does not."""

    async def late(deadlines: BodyDeadlines) -> str:
        try:
            with deadlines.watch():
                await asyncio.Event().wait()
        except RequestTimeout as error:
            return error.message
        return "in time"

    async def scenario() -> tuple[list[str], int]:
        deadlines = BodyDeadlines(0.1)
        messages = await asyncio.gather(*(late(deadlines) for _ in range(3)))
        return messages, deadlines.watched

    said = "The request's body did not arrive within 0.1 s (setting body_timeout)."
    assert asyncio.run(scenario()) == ([said] * 3, 0)


def test_late_body_leaves_its_task_as_it_was() -> None:
    """After the error the task is not cancelled, so that it can answer."""

    async def scenario() -> int:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(RequestTimeout), BodyDeadlines(0.05).watch():
            await asyncio.Event().wait()
        return task.cancelling()

    assert asyncio.run(scenario()) == 0


def test_cancellation_by_somebody_else() -> None:
    """A task that the server cancels is cancelled, not late."""

    async def scenario() -> bool:
        deadlines = BodyDeadlines(30)

        async def read() -> None:
            with deadlines.watch():
                await asyncio.Event().wait()

        task = asyncio.ensure_future(read())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        return task.cancelled()

    assert asyncio.run(scenario())


def test_every_body_has_its_whole_time() -> None:
    """No body is late before its own time is up, although one timer looks after all."""

    async def read(deadlines: BodyDeadlines) -> float:
        started = time.monotonic()
        with pytest.raises(RequestTimeout), deadlines.watch():
            await asyncio.Event().wait()
        return time.monotonic() - started

    async def scenario() -> list[float]:
        deadlines = BodyDeadlines(0.2)
        old = asyncio.ensure_future(read(deadlines))
        await asyncio.wait((old,), timeout=0.1)
        return [await read(deadlines), await old]

    assert min(asyncio.run(scenario())) >= 0.2


def test_reading_outside_of_a_task() -> None:
    """Where there is no task to end, nobody is watched."""

    async def scenario() -> list[int]:
        deadlines = BodyDeadlines(30)
        watched: list[int] = []
        done = asyncio.Event()

        def read() -> None:
            with deadlines.watch():
                watched.append(deadlines.watched)
            done.set()

        asyncio.get_running_loop().call_soon(read)
        await done.wait()
        return watched

    assert asyncio.run(scenario()) == [0]
