"""What one process of a server tells the others: nothing is lost while both live."""

import asyncio
import itertools
import socket
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from zato.core.cid import ID_LENGTH
from zato.core.errors import EnvironmentFault
from zato.server import bell as module
from zato.server.bell import Bell

Heard = tuple[bool, list[str] | None]

LONG = "a-folder-with-a-name-of-forty-characters"


def ids(count: int) -> list[str]:
    """Return different ids."""
    return [f"{number:0{ID_LENGTH}d}" for number in range(count)]


class Process:
    """A process of the server, as far as its bell goes."""

    def __init__(self, folder: Path, worker: int, workers: int) -> None:
        self.bell = Bell(folder, worker=worker, workers=workers, loop=asyncio.get_running_loop())
        self.heard: list[Heard] = []

    def listen(self) -> None:
        self.bell.listen(lambda ready, ended: self.heard.append((ready, None if ended is None else list(ended))))

    @property
    def ended(self) -> list[str]:
        """All ids it heard of."""
        return list(itertools.chain.from_iterable(ended or () for _, ended in self.heard))

    async def hears(self, count: int = 1) -> list[Heard]:
        """Return what it heard, once it heard something that often."""
        async with asyncio.timeout(5):
            while len(self.heard) < count:  # noqa: ASYNC110 -- what others send is no event here
                await asyncio.sleep(0.001)
        return self.heard


@asynccontextmanager
async def processes(folder: Path, count: int, *, listening: bool = True) -> AsyncIterator[list[Process]]:
    """Yield as many processes of one server."""
    made = [Process(folder, number, count) for number in range(1, count + 1)]
    try:
        for process in made:
            if listening:
                process.listen()
        yield made
    finally:
        for process in made:
            process.bell.close()


def run_pair(folder: Path, ready: bool, ended: Sequence[str] | None) -> tuple[list[Heard], list[Heard]]:
    """Let the first of two processes tell something, and return what each heard."""

    async def scenario() -> tuple[list[Heard], list[Heard]]:
        async with processes(folder, 2) as (first, second):
            first.bell.ring(ready=ready, ended=ended)
            return first.heard, await second.hears()

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    ("ready", "ended"),
    [
        pytest.param(True, [], id="work"),
        pytest.param(False, ids(1), id="an-outcome"),
        pytest.param(True, ids(500), id="work-and-outcomes"),
    ],
)
def test_others_hear_what_is_told(tmp_path: Path, ready: bool, ended: list[str]) -> None:
    """Every word of it, and whoever told it does not hear itself."""
    assert run_pair(tmp_path, ready, ended) == ([], [(ready, ended)])


def test_look_for_yourself(tmp_path: Path) -> None:
    """Somebody who does not know what has ended can say that something may have."""
    assert run_pair(tmp_path, True, None)[1] == [(True, None)]


def test_everybody_hears_it(tmp_path: Path) -> None:
    """Each of the other processes, whatever its number."""

    async def scenario() -> list[int]:
        async with processes(tmp_path, 4) as (first, second, third, fourth):
            third.bell.ring(ready=True, ended=[])
            for process in (first, second, fourth):
                await process.hears()
            return [len(process.heard) for process in (first, second, third, fourth)]

    assert asyncio.run(scenario()) == [1, 1, 0, 1]


def test_nothing_to_tell_is_not_told(tmp_path: Path) -> None:
    """The next one to be heard is the one with something in it."""

    async def scenario() -> list[Heard]:
        async with processes(tmp_path, 2) as (first, second):
            first.bell.ring(ready=False, ended=[])
            first.bell.ring(ready=False, ended=ids(1))
            return await second.hears()

    assert asyncio.run(scenario()) == [(False, ids(1))]


def test_any_thread_may_ring(tmp_path: Path) -> None:
    """Several at once, without waiting for each other's words to be heard."""

    async def scenario() -> list[str]:
        async with processes(tmp_path, 2) as (first, second):
            rings = [
                threading.Thread(target=lambda each=each: first.bell.ring(ready=False, ended=[each]))
                for each in ids(50)
            ]
            for thread in rings:
                thread.start()
            for thread in rings:
                thread.join()
            async with asyncio.timeout(5):
                while len(second.ended) < 50:
                    await second.hears(len(second.heard) + 1)
            return sorted(second.ended)

    assert asyncio.run(scenario()) == ids(50)


def test_process_that_stands_still_is_told_later(tmp_path: Path) -> None:
    """What its full queue did not take is kept, and arrives without another ring when it goes on."""
    rings = 2000

    async def scenario() -> tuple[list[str], bool]:
        async with processes(tmp_path, 2, listening=False) as (first, second):
            for each in ids(rings):
                first.bell.ring(ready=False, ended=[each])
            second.listen()
            first.bell.ring(ready=True, ended=[])
            async with asyncio.timeout(5):
                while len(second.ended) < rings:
                    await second.hears(len(second.heard) + 1)
            return second.ended, any(ready for ready, _ in second.heard)

    assert asyncio.run(scenario()) == (ids(rings), True)


