"""The unit of work of every durable call, ours and the peers': a dict of about 100 bytes in, one INCR in Redis.

The socket is written by hand, so that the work costs the same whatever Redis client a peer brings along.
One connection a process.
"""

import asyncio
import os
import socket
import threading
import time
from typing import Any

__all__ = ["COUNTER_DB", "Redis", "do", "do_async", "payload"]

HOST = "127.0.0.1"
COUNTER_DB = 1
OK = b"+OK\r\n"


def command(*parts: object) -> bytes:
    """Return a command as Redis reads it."""
    encoded = [str(part).encode() for part in parts]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in encoded)


SELECT, INCR = command("SELECT", COUNTER_DB), command("INCR", "n")


def payload(number: int) -> dict[str, Any]:
    """Return the input of one call."""
    return {"id": number, "sent": round(time.monotonic(), 6), "kind": "count", "pad": "x" * 50}


class Redis:
    """One connection, for one thread at a time."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> bytes:
        """Send a command and return the reply, which must be a short one."""
        self._socket.sendall(request)
        reply = self._socket.recv(256)
        if not reply.endswith(b"\r\n") or reply.startswith(b"-"):
            raise ConnectionError(f"Redis replied {reply!r}.")
        return reply

    def ask(self, *parts: object) -> bytes:
        """Send a command by its words."""
        return self.send(command(*parts))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


class _Counter:
    """This process's connection for blocking work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._redis: Redis | None = None

    def add(self) -> None:
        with self._lock:
            if self._redis is None or self._owner != os.getpid():
                self._redis, self._owner = Redis(_port()), os.getpid()
                self._redis.send(SELECT)
            self._redis.send(INCR)


class _AsyncCounter:
    """This process's connection for work on an event loop."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def add(self) -> None:
        async with self._lock:
            if self._streams is None:
                self._streams = await asyncio.open_connection(HOST, _port())
                await self._send(*self._streams, SELECT)
            await self._send(*self._streams, INCR)

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
        writer.write(request)
        reply = await reader.readline()
        if not reply.startswith((b":", b"+")):
            raise ConnectionError(f"Redis replied {reply!r}.")


def do(_: object) -> None:
    """Do the work on a thread."""
    counter.add()


async def do_async(_: object) -> None:
    """Do the work on an event loop."""
    await async_counter.add()


def _port() -> int:
    return int(os.environ["BENCH_REDIS_PORT"])


counter = _Counter()
async_counter = _AsyncCounter()
