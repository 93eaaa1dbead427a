"""A way to a Redis that loses a question, or its answer, when a test says so."""

import select
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.support.redis import RedisServer
from zato.broker.redis import wire

__all__ = ["Cutter"]

PIECE = 1 << 20


class Cutter:
    """Passes on whatever comes, until it is to cut a connection. Use it in a `with`.

    Attributes:
        server: where it leads.
        port: where it listens, on 127.0.0.1.
    """

    def __init__(self, server: RedisServer) -> None:
        """Take where it leads."""
        self.server = server
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        # Which come next, and whether they are lost.
        self._questions: list[tuple[bytes, bool]] = []
        self._answers: list[tuple[bytes, bool]] = []
        self._ends: dict[socket.socket, socket.socket] = {}
        self._waits_for: dict[socket.socket, bytes] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="cutter")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._thread.join()

    @property
    def url(self) -> str:
        """Return its address."""
        return f"redis://127.0.0.1:{self.port}"

    def lose_questions(self, script: str, times: int = 1, *, after: int = 0) -> None:
        """Cut the connection instead of passing on the next questions to a script, but for the first of them."""
        question = _question(script)
        self._questions += [(question, False)] * after + [(question, True)] * times

    def lose_answers(self, script: str, times: int = 1) -> None:
        """Cut the connection when the next questions to a script have been answered."""
        self._answers += [(_question(script), True)] * times

    def _work(self) -> None:
        while not self._closed:
            ready, _, _ = select.select([self._door, *self._ends], [], [])
            for end in ready:
                if end is self._door:
                    self._connect()
                elif end in self._ends:
                    self._pass_on(end)
        self._door.close()
        for end in list(self._ends):
            self._cut(end)

    def _connect(self) -> None:
        near, _ = self._door.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self.server.port))
        except OSError:
            near.close()
            return
        self._ends[near], self._ends[far] = far, near
        self._waits_for[near] = b""

    def _pass_on(self, end: socket.socket) -> None:
        data = b""
        with suppress(OSError):
            data = end.recv(PIECE)
        is_lost = self._is_lost(end, data)
        if not data or is_lost:
            self._cut(end)
        else:
            with suppress(OSError):
                self._ends[end].sendall(data)

    def _is_lost(self, end: socket.socket, data: bytes) -> bool:
        if end in self._waits_for:
            self._waits_for[end] = data
            return _takes(self._questions, data)
        return _takes(self._answers, self._waits_for[self._ends[end]])

    def _cut(self, end: socket.socket) -> None:
        for each in (self._ends.get(end), end):
            if each is not None:
                self._ends.pop(each, None)
                self._waits_for.pop(each, None)
                each.close()


def _takes(wanted: list[tuple[bytes, bool]], data: bytes) -> bool:
    """Tell whether data that has one of the texts is lost; the text is wanted once less then."""
    for text, is_lost in wanted:
        if text in data:
            wanted.remove((text, is_lost))
            return is_lost
    return False


def _question(script: str) -> bytes:
    sha = wire.load_scripts()[script].sha  # type: ignore[attr-defined]
    return f"EVALSHA\r\n$40\r\n{sha}".encode()
