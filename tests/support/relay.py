"""A relay in front of a Redis, which loses answers when it is told to: what was asked for is done, and nobody knows."""

import random
import selectors
import socket
import threading
from collections import Counter
from contextlib import suppress
from typing import Self

__all__ = ["Relay"]

CHUNK = 65_536
PAUSE = 0.1
# Answers at the beginning of a connection that are never lost: to its greeting, and to what is asked once more.
GREETING = 8


class Relay:
    """The relay. Use it in a `with`.

    Attributes:
        port: where it listens, on 127.0.0.1.
        lost: how many answers it has lost so far.
    """

    def __init__(self, port: int) -> None:
        """Take where Redis is, on 127.0.0.1."""
        self.lost = 0
        self._redis = port
        self._one_in = 0
        self._chance = random.Random(port)
        self._answers: Counter[socket.socket] = Counter()
        self._ended = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._selector.register(self._door, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()
        for link in list(self._peers):
            self._part(link)
        self._selector.close()
        self._door.close()

    def lose(self, one_in: int) -> None:
        """From now on lose one answer in about so many, and its connection with it; 0 is none."""
        self._one_in = one_in

    def _run(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(PAUSE):
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj is self._door:
                    self._meet()
                elif key.fileobj in self._peers:
                    self._pass_on(key.fileobj)

    def _meet(self) -> None:
        client, _ = self._door.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self._redis), timeout=1.0)
        except OSError:
            client.close()
            return
        for link, peer in ((client, server), (server, client)):
            link.settimeout(None)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[link] = peer
            self._selector.register(link, selectors.EVENT_READ)

    def _pass_on(self, link: socket.socket) -> None:
        try:
            data = link.recv(CHUNK)
            if not data or self._loses(link, data):
                self._part(link)
            else:
                self._peers[link].sendall(data)
        except OSError:
            self._part(link)

    def _loses(self, link: socket.socket, data: bytes) -> bool:
        """Tell whether this is an answer that is to be lost."""
        is_question = link.getpeername()[1] != self._redis
        if is_question or data.startswith(b"*3\r\n$7\r\nmessage"):
            return False
        self._answers[link] += 1
        # By chance, not every so-many-th: or it would always be the same question that is asked again.
        loses = self._answers[link] > GREETING and bool(self._one_in) and not self._chance.randrange(self._one_in)
        self.lost += loses
        return loses

    def _part(self, link: socket.socket) -> None:
        """Close a connection, at both its ends."""
        peer = self._peers.pop(link, None)
        for each in (link, peer):
            if each is not None:
                self._peers.pop(each, None)
                self._answers.pop(each, None)
                with suppress(KeyError, ValueError):
                    self._selector.unregister(each)
                each.close()