def test_more_than_can_be_remembered(tmp_path: Path) -> None:
    """Whoever stood still for very long looks for himself; memory does not grow without end."""
    many = ids(1000)

    async def scenario() -> tuple[bool, int]:
        async with processes(tmp_path, 2, listening=False) as (first, second):
            for _ in range(600):
                first.bell.ring(ready=False, ended=many)
            kept = sum(len(peer._ids) for peer in first.bell._peers)
            second.listen()
            async with asyncio.timeout(5):
                while not any(ended is None for _, ended in second.heard):
                    await second.hears(len(second.heard) + 1)
            return True, kept

    heard_everything, kept = asyncio.run(scenario())
    assert heard_everything
    assert kept <= module.MAX_BYTES


def test_datagram_that_is_too_long_for_the_system(tmp_path: Path) -> None:
    """Where only short ones are allowed, the others look for themselves."""

    async def scenario() -> list[Heard]:
        async with processes(tmp_path, 2) as (first, second):
            first.bell._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            first.bell.ring(ready=False, ended=ids(1000))
            return await second.hears()

    assert asyncio.run(scenario()) == [(True, None)]


def test_processes_that_are_not_there(tmp_path: Path) -> None:
    """One that never was, and one that died and left its socket, need nothing; the living hear at once."""
    (tmp_path / "worker-3.bell").touch()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(tmp_path / "worker-4.bell"))

    async def scenario() -> list[Heard]:
        first, second = (Process(tmp_path, number, 5) for number in (1, 2))
        second.listen()
        first.bell.ring(ready=True, ended=ids(1))
        heard = await second.hears()
        left = [peer._ids for peer in first.bell._peers]
        first.bell.close()
        second.bell.close()
        assert left == [b""] * 4
        return heard

    assert asyncio.run(scenario()) == [(True, ids(1))]


def test_socket_that_somebody_removed(tmp_path: Path) -> None:
    """Another one is made, and who heard nothing meanwhile looks for himself, and hears what comes after."""

    async def scenario() -> list[Heard]:
        async with processes(tmp_path, 2) as (first, second):
            (tmp_path / "worker-2.bell").unlink()
            first.bell.ring(ready=True, ended=ids(1))
            await second.hears()
            first.bell.ring(ready=False, ended=ids(1))
            return await second.hears(2)

    assert asyncio.run(scenario()) == [(True, None), (True, None)]


def test_process_that_replaces_another(tmp_path: Path) -> None:
    """It takes the place of the socket that was left behind."""

    async def scenario() -> list[Heard]:
        async with processes(tmp_path, 2) as (first, second):
            third = Process(tmp_path, 2, 2)
            third.listen()
            first.bell.ring(ready=True, ended=[])
            heard = await third.hears()
            third.bell.close()
            assert second.heard == []
            return heard

    assert asyncio.run(scenario()) == [(True, [])]


def test_closing_while_something_is_left_to_tell(tmp_path: Path) -> None:
    """The attempt that was planned finds nothing to do."""

    async def scenario() -> list[object]:
        errors: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        async with processes(tmp_path, 2, listening=False) as (first, _):
            for each in ids(2000):
                first.bell.ring(ready=False, ended=[each])
            assert first.bell._retrying
        first.bell.ring(ready=True, ended=[])
        await asyncio.sleep(3 * module.RETRY)
        return errors

    assert asyncio.run(scenario()) == []


def test_ringing_when_the_event_loop_has_closed(tmp_path: Path) -> None:
    """The store thread may have a last batch to tell of."""

    async def scenario() -> list[Process]:
        return [Process(tmp_path, number, 2) for number in (1, 2)]

    loop = asyncio.new_event_loop()
    first, second = loop.run_until_complete(scenario())
    loop.close()
    for each in ids(2000):
        first.bell.ring(ready=False, ended=[each])
    for process in (first, second):
        process.bell._socket.close()
        process.bell._folder.close()


def test_path_may_be_longer_than_the_system_allows_for_sockets(tmp_path: Path) -> None:
    """An environment may be as deep in the file system as any other folder."""
    folder = tmp_path.joinpath(*[LONG] * 5)
    folder.mkdir(parents=True)
    assert run_pair(folder, True, ids(1))[1] == [(True, ids(1))]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that does not run."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.mark.parametrize("folder", ["/proc", "/no/such/folder", "/dev/null"])
def test_folder_without_room_for_a_socket(loop: asyncio.AbstractEventLoop, folder: str) -> None:
    """The folder is named in one line, and nothing is left open."""
    with pytest.raises(EnvironmentFault, match=f"^No socket can be made in {folder}: .*\\.$"):
        Bell(Path(folder), worker=1, workers=2, loop=loop)
