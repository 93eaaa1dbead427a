"""One connection to a Redis, made when it is needed, and again when it was lost. The only importer of redis-py.

Nothing is retried here: whoever asks knows whether it is safe to ask again. Passwords never stand in a message.
"""

import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    RedisError,
    ResponseError,
    TimeoutError,
)
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, Sentinel

from zato.broker.open import Location
from zato.core.urls import BrokerURL, split

__all__ = ["Command", "Connection", "Lost", "Reply", "Subscription", "Unreachable", "pool_of"]

# Seconds. Less than a third of the shortest lease in use, so that a Redis that hangs costs one heartbeat.
ANSWERS_WITHIN = 3.0
CONNECTS_WITHIN = 1.5
GIVEN_UP_AT_ONCE = struct.pack("ii", 1, 0)
# Who was cut off without a word is found out after so many seconds, where the system can be told to.
KEEPALIVE = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}
REFUSALS = (AuthenticationError, BusyLoadingError)

Command = tuple[bytes | str | int, ...]
Reply = Any


class Unreachable(Exception):
    """There is no connection, and nothing was sent."""


class Lost(Exception):
    """The connection was lost, or Redis did not answer in time: what was sent may have been carried out.

    Attributes:
        timed_out: Redis was there, and did not answer.
    """

    def __init__(self, message: str, *, timed_out: bool) -> None:
        """Say what happened."""
        super().__init__(message)
        self.timed_out = timed_out


class Connection:
    """A connection to the Redis of a location.

    Attributes:
        place: host and port, for messages.
    """

    def __init__(self, location: Location, greet: Callable[[], None]) -> None:
        """Take where Redis is, and what is to be called whenever a connection was made.

        Raises:
            InvalidSetting: the URL is not understood.
        """
        self._pool, self.place = pool_of(location)
        self._greet = greet
        self._link: Any = None

    def execute(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands together, and return their replies; that of a refused one is a `ResponseError`.

        Raises:
            Unreachable: nothing was sent.
            Lost: no answer came. What was sent may have been carried out.
        """
        link = self._connected()
        try:
            link.send_packed_command(link.pack_commands(commands), check_health=False)
            replies = [_reply(link) for _ in commands]
        except REFUSALS as error:
            self.close()
            raise Unreachable(f"Redis at {self.place} refuses to let us in: {_text(error)}") from error
        except (RedisError, OSError) as error:
            self.close()
            timed_out = isinstance(error, TimeoutError)
            raise Lost(f"Redis at {self.place} {_lost(error)}", timed_out=timed_out) from error
        if any(isinstance(reply, ResponseError) and "READONLY" in str(reply) for reply in replies):
            # A replica now: whoever is the master is asked next time.
            self.close()
        return replies

    def close(self) -> None:
        """Give the connection up."""
        link, self._link = self._link, None
        if link is not None:
            link.disconnect()

    def _connected(self) -> Any:
        if self._link is None:
            self._link = connect(self._pool, self.place)
            try:
                self._greet()
            except BaseException:
                self.close()
                raise
            if self._link is None:
                raise Unreachable(f"Redis at {self.place} closed the connection at once")
        return self._link


class Subscription:
    """A connection that hears what is published on one channel. Used from one thread, and closed from another."""

    def __init__(self, location: Location, channel: str) -> None:
        """Take where Redis is, and the channel."""
        # A silence of any length is none of its faults.
        self._pool, self.place = pool_of(location, socket_timeout=None)
        self._channel = channel
        self._link: Any = None

    def open(self) -> None:
        """Connect, and hear from now on.

        Raises:
            Unreachable: Redis is not there.
        """
        self._link = connect(self._pool, self.place)
        try:
            self._link.send_command("SUBSCRIBE", self._channel)
            self._link.read_response()
        except (RedisError, OSError) as error:
            raise Unreachable(f"Redis at {self.place} {_lost(error)}") from error

    def next(self) -> bytes:
        """Return the next message, waiting for it.

        Raises:
            Unreachable: the connection was lost, or closed.
        """
        try:
            _, _, message = self._link.read_response()
        except Exception as error:
            # Closing it from another thread leaves it in no state of its own.
            raise Unreachable(f"Redis at {self.place} {_lost(error)}") from error
        return bytes(message)

    def close(self) -> None:
        """Give the connection up; whoever waits for a message learns of it."""
        link = self._link
        if link is not None:
            link.disconnect()


def connect(pool: Any, place: str) -> Any:
    """Return a new connection.

    Raises:
        Unreachable: there is none to be had, and why.
    """
    link = pool.make_connection()
    try:
        link.connect()
    except (*REFUSALS, ResponseError) as error:
        raise Unreachable(f"Redis at {place} refuses to let us in: {_text(error)}") from error
    except (RedisError, OSError) as error:
        raise Unreachable(f"Redis at {place} cannot be reached: {_text(error)}") from error
    # What was sent into a network that is cut must not arrive when it is whole again: it was refused by then, or asked
    # again. A connection that is given up forgets it.
    link._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, GIVEN_UP_AT_ONCE)
    return link


def _reply(link: Any) -> Reply:
    try:
        return link.read_response()
    except ResponseError as refusal:
        return refusal


def pool_of(location: Location, **changes: Any) -> tuple[Any, str]:
    """Return what connections are made of, and where they lead, for messages."""
    url = split(location.broker)
    options: dict[str, Any] = {
        "db": url.database,
        "username": url.user or None,
        "password": location.password or url.password or None,
        "socket_timeout": ANSWERS_WITHIN,
        "socket_connect_timeout": CONNECTS_WITHIN,
        "socket_keepalive": True,
        "socket_keepalive_options": {
            getattr(socket, name): value for name, value in KEEPALIVE.items() if hasattr(socket, name)
        },
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "client_name": "zato",
        **changes,
    }
    if url.is_sentinel:
        return _sentinel_pool(url, options), url.place
    host, port = url.hosts[0]
    kind = redis.SSLConnection if url.has_tls else redis.Connection
    return redis.ConnectionPool(connection_class=kind, host=host, port=port, **_tls(url), **options), url.place


def _sentinel_pool(url: BrokerURL, options: dict[str, Any]) -> Any:
    """Return a pool whose connections lead to whoever the sentinels say is the master."""
    secure = {"ssl": True, **_tls(url)} if url.has_tls else {}
    of_sentinels = {name: options[name] for name in ("socket_connect_timeout", "retry", "protocol")}
    of_sentinels["socket_timeout"] = CONNECTS_WITHIN
    make: Any = Sentinel
    sentinel = make(url.hosts, sentinel_kwargs={**of_sentinels, **secure}, **options, **secure)
    return sentinel.master_for(url.master).connection_pool


def _tls(url: BrokerURL) -> dict[str, Any]:
    options: dict[str, Any] = dict(url.options)
    if "ssl_check_hostname" in options:
        options["ssl_check_hostname"] = options["ssl_check_hostname"].lower() not in {"0", "false", "no", "off", ""}
    return options


def _lost(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"did not answer within {ANSWERS_WITHIN:g} s"
    return f"lost the connection: {_text(error)}"


def _text(error: BaseException) -> str:
    if isinstance(error, MasterNotFoundError):
        return "no sentinel knows a master of that name"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, ConnectionError) and isinstance(error.__cause__ or error.__context__, OSError):
        cause = error.__cause__ or error.__context__
        return str(getattr(cause, "strerror", None) or cause or type(cause).__name__)
    return str(error).rstrip(".") or type(error).__name__
