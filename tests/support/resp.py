"""Something that listens where a Redis should, and answers every command the same."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["answering"]

PIECE = 65_536
COMMAND = re.compile(rb"\*[0-9]+\r\n\$[0-9]+\r\n([A-Z]+)")


@contextmanager
def answering(usual: bytes, **answers: bytes) -> Iterator[int]:
    """Answer each command with what is given for it, or with the usual, on one connection, and give the port for it."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=_answer, args=(door, usual, answers), name="resp")
        thread.start()
        port = int(door.getsockname()[1])
        yield port
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            pass
        thread.join()


def _answer(door: socket.socket, usual: bytes, answers: dict[str, bytes]) -> None:
    connection, _ = door.accept()
    with connection, suppress(OSError):
        while data := connection.recv(PIECE):
            connection.sendall(b"".join(answers.get(name.decode(), usual) for name in COMMAND.findall(data)))
